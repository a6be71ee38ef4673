"""Rate finder: the learning-rate range test, which raises the rate and watches the loss.

Source      Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, arXiv:1506.01186
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from convlens import backend
from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.data.batches import Batches
from convlens.errors import TrainingError
from convlens.language import _
from convlens.training.optimization import make_optimizer

STEPS = 100
LOWEST = 1e-3  # times the optimizer's usual rate, at the first step
HIGHEST = 1e3  # times the optimizer's usual rate, at the last step
SMOOTHING = 0.9
DIVERGED = 4.0  # times the best smoothed loss, at which the test ends


def suggest_rate(rates: Sequence[float], losses: Sequence[float]) -> float:
    """Return a tenth of the rate with the lowest loss, rounded to two digits.

    At that rate the loss still falls, and the training does not diverge.

    >>> suggest_rate((0.001, 0.01, 0.1, 1.0), (2.3, 1.5, 1.2, 9.0))
    0.01
    """
    return float(f"{rates[int(np.argmin(losses))] / 10:.1e}")


def find_learning_rate(
    model: keras.Model, batches: Batches, config: TrainingConfig
) -> tuple[list[float], list[float]]:
    """Run the range test on a compiled model.

    The weights of the model stay as they were. Its optimizer does not, so compile it again. Where a
    batch is computed in parts, the weights change after the last of them, as in the training.

    Args:
        model: The compiled model.
        batches: The training batches, repeated where an epoch has fewer steps than the test.
        config: The settings of the training. The usual rate of their optimizer is the middle of
            the range.

    Returns:
        The learning rates of the steps, in rising order, and the smoothed training losses.

    Raises:
        TrainingError: If the loss was never finite.
    """
    growth = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    lowest = LOWEST * LEARNING_RATES[config.optimizer]
    parts = batches.parts
    schedule = keras.optimizers.schedules.ExponentialDecay(lowest, parts, growth, staircase=True)
    optimizer = make_optimizer(config, schedule, model=model)
    if parts > 1:
        optimizer.gradient_accumulation_steps = parts
    watch = _Watch(parts)
    with backend.unchanged(model):
        model.compile(optimizer=optimizer, loss=model.loss, jit_compile=backend.jit_compile())
        for epoch in range(math.ceil(STEPS * parts / batches.steps)):
            batches.epoch = epoch
            if not watch.done:
                model.fit(batches, epochs=1, callbacks=[watch], shuffle=False, verbose=0)
    if not watch.losses:
        raise TrainingError(
            _(
                "the learning-rate test needs a finite loss; it was not finite even at the "
                "smallest rate."
            )
        )
    return [lowest * growth**step for step in range(len(watch.losses))], watch.losses


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Smooths the loss of each batch, and ends the test where it diverges.

    Args:
        parts: The number of parts in which each batch is computed.
    """

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts
        self.losses: list[float] = []
        self.done = False
        self._mean = 0.0
        self._sum = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self.parts:
            return
        done = (batch + 1) // self.parts
        running = float((logs or {})["loss"])  # Keras reports the mean since the epoch began.
        loss = running * done - self._sum
        self._sum = running * done
        if not math.isfinite(loss):
            self.done = True
        else:
            self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
            self.losses.append(self._mean / (1 - SMOOTHING ** (len(self.losses) + 1)))
            diverged = self.losses[-1] > DIVERGED * min(self.losses)
            self.done = diverged or len(self.losses) >= STEPS
        self.model.stop_training = self.done

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._sum = 0.0
