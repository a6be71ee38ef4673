"""The learning-rate range test: raise the rate step by step, watch the loss (Smith 2015, arXiv:1506.01186)."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens import backend
from convlens.config import TrainingConfig
from convlens.data.batches import Batches
from convlens.errors import TrainingError
from convlens.training.optimizers import make_optimizer

STEPS = 100
LOWEST, HIGHEST = 1e-3, 1e3  # as factors of the optimizer's usual rate
SMOOTHING = 0.9
DIVERGED = 4.0  # the test ends where the smoothed loss is so many times the best


@dataclass(frozen=True)
class RangeTest:
    """What the test saw.

    Attributes:
        rates: (steps,) learning rates, rising.
        losses: (steps,) smoothed training losses.
        suggestion: the rate to train with.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float


def suggest(rates: tuple[float, ...], losses: tuple[float, ...]) -> float:
    """Return a tenth of the rate where the loss is least, rounded to two digits; it falls there, and safely.

    >>> suggest((0.001, 0.01, 0.1, 1.0), (2.3, 1.5, 1.2, 9.0))
    0.01
    """
    return float(f"{rates[int(np.argmin(losses))] / 10:.1e}")


def find_learning_rate(
    model: keras.Model, batches: Batches, config: TrainingConfig, usual: float
) -> RangeTest:
    """Run the test on a compiled model; its weights are as before, its optimizer is not: compile it again.

    Args:
        model: compiled.
        batches: training batches, repeated where an epoch has fewer steps than the test.
        config: names the optimizer.
        usual: the optimizer's usual rate, the middle of the range.

    Raises:
        TrainingError: the loss was never finite.
    """
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.variables]
    growth = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    schedule = keras.optimizers.schedules.ExponentialDecay(usual * LOWEST, 1, growth)
    model.compile(
        optimizer=make_optimizer(config, schedule),
        loss=model.loss,
        jit_compile=backend.jit_compile(),
    )
    watch = _Watch()
    for epoch in range(math.ceil(STEPS / batches.steps)):
        batches.epoch = epoch
        if not watch.done:
            model.fit(batches, epochs=1, callbacks=[watch], shuffle=False, verbose=0)
    backend.sync(model)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    if not watch.losses:
        raise TrainingError(
            "the learning-rate test needs a finite loss; it was not, even at the smallest rate."
        )
    rates = tuple(usual * LOWEST * growth**step for step in range(len(watch.losses)))
    return RangeTest(rates, tuple(watch.losses), suggest(rates, tuple(watch.losses)))


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Smooths the loss of each step and ends the test where it diverges."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.done = False
        self._mean = self._sum = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        running = float((logs or {})["loss"])  # Keras reports the mean since the epoch began
        loss = running * (batch + 1) - self._sum
        self._sum = running * (batch + 1)
        if not math.isfinite(loss):
            self.done = True
        else:
            self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
            self.losses.append(self._mean / (1 - SMOOTHING ** (len(self.losses) + 1)))
            self.done = len(self.losses) >= STEPS or self.losses[-1] > DIVERGED * min(self.losses)
        self.model.stop_training = self.done

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._sum = 0.0
