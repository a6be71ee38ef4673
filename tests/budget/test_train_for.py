import json
import signal
import time
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.budget import deadline as deadline_module
from convlens.budget import train_for as train_for_module
from convlens.budget.measure import measure_costs
from convlens.budget.plan import AIM, plan
from convlens.budget.train_for import CLOCK, LIMIT, _seconds_at_state, seconds_trained, train_for
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.errors import Interrupted, StorageError, TrainingError
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import fit as fit_module
from convlens.training.checkpoint import State, save_state
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer

QUIET = Screen(quiet=True)
CONFIG = Config().replace(
    model="custom_cnn",
    filters=(4,),
    dense=(),
    batch_size=32,
    optimizer="momentum",
    augment="light",
    limit=400,
    seed=3,
    precision="float32",
)


def set_time(monkeypatch, monotonic):
    """Let the training read a made-up clock."""
    for module in (deadline_module, train_for_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic, time=monotonic))


def make(digits, **options) -> Trainer:
    config = CONFIG.replace(**options)
    origin = choose_network(config)
    setup = Setup.create(origin.prepare(digits, config, None), config, origin)
    return Trainer(setup, QUIET)


def started(trainer, folder) -> Run:
    run = Run.create(folder, "")
    trainer.setup.describe(run)
    return run


@pytest.fixture(scope="module")
def endless(digits) -> Trainer:
    """Return a training that is always stopped. Tests train it further, in runs of their own."""
    return make(digits, epochs=100_000, steps_per_epoch=16)


def test_a_training_that_is_slower_than_planned_ends_at_the_limit_with_its_best_epoch(
    endless, tmp_path, monkeypatch
):
    run = started(endless, tmp_path / "run")
    ticks = iter(range(100_000))
    set_time(monkeypatch, lambda: 0.01 * next(ticks))  # a step takes a hundredth of a second
    note = train_for(endless, run, 1.0)
    assert "slower than measured" in note
    assert f"of {100_000} epochs" in note
    spent = json.loads((run.folder / CLOCK).read_text())
    assert LIMIT < spent < LIMIT + 0.03
    assert seconds_trained(run) >= spent
    best = max(run.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert run.classifier().provenance["best"]["epoch"] == best["epoch"]


def test_the_first_epoch_is_finished_however_late_it_is(endless, tmp_path):
    run = started(endless, tmp_path / "run")
    assert train_for(endless, run, 1e-6).startswith("stopped after 1 of 100000 epochs")
    assert run.classifier_path.exists()


@pytest.mark.slow
def test_a_stopped_training_goes_on_with_the_time_that_is_left_and_the_same_bits(
    digits, tmp_path, monkeypatch
):
    options = {"epochs": 4, "steps_per_epoch": 5}  # a pass has 8 steps
    trainer = make(digits, **options)
    whole = started(trainer, tmp_path / "whole")
    assert train_for(trainer, whole, 1000) == ""
    assert [row["epoch"] for row in whole.history] == [1, 2, 3, 4]
    trainer = make(digits, **options)
    stopped = started(trainer, tmp_path / "stopped")
    real = fit_module._Checkpoint.on_train_batch_end
    steps = iter(range(1000))

    def press(self, batch, logs=None):
        if next(steps) == 7:
            signal.raise_signal(signal.SIGINT)
        real(self, batch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module._Checkpoint, "on_train_batch_end", press)
        with pytest.raises(Interrupted):
            train_for(trainer, stopped, 1000)
    first = seconds_trained(stopped)
    assert first > 0
    assert train_for(make(digits, **options), stopped, 1000) == ""
    assert seconds_trained(stopped) > first
    pairs = zip(
        whole.classifier().model.get_weights(),
        stopped.classifier().model.get_weights(),
        strict=True,
    )
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_a_resumed_training_has_only_the_time_that_is_left(endless, tmp_path, monkeypatch):
    run = started(endless, tmp_path / "run")
    endless.model.optimizer.build(endless.model.trainable_variables)
    save_state(run.state_path, endless.model, State())
    run.write(CLOCK, "0.9")
    ticks = iter(range(100_000))
    set_time(monkeypatch, lambda: 0.01 * next(ticks))
    assert "its time was up" in train_for(endless, run, 1.0)
    assert LIMIT < json.loads((run.folder / CLOCK).read_text()) < LIMIT + 0.03
    assert next(ticks) < 50  # of the 110 of the whole time


def test_what_is_trained_again_after_a_kill_counts_once(endless, tmp_path):
    run = started(endless, tmp_path / "run")
    run.write(CLOCK, "30.0")
    assert _seconds_at_state(run) == 0  # nothing is left of what was trained
    rows = [{"epoch": epoch, "seconds": 20.0} for epoch in (1, 2)]
    save_state(run.state_path, endless.model, State(epoch=2, step=3, seconds=5.0, history=rows))
    assert _seconds_at_state(run) == 45
    run.write(CLOCK, "60.0")
    assert _seconds_at_state(run) == 60
    row = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), 0.1)
    run.write_history([{"epoch": epoch, "seconds": 20.0, **row} for epoch in (1, 2)])
    assert _seconds_at_state(run) == 60
    # It was killed after its last epoch, whose end is not in the state.
    run.write_history([{"epoch": epoch, "seconds": 20.0, **row} for epoch in (1, 2, 3)])
    assert _seconds_at_state(run) == 45


