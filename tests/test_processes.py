"""Processes of convlens run its own modules, and end with those that they have started."""

import os
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import convlens
from convlens.processes import PATIENCE, PYTHON, end, own_command

SOURCES = Path(convlens.__file__).parent


@pytest.mark.parametrize("command", [own_command("convlens", "--version"), [*PYTHON, "-c", "1"]])
def test_a_file_of_the_current_folder_is_not_run(command, tmp_path):
    for name in ("psutil", "random", "numpy", "json", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('run.txt', 'w').write(__name__)\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert not (tmp_path / "run.txt").exists()
    assert done.returncode == 0, done.stderr


def test_every_process_of_convlens_is_started_so():
    starts = re.compile(r"\bsys\.executable\b")
    found = {path.name for path in SOURCES.rglob("*.py") if starts.search(path.read_text("utf-8"))}
    assert found == {"processes.py"}


@pytest.mark.skipif(os.name != "posix", reason="sessions are of POSIX")
def test_what_a_process_has_started_ends_with_it():
    program = (
        "import signal, subprocess, sys, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [*PYTHON, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    child = psutil.Process(int(process.stdout.readline()))
    end(process, patience=0.5)
    process.stdout.close()
    assert process.returncode == -9
    until = time.monotonic() + 120  # the system ends the child a moment after its parent
    with suppress(psutil.NoSuchProcess):
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="sessions are of POSIX")
def test_a_killed_process_has_time_to_end_however_soon_it_is_killed(monkeypatch):
    """What it has left is removed by whoever waits, who takes it for alive until it has ended."""
    waited = []
    monkeypatch.setattr(os, "killpg", lambda *_given: None)
    end(SimpleNamespace(pid=0, wait=waited.append), patience=0.5)
    assert waited == [0.5, PATIENCE]
