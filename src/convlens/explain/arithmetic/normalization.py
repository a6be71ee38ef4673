"""Batch normalisation: mean, variance and what they make of each number, in training and in inference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import as_numbers


@dataclass(frozen=True)
class BatchNormalization:
    """A batch normalisation, each channel (the last axis) by itself.

    Attributes:
        inputs: (..., channels).
        mean: (channels,), of the batch in training, the kept one in inference.
        variance: (channels,), likewise; divided by n, not by n - 1.
        centred: inputs - mean.
        deviation: (channels,), the root of variance + epsilon.
        normalized: centred / deviation.
        output: gamma x normalized + beta.
        moving_mean: (channels,), kept for inference: after this batch in training.
        moving_variance: (channels,), likewise.
    """

    inputs: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    centred: NDArray[np.float64]
    deviation: NDArray[np.float64]
    normalized: NDArray[np.float64]
    output: NDArray[np.float64]
    moving_mean: NDArray[np.float64]
    moving_variance: NDArray[np.float64]


def batch_normalize(
    batch: ArrayLike,
    scale_shift: tuple[ArrayLike, ArrayLike] = (1, 0),
    moving: tuple[ArrayLike, ArrayLike] = (0, 1),
    *,
    training: bool = True,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> BatchNormalization:
    """Normalise each channel as Keras' BatchNormalization, whose defaults these are.

    Args:
        batch: (..., channels), as (examples, height, width, channels).
        scale_shift: (gamma, beta), one number or one a channel.
        moving: (mean, variance) kept so far; training moves them, inference uses them.
        training: whether the batch's own mean and variance are used.
        momentum: what of the kept statistics stays at a batch.
        epsilon: added to the variance, so that nothing is divided by 0.

    Raises:
        ConfigError: numbers given for other channels than the batch has, or a negative variance.
    """
    inputs = as_numbers(batch)[0].astype(np.float64)
    channels = inputs.shape[-1:]
    given = [as_numbers(one)[0].astype(np.float64) for one in (*scale_shift, *moving)]
    if any(one.shape not in ((), channels) for one in given) or not channels:
        raise ConfigError(
            f"gamma, beta, mean and variance must be one number or {channels[0] if channels else 1}."
        )
    gamma, beta, kept_mean, kept_variance = (np.broadcast_to(one, channels) for one in given)
    if not 0 <= momentum <= 1:
        raise ConfigError(f"momentum must be within 0 and 1; found {momentum:g}.")
    if (kept_variance < 0).any() or epsilon <= 0:
        raise ConfigError("variances must be at least 0 and epsilon above 0.")
    mean, variance = kept_mean, kept_variance
    if training:
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = inputs.mean(axis=axes), inputs.var(axis=axes)
        kept_mean = momentum * kept_mean + (1 - momentum) * mean
        kept_variance = momentum * kept_variance + (1 - momentum) * variance
    centred, deviation = inputs - mean, np.sqrt(variance + epsilon)
    normalized = centred / deviation
    output = gamma * normalized + beta
    return BatchNormalization(
        inputs, mean, variance, centred, deviation, normalized, output, kept_mean, kept_variance
    )
