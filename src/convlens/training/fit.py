"""Fit: Keras' own training loop with what it lacks, a state from which a killed run goes on with the same bits.

The state is one array file of every variable of model, optimizer and metrics, with epoch, step, history and best in it.
Keras' `BackupAndRestore` writes the batch and never reads it, `EarlyStopping` forgets when `fit` starts anew, and
`.keras` files drop the state of dropout's random numbers; so these three are done here, by one callback.
"""

import json
import math
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from convlens import backend
from convlens.config import Config
from convlens.data.batches import Batches
from convlens.errors import Interrupted, RunError, StorageError, TrainingError
from convlens.run import Run
from convlens.screen import Screen

SAVE_SECONDS = 60.0  # a state is saved at the first step after so long
SAVE_SHARE = 0.05  # or later, where saving would take more of the time than this


@dataclass
class State:
    """Where a training stands; everything but the variables.

    Attributes:
        epoch: finished epochs.
        step: finished steps of the epoch under way.
        seconds: spent in the epoch under way.
        best_epoch: 1-based; 0 before the first epoch is finished.
        best_score: (val_accuracy, -val_loss) of it, or (epoch,) without validation.
        history: a row for each finished epoch.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: list[float] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


def fit(  # noqa: PLR0913 - the collaborators of a training
    model: keras.Model,
    train: Batches,
    val: Batches | None,
    config: Config,
    run: Run,
    *,
    on_best: Callable[[keras.Model, State], None],
    screen: Screen,
    stop_requested: Callable[[], bool] = lambda: False,
    first: State | None = None,
) -> State:
    """Train a compiled model, from the run's saved state if it has one.

    Args:
        model: compiled, made by `assemble`.
        train: batches to learn from.
        val: batches that choose the best epoch; None keeps the last.
        config: epochs, patience, tensorboard.
        run: where history and state are written.
        on_best: called after each epoch that is better than all before.
        screen: shows the progress.
        stop_requested: asked after each step; True saves the state and ends with Interrupted.
        first: where a new run begins: what its epochs must be better than.

    Raises:
        Interrupted: `stop_requested` said so; the state is saved.
        TrainingError: the loss is not finite; the best epoch is kept.
        StorageError: the state or the history cannot be written; the previous state is whole.
    """
    checkpoint = _Checkpoint(train, config, run, on_best, screen, stop_requested)
    checkpoint.state = first or State()
    epochs = config.training.epochs
    callbacks: list[keras.callbacks.Callback] = [checkpoint]
    if config.training.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(run.folder / "tensorboard", histogram_freq=1))
    if (run.folder / "state" / "state.npz").exists():
        checkpoint.restore(model)
    state = checkpoint.state
    run.write_history(state.history, append=False)
    screen.start(state.epoch * train.steps + state.step, epochs * train.steps)
    for row in state.history:
        screen.epoch(row, best=row["epoch"] == state.best_epoch)
    try:
        while not checkpoint.finished:
            train.first_step = (
                state.step
            )  # the rest of an epoch is a `fit` of its own: Keras fixes the length at the start
            model.fit(
                train,
                validation_data=val,
                initial_epoch=state.epoch,
                epochs=state.epoch + 1 if state.step else epochs,
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
        self,
        train: Batches,
        config: Config,
        run: Run,
        on_best: Callable[[keras.Model, State], None],
        screen: Screen,
        stop_requested: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.train, self.config, self.run = train, config, run
        self.on_best, self.screen, self.stop_requested = on_best, screen, stop_requested
        self.state = State()
        self._metrics: list[np.ndarray[Any, Any]] | None = None
        self._epoch_began = self._saved = time.monotonic()
        self._save_cost = 0.0

    @property
    def path(self) -> Path:
        return self.run.folder / "state" / "state.npz"

    @property
    def finished(self) -> bool:
        """Whether no epoch is left, or so many passed without a better one that patience ends."""
        settings, state = self.config.training, self.state
        return (
            state.epoch >= settings.epochs
            or 0 < settings.patience <= state.epoch - state.best_epoch
        )

    def save(self) -> None:
        """Replace the saved state by the present one, all or nothing."""
        began = time.monotonic()
        backend.sync(self.model)
        self.state.seconds = began - self._epoch_began
        groups = (
            self.model.variables,
            self.model.optimizer.variables,
            self.model.metrics_variables,
        )
        arrays = {
            f"{g}_{i:05d}": keras.ops.convert_to_numpy(v)
            for g, group in enumerate(groups)
            for i, v in enumerate(group)
        }
        partial = self.path.with_name(f".{os.getpid()}.state.npz")
        try:
            arrays["state"] = np.array(json.dumps(asdict(self.state)))
            with partial.open("wb") as file:
                np.savez(file, **arrays)
                os.fsync(
                    file.fileno()
                )  # else a power cut could leave the new name without its content
            partial.replace(self.path)
        except OSError as error:
            raise StorageError(
                f"{self.path}: the state cannot be written; {error.strerror or error}. The previous one is whole."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        self._saved = time.monotonic()
        self._save_cost = self._saved - began

    def restore(self, model: keras.Model) -> None:
        """Set the model to the saved state. Metrics follow in on_epoch_begin, after Keras has reset them."""
        model.optimizer.build(model.trainable_variables)
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                self.state = State(**json.loads(str(arrays["state"])))
                groups = [
                    [arrays[name] for name in sorted(arrays.files) if name.startswith(f"{g}_")]
                    for g in range(3)
                ]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(
                f"{self.path}: the saved state is damaged ({error}). Remove it to start this run anew."
            ) from error
        if len(model.metrics_variables) < len(groups[2]):
            step_seconds(
                model, self.train, 0.0
            )  # the metrics' variables are made by the first step
        for variables, values in (
            (model.variables, groups[0]),
            (model.optimizer.variables, groups[1]),
        ):
            if [tuple(v.shape) for v in variables] != [value.shape for value in values]:
                raise RunError(f"{self.path}: the saved state is of another network or optimizer.")
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self._metrics = groups[2] if self.state.step else None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.train.epoch = epoch
        self._epoch_began = time.monotonic() - self.state.seconds
        if self._metrics is not None:
            for variable, value in zip(self.model.metrics_variables, self._metrics, strict=True):
                variable.assign(value)
            self._metrics = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        state = self.state
        state.step = self.train.first_step + batch + 1
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise TrainingError(self._diverged(loss))
        self.screen.step(
            state.epoch,
            self.config.training.epochs,
            state.epoch * self.train.steps + state.step,
            loss,
        )
        if state.step == self.train.steps:
            return  # on_epoch_end follows
        since = time.monotonic() - self._saved
        if self.stop_requested():
            self.save()
            raise Interrupted(
                f"stopped in epoch {state.epoch + 1} after step {state.step} of {self.train.steps}"
            )
        if since > max(SAVE_SECONDS, self._save_cost / SAVE_SHARE):
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        state, logs = self.state, logs or {}
        backend.sync(self.model)
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row: dict[str, Any] = {
            "epoch": epoch + 1,
            "seconds": round(time.monotonic() - self._epoch_began, 3),
            **{
                name: float(logs[name]) if name in logs else None
                for name in ("loss", "accuracy", "val_loss", "val_accuracy")
            },
            "learning_rate": rate,
        }
        score = (
            [row["val_accuracy"], -row["val_loss"]]
            if row["val_loss"] is not None
            else [float(epoch)]
        )
        if not all(map(math.isfinite, score)):
            raise TrainingError(self._diverged(row["val_loss"]))
        state.history.append(row)
        state.epoch, state.step, state.seconds = epoch + 1, 0, 0.0
        better = score > state.best_score
        if better:
            state.best_epoch, state.best_score = epoch + 1, score
            self.on_best(self.model, state)
        self.run.write_history([row], append=True)
        self.screen.epoch(row, best=better)
        self.model.stop_training = self.finished
        self._epoch_began = time.monotonic()
        interrupted = self.stop_requested() and not self.finished
        if interrupted or self._epoch_began - self._saved > max(
            SAVE_SECONDS, self._save_cost / SAVE_SHARE
        ):
            self.save()
        if interrupted:
            raise Interrupted(f"stopped after epoch {state.epoch}")

    def _diverged(self, loss: float) -> str:
        kept = f"The best epoch, {self.state.best_epoch}, is kept."
        if not self.state.best_epoch:
            kept = "The head alone is kept." if self.state.best_score else "No epoch was finished."
        return (
            f"the loss must stay finite; it became {loss} in epoch {self.state.epoch + 1}, step {self.state.step}. "
            f"{kept} Take a smaller --learning-rate (--find-learning-rate looks for one)."
        )


def step_seconds(model: keras.Model, train: Batches, budget: float = 1.5) -> float:
    """Return the median seconds of a training step, measured; the model is as before, but compiled by its engine.

    Args:
        model: compiled.
        train: batches to measure with.
        budget: seconds to spend, after the first step, which compiles.
    """
    clock = _Clock(budget)
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.convert_to_numpy(v).copy() for v in variables]
    train.epoch = 0
    model.fit(train, epochs=1, callbacks=[clock], shuffle=False, verbose=0)
    backend.sync(model)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return float(np.median(clock.seconds[1:] or clock.seconds))


class _Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the seconds of each step and ends the epoch when the budget is spent."""

    def __init__(self, budget: float) -> None:
        super().__init__()
        self.budget = budget
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.seconds.append(time.monotonic() - self._began)
        self.model.stop_training = sum(self.seconds[1:]) > self.budget
