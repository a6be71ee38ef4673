"""Normalization: what mean and variance make of numbers, and batch normalisation.

Layer normalisation computes the same with the mean and variance of other numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Rounding, as_numbers, exactly
from convlens.explain.arithmetic.writing import Step, write, write_difference, write_sum


@dataclass(frozen=True)
class Normalization:
    """Numbers that are brought to mean 0 and deviation 1, then scaled and shifted.

    All attributes are numbers, or arrays that NumPy can broadcast.

    Attributes:
        inputs: The numbers z.
        mean: The mean that is subtracted.
        variance: The variance; it is divided by n, not by n - 1.
        epsilon: What is added to the variance, so that nothing is divided by 0.
        gamma: The scale.
        beta: The shift.
        rounded: The rounding of every result.
    """

    inputs: Any
    mean: Any
    variance: Any
    epsilon: float = 0.0
    gamma: Any = 1.0
    beta: Any = 0.0
    rounded: Rounding = exactly

    @property
    def centred(self) -> Any:
        """Inputs minus mean."""
        return self.rounded(self.inputs - self.mean)

    @property
    def deviation(self) -> Any:
        """The square root of variance + epsilon."""
        return self.rounded(np.sqrt(self.variance + self.epsilon))

    @property
    def normalized(self) -> Any:
        """Centred inputs divided by the deviation."""
        return self.rounded(self.centred / self.deviation)

    @property
    def output(self) -> Any:
        """Gamma x normalized + beta."""
        return self.rounded(self.gamma * self.normalized + self.beta)

    def steps(self, mean: Step) -> list[Step]:
        """Return the steps of the normalisation of one number.

        Args:
            mean: The first step, which says where the mean comes from.
        """
        root = f"√{write(self.variance)}"
        if self.epsilon:
            root = f"√({write(self.variance)} + {self.epsilon:g})"
        centred = write_difference(write(self.inputs), write(self.mean))
        normalized = f"{write(self.centred)} / {write(self.deviation)}"
        scaled = f"{write(self.gamma)} × {write(self.normalized)}"
        return [
            mean,
            Step("centred", centred, self.centred),
            Step("deviation", root, self.deviation),
            Step("normalised", normalized, self.normalized),
            Step("scaled, shifted", write_sum([scaled, write(self.beta)]), self.output),
        ]


@dataclass(frozen=True, kw_only=True)
class BatchNormalization(Normalization):
    """A batch normalisation, which normalises each channel (the last axis) by itself.

    The inputs are shaped (..., channels). Mean and variance, shaped (channels,), are those of the
    batch in training and the moving ones in inference.

    Attributes:
        moving_mean: The mean that is kept for inference, shaped (channels,); in training it has
            moved towards this batch.
        moving_variance: Likewise the variance.
    """

    moving_mean: Any
    moving_variance: Any


def batch_normalize(
    batch: ArrayLike,
    scale_shift: tuple[ArrayLike, ArrayLike] = (1, 0),
    moving: tuple[ArrayLike, ArrayLike] = (0, 1),
    *,
    training: bool = True,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> BatchNormalization:
    """Normalise each channel as Keras' BatchNormalization does; the defaults are the same.

    Args:
        batch: The numbers, shaped (..., channels), such as (examples, height, width, channels).
        scale_shift: Gamma and beta, each one number or one for each channel.
        moving: The moving mean and variance, likewise. Training moves them, inference uses them.
        training: Whether to use the mean and variance of the batch itself.
        momentum: The share of the moving mean and variance that a batch leaves unchanged.
        epsilon: What is added to the variance, so that nothing is divided by 0.

    Raises:
        ConfigError: If numbers are given for another count of channels than the batch has, if a
            variance is negative, if epsilon is not above 0, or if momentum is not within 0 and 1.
    """
    inputs, *given = (
        as_numbers(one)[0].astype(np.float64) for one in (batch, *scale_shift, *moving)
    )
    channels = inputs.shape[-1:]
    if any(one.shape not in ((), channels) for one in given) or not channels:
        raise ConfigError(
            "gamma, beta, mean and variance must be one number or {count}.".format(
                count=channels[0] if channels else 1
            )
        )
    gamma, beta, moving_mean, moving_variance = (np.broadcast_to(one, channels) for one in given)
    if not 0 <= momentum <= 1:
        raise ConfigError(
            "momentum must be within 0 and 1; found {momentum:g}.".format(momentum=momentum)
        )
    if (moving_variance < 0).any() or epsilon <= 0:
        raise ConfigError("variances must be at least 0, and epsilon must be above 0.")
    mean = moving_mean
    variance = moving_variance
    if training:
        axes = tuple(range(inputs.ndim - 1))
        mean = inputs.mean(axis=axes)
        variance = inputs.var(axis=axes)
        moving_mean = momentum * moving_mean + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * variance
    return BatchNormalization(
        inputs, mean, variance, epsilon, gamma, beta,
        moving_mean=moving_mean, moving_variance=moving_variance,
    )  # fmt: skip
