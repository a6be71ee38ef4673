"""Memory watch: writes the memory of a training beside its state, in case the system ends it."""

import time
from typing import Any

import keras

from convlens.memory import take_sample
from convlens.run import Run

EVERY = 10.0  # seconds between two samples


class MemoryWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Takes a sample when a training begins, and then every few seconds.

    Args:
        run: The run of the training.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self._epoch = 0
        self._next = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take a sample where one is due."""
        now = time.monotonic()
        if now >= self._next:
            take_sample(self.run.folder, self._epoch + 1)
            self._next = now + EVERY
