"""The training loop: early stopping, losses that are not finite, and TensorBoard."""

import pytest

from convlens.errors import TrainingError
from convlens.pipeline import train
from convlens.run import Run
from convlens.training import fit as fit_module
from tests.trainings import CONFIG, QUIET, STUCK, recording, save_after_every_step

pytestmark = pytest.mark.usefixtures("no_charts")


def test_patience_counts_from_the_best_epoch_and_over_a_resume(digits, tmp_path, monkeypatch):
    """A run that was killed between its last epoch and its report has nothing left to train."""
    save_after_every_step(monkeypatch)
    run = train(digits, STUCK, run=tmp_path / "run", screen=QUIET)
    assert run.classifier().provenance["best"]["epoch"] == 1
    assert len(run.history) == 3
    (run.folder / "report.json").unlink()
    resumed = train(digits, run=run.folder, resume=True, screen=QUIET)
    assert len(resumed.history) == 3
    assert resumed.finished


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (0, "note  no state had been saved yet: 2 epochs are trained again"),
        (1, "note  the last saved state is of epoch 1: 1 epoch is trained again"),
    ],
)
def test_epochs_after_the_last_saved_state_are_named(digits, tmp_path, monkeypatch, saved, said):
    write = Run.write_history

    def die(run, rows):
        write(run, rows)
        if len(rows) == 2:
            raise Killed

    monkeypatch.setattr(Run, "write_history", die)
    monkeypatch.setattr(fit_module._Checkpoint, "_save_is_due", lambda one: one.state.step == 0)
    if not saved:
        monkeypatch.setattr(fit_module._Checkpoint, "save", lambda one: None)
    with pytest.raises(Killed):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    monkeypatch.undo()
    screen, text = recording()
    train(digits, run=tmp_path / "run", resume=True, screen=screen)
    assert said in text.getvalue()


def test_a_loss_that_is_not_finite_stops_and_keeps_the_best(digits, tmp_path):
    config = CONFIG.replace(optimizer="sgd", learning_rate=1e30, schedule="constant")
    with pytest.raises(TrainingError, match="the loss must stay finite") as caught:
        train(digits, config, run=tmp_path / "run", screen=QUIET)
    assert "smaller --learning-rate" in str(caught.value)


def test_a_loss_that_breaks_late_keeps_the_best(digits, tmp_path, monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def break_in_second_epoch(self, batch, logs=None):
        real(self, batch, {"loss": float("nan")} if self.state.epoch == 1 else logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", break_in_second_epoch)
    with pytest.raises(TrainingError, match="The best epoch, 1, is kept"):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    assert Run(tmp_path / "run").classifier().provenance["best"]["epoch"] == 1


def test_tensorboard_gets_scalars_histograms_and_the_graph(digits, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(
        digits, CONFIG.replace(epochs=2, tensorboard=True), run=tmp_path / "run", screen=QUIET
    )
    found = {}
    for part in ("train", "validation"):
        events = EventAccumulator(str(run.folder / "tensorboard" / part), {"tensors": 0}).Reload()
        found[part] = events.Tags()
    assert {"epoch_loss", "epoch_accuracy"} <= set(found["train"]["tensors"]) & set(
        found["validation"]["tensors"]
    )
    assert any("kernel" in tag for tag in found["train"]["tensors"])
    assert found["train"]["graph"] or any(
        "graph" in tag or "keras" in tag for tag in found["train"]["tensors"]
    )
