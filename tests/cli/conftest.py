"""Fixtures of the commands: a folder of their own, and a run that must not be changed."""

from pathlib import Path

import pytest

from tests.cli.commands import QUICK, run
from tests.conftest import without_charts


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Work in an empty folder, in a terminal of 160 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


@pytest.fixture(scope="session")
def trained(shapes, tmp_path_factory) -> Path:
    """Return the folder of a run on shapes."""
    folder = tmp_path_factory.mktemp("runs") / "shapes"
    with without_charts():
        assert run("train", shapes, *QUICK, "--size", "32", "--epochs", "6", "--run", folder) == 0
    return folder
