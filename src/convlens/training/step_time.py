"""Step time: how long a training step takes, measured on the model without changing it."""

import math
import time
from typing import Any

import keras
import numpy as np

from convlens import backend
from convlens.data.batches import Batches


def step_seconds(
    model: keras.Model, train: Batches, budget: float = 1.5, most: int | None = None
) -> float:
    """Return the median seconds of a training step, measured.

    Afterwards the model has the weights that it had before, but its engine has compiled it.

    Args:
        model: The compiled model.
        train: The batches to measure with.
        budget: The seconds to spend after the first step, which compiles.
        most: The largest number of steps after the first one, or None for no limit.
    """
    clock = _Clock(budget, most)
    model.optimizer.build(model.trainable_variables)
    with backend.unchanged(model):
        train.epoch = 0
        # An epoch of one step would be measured while the engine compiles.
        epochs = 1 if train.num_batches > 1 else 2
        model.fit(train, epochs=epochs, callbacks=[clock], shuffle=False, verbose=0)
    return float(np.median(clock.seconds[1:] or clock.seconds))


class _Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the seconds of each step, and ends the epoch when the budget or the steps are spent."""

    def __init__(self, budget: float, most: int | None) -> None:
        super().__init__()
        self.budget = budget
        self.most = math.inf if most is None else most
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.seconds.append(time.monotonic() - self._began)
        measured = self.seconds[1:]
        self.model.stop_training = sum(measured) > self.budget or len(measured) >= self.most
