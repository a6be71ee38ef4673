"""Fit: Keras' own training loop, extended so that it can be stopped and resumed at any step."""

import math
import time
from typing import Any

import keras
import numpy as np

from convlens import backend
from convlens.config import Config
from convlens.data.batches import Batches
from convlens.errors import Interrupted, TrainingError
from convlens.language import _
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.answers import NAME, Collector
from convlens.training.averages import Averages
from convlens.training.checkpoint import (
    State,
    assign_saved,
    epochs_again,
    has_finite_weights,
    load_state,
    recorded_end,
    rows_so_far,
    save_state,
)
from convlens.training.divergence import LOSS, WEIGHTS, diverged
from convlens.training.failures import explained_log
from convlens.training.hooks import Hooks, Row
from convlens.training.memory_watch import MemoryWatch
from convlens.training.step_time import step_seconds

# The state is saved at the first step after SAVE_SECONDS, or later to take SAVE_SHARE of the time.
SAVE_SECONDS = 60.0
SAVE_SHARE = 0.05


def fit(  # noqa: PLR0913 - the collaborators of a training
    model: keras.Model,
    train: Batches,
    val: Batches | None,
    config: Config,
    run: Run,
    *,
    hooks: Hooks,
    screen: Screen,
    first: State | None = None,
) -> State:
    """Train a compiled model, from the saved state of the run if it has one.

    Args:
        model: The compiled model.
        train: The batches to learn from.
        val: The batches that choose the best epoch. With None the last epoch is kept.
        config: The configuration, of which epochs, patience and tensorboard are used.
        run: The run folder for history and state.
        hooks: What is called during the training.
        screen: Where the progress is shown.
        first: The state of a new run, which says what its epochs must be better than.

    Returns:
        The state after the last epoch.

    Raises:
        Interrupted: If `stop_requested` returned True. The state is saved.
        TrainingError: If the loss is not finite. The best epoch is kept.
        StorageError: If a file cannot be written. The state before it is whole.
    """
    checkpoint = _Checkpoint(train, config, run, hooks, screen)
    checkpoint.chooses = val is not None
    callbacks: list[keras.callbacks.Callback] = [MemoryWatch(run), checkpoint]
    log = run.folder / "tensorboard"
    if config.training.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(log, histogram_freq=1))
    state = checkpoint.begin(model, first)
    try:
        with explained_log(log):
            while not checkpoint.finished:
                # The rest of an epoch needs a `fit` of its own, because Keras fixes the number of
                # steps when it begins.
                train.first_step = state.step
                model.fit(
                    train,
                    validation_data=val,
                    initial_epoch=state.epoch,
                    epochs=state.epoch + 1 if state.step else config.training.epochs,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,
                )
    finally:
        screen.stop()
    return state


