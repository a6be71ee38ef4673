"""A folder of runs, one of them finished and one stopped, for the tests of `convlens run`."""

import shutil
import subprocess
import sys

import pytest

from convlens import lock
from tests.test_lock import HOLD


@pytest.fixture
def runs(here, trained):
    """Return runs/ with a finished run and one that was stopped."""
    shutil.copytree(trained, here / "runs" / "done")
    shutil.copytree(trained, here / "runs" / "half")
    for name in ("report.json", "SHA256SUMS"):
        (here / "runs" / "half" / name).unlink()
    return here / "runs"


@pytest.fixture
def busy(runs, monkeypatch):
    """Return a process that trains the run that was stopped."""
    monkeypatch.setattr(lock, "WAIT", 0.1)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(runs / "half")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def said(capsys) -> str:
    """Return what was printed, with single blanks."""
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())
