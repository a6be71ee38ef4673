"""A loss or weights that are not finite: the training stops, and nothing good is overwritten."""

import math

import keras
import numpy as np
import pytest

from convlens.cli import main
from convlens.config import TrainingConfig
from convlens.errors import TrainingError
from convlens.pipeline import train
from convlens.run import Run
from convlens.training import fit as fit_module
from convlens.training.checkpoint import load_state
from convlens.training.divergence import advice
from tests.trainings import CONFIG, QUIET, columns, same_weights, save_after_every_step

pytestmark = pytest.mark.usefixtures("no_charts")
IMAGES = np.zeros((2, 4, 4, 1), np.uint8)


def break_a_weight(monkeypatch, step: int) -> None:
    """Make a weight NaN in so many steps, after the loss of that step was computed."""
    real, calls = fit_module._Checkpoint.on_train_batch_end, []

    def on_train_batch_end(self, batch, logs=None):
        calls.append(batch)
        if len(calls) == step:
            kernel = self.model.trainable_variables[0]
            kernel.assign(np.full(kernel.shape, math.nan))
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", on_train_batch_end)


@pytest.mark.parametrize("step", [11, 18])  # within the second epoch of 9 steps, and at its end
def test_weights_that_break_never_replace_the_state_or_the_best_epoch(
    step, finished_run, digits, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        save_after_every_step(patch)
        break_a_weight(patch, step)
        with pytest.raises(TrainingError, match=r"must stay finite.* The best epoch, 1, is kept"):
            train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    run = Run(tmp_path / "run")
    state, groups = load_state(run.state_path)
    assert 9 * state.epoch + state.step == step - 1
    assert all(np.isfinite(array).all() for group in groups for array in group)
    assert run.classifier().provenance["best"]["epoch"] == 1
    resumed = train(digits, run=run.folder, resume=True, screen=QUIET)  # nothing is broken now
    assert columns(resumed) == columns(finished_run)
    assert same_weights(resumed, finished_run)


def test_without_validation_a_broken_epoch_does_not_become_the_classifier(
    digits, tmp_path, monkeypatch
):
    break_a_weight(monkeypatch, 20)  # the last step of the second epoch
    with pytest.raises(TrainingError, match="some became infinite or nan in epoch 2, step 10"):
        train(digits, CONFIG.replace(val=0.0), run=tmp_path / "run", screen=QUIET)
    assert Run(tmp_path / "run").classifier().provenance["best"]["epoch"] == 1


def test_the_user_sees_one_line_and_a_resumed_run_the_same(tmp_path, capsys):
    words = "train digits --model custom_cnn --filters 4 --dense 8 --epochs 2 --limit 400"
    words += " --optimizer sgd --learning-rate 1e20 --schedule constant --run"
    folder = tmp_path / "run"
    messages = []
    for command in ([*words.split(), str(folder)], ["train", "--run", str(folder), "--resume"]):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        assert stopped.value.code == TrainingError.exit_code
        messages.append(capsys.readouterr().err)
    assert messages[0] == messages[1]
    assert messages[0].count("\n") == 1
    assert "epoch 1, step" in messages[0]
    assert "The learning rate 1e+20 is" in messages[0]


def test_the_cause_is_looked_for_in_the_input_the_rate_and_the_arithmetic():
    usual = TrainingConfig(optimizer="adam", precision="float32")
    high = TrainingConfig(optimizer="adam", learning_rate=0.01, precision="bfloat16")
    short = TrainingConfig(optimizer="adam", precision="bfloat16")
    features = np.array([[1.0, np.inf]], np.float32)
    assert advice(usual, IMAGES) == (
        "Use a smaller --learning-rate (--find-learning-rate looks for one)."
    )
    assert advice(high, IMAGES).startswith("The learning rate 0.01 is 10 times the usual one")
    assert "--precision float32" in advice(short, IMAGES)
    assert "features of the backbone have overflowed" in advice(high, features)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_infinite_gradient_is_noticed_in_its_step(precision, digits, tmp_path, monkeypatch):
    """The loss is finite in the step that makes the weights infinite."""
    save_after_every_step(monkeypatch)
    config = CONFIG.replace(
        precision=precision, optimizer="sgd", learning_rate=1e38, schedule="constant"
    )
    with pytest.raises(TrainingError, match="must stay finite"):
        train(digits, config, run=tmp_path / "run", screen=QUIET)
    run = Run(tmp_path / "run")
    if run.has_state:
        _state, groups = load_state(run.state_path)
        assert all(np.isfinite(array).all() for group in groups for array in group)
    assert not run.classifier_path.exists()
    keras.utils.clear_session()