class _Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the state, keeps the best epoch, stops early, and writes the history."""

    def __init__(
        self, train: Batches, config: Config, run: Run, hooks: Hooks, screen: Screen
    ) -> None:
        super().__init__()
        self.train = train
        self.config = config
        self.run = run
        self.hooks = hooks
        self.screen = screen
        self.chooses = True  # whether validation images choose the best epoch
        self.state = State()
        self._averages = Averages(train, enabled=config.training.average_weights)
        self._answers = Collector()
        self._metrics: list[np.ndarray[Any, Any]] = []
        self._epoch_began = time.monotonic()
        self._saved = self._epoch_began
        self._save_cost = 0.0

    @property
    def finished(self) -> bool:
        """Whether no epoch is left, or the best one is more than `patience` epochs ago.

        A training that ran out of time is finished, too.
        """
        if recorded_end(self.run) is not None:
            return True
        settings = self.config.training
        without_progress = self.state.epoch - self.state.best_epoch
        return self.state.epoch >= settings.epochs or 0 < settings.patience <= without_progress

    def begin(self, model: keras.Model, first: State | None) -> State:
        """Return the state from which the model goes on, and tell of the epochs before it."""
        before = len(rows_so_far(self.run))
        if self.run.has_state:
            self.restore(model)
        elif first is not None:
            self.state = first
        state = self.state
        again = before - state.epoch - (state.step > 0)
        if again > 0:
            self.screen.note(epochs_again(again, state.epoch))
        self.run.write_history(state.history)
        self.hooks.observer.begin(model, state)
        steps = self.train.steps
        self.screen.start(
            state.epoch * steps + state.step,
            self.config.training.epochs * steps,
            chooses=self.chooses,
        )
        for row in state.history:
            best = state.was_best(row["epoch"])
            self.screen.epoch(row, best=best and self.chooses)
            self.hooks.on_epoch(row, best)
        return state

    def save(self) -> None:
        """Replace the saved state by the present one."""
        began = time.monotonic()
        self._require_finite_weights()
        self.state.seconds = began - self._epoch_began
        save_state(self.run.state_path, self.model, self.state)
        self._saved = time.monotonic()
        self._save_cost = self._saved - began

    def restore(self, model: keras.Model) -> None:
        """Set the model to the saved state, except for the metrics.

        Keras resets the metrics when an epoch begins, so they follow in `on_epoch_begin`.
        """
        model.optimizer.build(model.trainable_variables)
        self.state, (weights, of_optimizer, metrics) = load_state(self.run.state_path)
        if len(model.metrics_variables) < len(metrics):
            # The variables of the metrics are created by the first step.
            step_seconds(model, self.train, 0.0)
        assign_saved(self.run.state_path, model.variables, weights)
        assign_saved(self.run.state_path, model.optimizer.variables, of_optimizer)
        if self.state.step:
            self._metrics = metrics

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:
        self.train.epoch = epoch
        self._epoch_began = time.monotonic() - self.state.seconds
        if self._metrics:
            assign_saved(self.run.state_path, self.model.metrics_variables, self._metrics)
            self._metrics = []

    def on_train_batch_end(self, batch: int, logs: Row | None = None) -> None:
        state = self.state
        state.step = self.train.first_step + batch + 1
        loss = float((logs or {})["loss"])
        self._require_finite(loss)
        self.screen.step(
            state.epoch,
            self.config.training.epochs,
            state.epoch * self.train.steps + state.step,
            loss,
        )
        self.hooks.observer.step(self.model, state, logs or {})
        if state.step == self.train.steps:
            return  # The end of the epoch follows, which saves too.
        if self.hooks.stop_requested():
            self.save()
            raise Interrupted(
                _("stopped in epoch {epoch} after step {step} of {steps}").format(
                    epoch=state.epoch + 1, step=state.step, steps=self.train.steps
                )
            )
        if self._save_is_due():
            self.save()

    def on_test_begin(self, logs: Row | None = None) -> None:
        self._averages.put_in(self.model)
        self._answers.begin()

    def on_test_batch_end(self, batch: int, logs: Row | None = None) -> None:
        self._answers.add(logs)

    def on_test_end(self, logs: Row | None = None) -> None:
        (logs or {}).pop(NAME, None)

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        state = self.state
        (logs or {}).pop(f"val_{NAME}", None)
        backend.sync(self.model)
        self._averages.put_in(self.model)  # Without validation images no test has begun.
        row = self._row(epoch, logs or {})
        score = [float(epoch)]
        if row["val_loss"] is not None:
            score = [row["val_accuracy"], -row["val_loss"]]
            self._require_finite(row["val_loss"])
        # The last step may have broken the weights after its loss was computed.
        self._require_finite_weights()
        state.history.append(row)
        state.epoch = epoch + 1
        state.step = 0
        state.seconds = 0.0
        best = score > state.best_score
        if best:
            state.note_best(score)
            self.hooks.on_best(self.model, state)
        self._averages.take_out(self.model)
        self.hooks.observer.epoch(self.model, state, row, last=self.finished)
        # Before the history, so that whoever reads its row finds the answers of the epoch, too.
        answers = self._answers.probabilities(self.train.num_classes)
        if answers is not None:
            self.hooks.on_answers(state.epoch, answers)
        self.run.write_history(state.history)
        self.screen.epoch(row, best=best and self.chooses)
        self.hooks.on_epoch(row, best)
        self.model.stop_training = self.finished
        self._epoch_began = time.monotonic()
        if self.hooks.stop_requested() and not self.finished:
            self.save()
            raise Interrupted(_("stopped after epoch {epoch}").format(epoch=state.epoch))
        if self._save_is_due():
            self.save()

    def _save_is_due(self) -> bool:
        pause = max(SAVE_SECONDS, self._save_cost / SAVE_SHARE)
        return self.hooks.saves and time.monotonic() - self._saved > pause

    def _row(self, epoch: int, logs: Row) -> Row:
        """Return the row of a finished epoch, as history.csv has it."""
        scores = ("loss", "accuracy", "val_loss", "val_accuracy")
        return {
            "epoch": epoch + 1,
            "seconds": round(time.monotonic() - self._epoch_began, 3),
            **{name: float(logs[name]) if name in logs else None for name in scores},
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
        }

    def _require_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise self._diverged(LOSS, loss=loss)

    def _require_finite_weights(self) -> None:
        if not has_finite_weights(self.model):
            raise self._diverged(WEIGHTS)

    def _diverged(self, what: str, **facts: float) -> TrainingError:
        """Return the error that ends the training, before anything good is overwritten."""
        state = self.state
        step = max(state.step - 1 - self.train.first_step, 0)
        said = _(what).format(epoch=state.epoch + 1, step=state.step, **facts)
        return diverged(said, state, self.config.training, self.train[step][0])