def test_seconds_that_cannot_be_read_end_no_training(endless, tmp_path):
    run = started(endless, tmp_path / "run")
    run.write(CLOCK, '{"cut')
    assert seconds_trained(run) == 0


@pytest.mark.parametrize("error", [StorageError("the disk is full"), KeyboardInterrupt()])
def test_what_is_trained_again_after_another_end_counts_once(endless, tmp_path, monkeypatch, error):
    """No state is saved then, so that the time of the end is not that of the state."""

    def fail(*_arguments, **_options):
        raise error

    run = started(endless, tmp_path / "run")
    monkeypatch.setattr(train_for_module, "train_until", fail)
    with pytest.raises(type(error)):
        train_for(endless, run, 1000)
    assert seconds_trained(run) == 0


def test_a_training_whose_time_was_up_is_not_continued(endless, tmp_path):
    run = started(endless, tmp_path / "run")
    note = train_for(endless, run, 1e-6)
    weights = run.classifier().model.get_weights()
    assert train_for(endless, run, 1000) == note
    assert len(run.history) == 1
    again = run.classifier().model.get_weights()
    assert all(np.array_equal(old, new) for old, new in zip(weights, again, strict=True))


def test_a_loss_that_is_not_finite_keeps_its_time(digits, tmp_path):
    trainer = make(digits, epochs=2, optimizer="sgd", learning_rate=1e30, seed=1)
    run = started(trainer, tmp_path / "run")
    with pytest.raises(TrainingError, match="finite"):
        train_for(trainer, run, 1000)
    assert seconds_trained(run) > 0


@pytest.mark.slow
def test_the_time_is_kept(digits, tmp_path, monkeypatch):
    """Steps and writings that mostly sleep take the same time whatever else the machine does."""
    real = fit_module._Checkpoint.on_train_batch_end
    write = Classifier.save

    def slow(self, batch, logs=None):
        time.sleep(0.2)
        real(self, batch, logs)

    def slow_save(self, path):
        time.sleep(0.1)
        write(self, path)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", slow)
    monkeypatch.setattr(Classifier, "save", slow_save)
    seconds = 20.0
    trainer = make(digits)
    length = plan(seconds, measure_costs(trainer, 2.0), trainer.train.steps_per_pass)
    assert length.seconds == pytest.approx(AIM * seconds, rel=0.05)
    trainer = make(digits, epochs=length.epochs, steps_per_epoch=length.steps_per_epoch)
    run = started(trainer, tmp_path / "run")
    assert train_for(trainer, run, seconds) == ""
    assert 0.8 * seconds < seconds_trained(run) < LIMIT * seconds


def test_a_run_killed_after_a_resume_has_trained_for_its_epochs(tmp_path):
    run = Run.create(tmp_path / "killed", "")
    run.write(CLOCK, "30.0")
    row = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), 0.1)
    run.write_history([{"epoch": epoch, "seconds": 20.0, **row} for epoch in range(1, 7)])
    assert seconds_trained(run) == 120
    run.write_history([])
    assert seconds_trained(run) == 30
