"""Cross-validation: one recipe trained once per fold, and continued where it was stopped."""

import shutil

import numpy as np
import pytest

from convlens.cli import main
from convlens.config import Config
from convlens.errors import ConfigError, Interrupted, RunError
from convlens.pipeline import train
from convlens.report.again import score_again
from convlens.run import Run
from convlens.studies.cross_validation import cross_validate, resume_cross_validation
from tests.conftest import without_charts
from tests.trainings import QUIET, columns, press_ctrl_c, same_weights, save_after_every_step

pytestmark = pytest.mark.usefixtures("no_charts")
FOLDED = Config().replace(
    model="custom_cnn",
    filters=(8,),
    dense=(),
    dropout=0.0,
    epochs=4,
    limit=300,
    optimizer="momentum",
    learning_rate=0.1,
    batch_size=16,
    augment="none",
)
FOLDS = 3


@pytest.fixture(scope="module")
def straight(digits, tmp_path_factory):
    """Return a cross-validation that was not stopped."""
    folder = tmp_path_factory.mktemp("folds") / "run"
    with without_charts():
        return cross_validate(digits, FOLDED, FOLDS, run=folder, screen=QUIET)


def test_every_image_is_scored_once_by_a_network_that_never_saw_it(digits, straight):
    run = straight
    held = []
    for number in (1, 2, 3):
        data = type(run)(run.folder / f"fold-{number}").data
        assert not set(data["splits"]["test"]) & set(
            data["splits"]["train"] + data["splits"]["val"]
        )
        held += data["splits"]["test"]
    everything = run.data["splits"]["train"] + run.data["splits"]["val"]
    assert sorted(held) == sorted(everything)
    assert run.report["n"] == len(held)
    assert run.report["folds"] == 3
    assert run.report["metrics"]["accuracy"]["value"] > 0.5
    assert run.classifier().provenance["metrics"]["accuracy"] == run.report["metrics"]["accuracy"]
    each = [type(run)(run.folder / f"fold-{number}").classifier() for number in (1, 2, 3)]
    assert all(
        one.threshold for one in [*each, run.classifier()]
    )  # each calibrated on its own validation images
    assert len({one.temperature for one in each}) > 1
    assert run.report["threshold"] == run.classifier().threshold
    assert run.report["none_of_these"] is None
    with pytest.raises(RunError, match="scored every image once"):
        score_again(run, run.classifier(), digits, QUIET)
    with pytest.raises(RunError, match="is finished"):
        train(digits, run=run.folder, resume=True, screen=QUIET)
    assert np.isclose(run.classifier().probabilities(digits.images[:4, ..., None]).sum(), 4)


def test_one_fold_is_refused(digits, tmp_path):
    with pytest.raises(ConfigError, match="at least 2"):
        cross_validate(digits, FOLDED, 1, run=tmp_path / "run", screen=QUIET)


# Steps, of which a fold has 4 times 9: in the first fold, the last one, and the last network.
@pytest.mark.parametrize("step", [40, pytest.param(2, marks=pytest.mark.slow), 120])
def test_a_stopped_cross_validation_goes_on_with_the_fold_in_which_it_was(
    step, straight, digits, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, step)
        with pytest.raises(Interrupted, match="stopped in .*; finished folds are kept") as stopped:
            cross_validate(digits, FOLDED, FOLDS, run=tmp_path / "run", screen=QUIET)
    assert f"To go on: convlens train --run {tmp_path / 'run'} --resume" in str(stopped.value)
    kept = {
        path: path.stat().st_mtime_ns for path in tmp_path.glob("run/fold-*/probabilities.npy")
    }
    assert (step > 36) == bool(kept)
    run = resume_cross_validation(digits, tmp_path / "run", QUIET)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    for part in ("fold-1", "fold-2", "fold-3", "."):
        one, other = (Run(place.folder / part) for place in (run, straight))
        assert columns(one) == columns(other)
        assert same_weights(one, other)
    assert run.report["metrics"] == straight.report["metrics"]
    with pytest.raises(RunError, match="is finished"):
        resume_cross_validation(digits, run.folder, QUIET)


def test_a_killed_cross_validation_is_resumed_by_the_same_command_as_a_training(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    save_after_every_step(monkeypatch)
    flags = "--model custom_cnn --filters 4 --dense 8 --epochs 2 --limit 200 --folds 2 --run folds"
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 6)
        with pytest.raises(SystemExit) as stopped:
            main(["train", "digits", *flags.split()])
    assert stopped.value.code == 130
    with pytest.raises(SystemExit) as ended:
        main(["train", "--run", "folds", "--resume"])
    assert not ended.value.code
    assert "2 held-out folds" in capsys.readouterr().out
    assert Run(tmp_path / "runs" / "folds").report["folds"] == 2


def test_a_damaged_fold_is_named(straight, digits, tmp_path):
    shutil.copytree(straight.folder, tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    path = tmp_path / "run" / "fold-2" / "probabilities.npy"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match="Remove it to train this fold again"):
        resume_cross_validation(digits, tmp_path / "run", QUIET)
