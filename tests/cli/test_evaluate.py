"""`convlens evaluate` as a user types it."""

import json
import shutil

import pytest

from tests.cli.commands import run


@pytest.fixture(name="trained")
def own_copy(trained, tmp_path):
    """Return a copy of the run, as evaluating counts in its report."""
    return shutil.copytree(trained, tmp_path / "copied")


@pytest.mark.usefixtures("no_charts")
def test_evaluate_again_counts_and_equals_the_report(trained, capsys):
    before = json.loads((trained / "report.json").read_text())
    assert run("evaluate", trained, "--format", "json") == 0
    after = json.loads(capsys.readouterr().out)
    assert after["metrics"] == before["metrics"]
    assert after["test_evaluations"] == before["test_evaluations"] + 1


@pytest.mark.usefixtures("no_charts")
def test_evaluate_on_other_images(trained, shapes, here, capsys):
    shutil.copytree(shapes, here / "others")
    shutil.rmtree(here / "others" / "bar")
    (here / "others" / "bar").mkdir()
    for number in range(2):
        shutil.copy(shapes / "bar" / f"{number}.png", here / "others" / "bar")
    assert run("evaluate", trained, "--data", "others") == 0
    assert "62" in capsys.readouterr().out
    report = json.loads((trained / "evaluations" / "others" / "report.json").read_text())
    assert report["n"] == 62
    (here / "others" / "cat").mkdir()
    for number in range(2):
        shutil.copy(shapes / "bar" / f"{number}.png", here / "others" / "cat")
    assert run("evaluate", trained, "--data", "others") == 3
    assert "found cat, too" in capsys.readouterr().err
