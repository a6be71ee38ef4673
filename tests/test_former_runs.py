"""Runs that an earlier version of convlens wrote: they are opened, scored and resumed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from convlens.pipeline import train
from convlens.report.again import score_again
from convlens.run import Run
from convlens.screen import Screen
from tests.conftest import forget_threads

pytestmark = pytest.mark.usefixtures("no_charts")
FORMER = Path(__file__).parent / "fixtures" / "8941a94"
EXPECTED = json.loads((FORMER / "expected.json").read_text(encoding="utf-8"))
ACCURACY = 0.6166666666666667  # 37 of 60 test images
QUIET = Screen(quiet=True)


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """A working directory with copies of the former runs under `runs/`, where their paths lead."""
    shutil.copytree(FORMER, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def resume(digits, folder: Path) -> Run:
    """Resume a former run with as many threads as this process has."""
    forget_threads(folder)
    return train(digits, run=folder, resume=True, screen=QUIET)


def assert_history(run: Run, expected: list[dict[str, float]]) -> None:
    assert [row["epoch"] for row in run.history] == [row["epoch"] for row in expected]
    for found, former in zip(run.history, expected, strict=True):
        for name in ("loss", "val_loss"):
            assert found[name] == pytest.approx(former[name], abs=1e-4)
        for name in ("accuracy", "val_accuracy", "learning_rate"):
            assert found[name] == pytest.approx(former[name], rel=1e-6)


def probabilities(run: Run, digits) -> np.ndarray:
    return run.classifier().probabilities(digits.images[:8, ..., None])


def test_a_finished_run_is_read(digits):
    run = Run.open(FORMER / "finished")
    expected = EXPECTED["finished"]
    assert run.finished
    assert_history(run, expected["history"])
    values = {name: score["value"] for name, score in run.report["metrics"].items()}
    assert values == expected["metrics"]
    assert values["accuracy"] == ACCURACY
    assert run.config.model.filters == (8,)
    assert [len(run.data["splits"][name]) for name in ("train", "val", "test")] == [190, 50, 60]
    assert run.classifier().provenance["best"]["epoch"] == 6
    assert probabilities(run, digits) == pytest.approx(
        np.array(expected["probabilities"]), abs=1e-4
    )


def test_a_finished_run_is_scored_again(runs, digits):
    run = Run.open("finished")
    before = run.report
    score_again(run, run.classifier(), digits, QUIET)
    assert run.report["metrics"]["accuracy"] == before["metrics"]["accuracy"]
    assert run.report["metrics"]["accuracy"]["value"] == ACCURACY
    assert run.report["test_evaluations"] == before["test_evaluations"] + 1


@pytest.mark.parametrize(
    ("name", "end"), [("interrupted", "resumed"), ("fine_tuned_interrupted", "fine_tuned_resumed")]
)
def test_an_interrupted_run_is_resumed(runs, digits, name, end):
    run = resume(digits, runs / name)
    expected = EXPECTED[end]
    assert run.finished
    assert_history(run, expected["history"])
    assert run.report["metrics"]["accuracy"]["value"] == expected["metrics"]["accuracy"]
    assert probabilities(run, digits) == pytest.approx(
        np.array(expected["probabilities"]), abs=1e-3
    )
