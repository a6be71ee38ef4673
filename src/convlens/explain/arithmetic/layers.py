"""Layers: dense, softmax, dropout, batch normalisation, concatenation, addition and flatten.

Whole numbers and Fractions stay exact, except in the softmax and the batch normalisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import ConfigError
from convlens.explain.arithmetic.calculations import Normalization, Softmax
from convlens.explain.arithmetic.exact import Numbers, as_numbers, spread_bias, write_shape
from convlens.explain.arithmetic.functions import activate
from convlens.language import N_, _, listed


def softmax(logits: ArrayLike) -> Softmax:
    """Compute the softmax of n numbers.

    Args:
        logits: The numbers, shaped (n,).

    Raises:
        ConfigError: If they are not one row of numbers.
    """
    (z,) = as_numbers(logits)
    if z.ndim != 1 or not z.size:
        raise ConfigError(
            _("logits must be one row of numbers; found {shape}.").format(
                shape=write_shape(z.shape)
            )
        )
    return Softmax(z.astype(np.float64))


@dataclass(frozen=True)
class Dense:
    """A dense layer with every number that went into it.

    Attributes:
        inputs: The inputs, shaped (n,).
        weights: The weights, shaped (n, units).
        bias: The biases, shaped (units,).
        products: Each input times each of its weights, shaped (n, units).
        sums: The sum of the products and the bias of each unit, shaped (units,).
        output: The sums after the activation, shaped (units,).
    """

    inputs: Numbers
    weights: Numbers
    bias: Numbers
    products: Numbers
    sums: Numbers
    output: Numbers


def dense(
    inputs: ArrayLike, weights: ArrayLike, bias: ArrayLike = 0, *, activation: str | None = None
) -> Dense:
    """Compute a dense layer.

    Args:
        inputs: The inputs, shaped (n,).
        weights: The weights, shaped (n, units) as the kernel of Keras' Dense.
        bias: The biases, shaped (units,), or one number for all units.
        activation: One of ACTIVATIONS, "softmax", or None for no activation.

    Raises:
        ConfigError: If the shapes do not fit.
    """
    inputs, weights, bias = as_numbers(inputs, weights, bias)
    if inputs.ndim != 1 or weights.ndim != 2 or len(weights) != len(inputs):
        raise ConfigError(
            _("weights must be ({inputs}, units), one row for each input; found {shape}.").format(
                inputs=inputs.size, shape=write_shape(weights.shape)
            )
        )
    rule = N_("the bias must have one number for each unit, {count}; found {found}.")
    bias = spread_bias(bias, weights.shape[1], rule)
    products = inputs[:, None] * weights
    sums = products.sum(axis=0) + bias
    if activation is None:
        output = sums
    elif activation == "softmax":
        output = softmax(sums).output
    else:
        output = activate(sums, activation).output
    return Dense(inputs, weights, bias, products, sums, output)


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout as in training; a network that predicts leaves every number as it is.

    Attributes:
        inputs: The numbers, of any shape.
        mask: 1 where a number is kept and 0 where it is dropped, in the same shape.
        rate: The share of numbers to drop.
        scale: 1 / (1 - rate), which preserves the expected sum.
        output: inputs x mask x scale.
    """

    inputs: Numbers
    mask: NDArray[np.int64]
    rate: object
    scale: object
    output: Numbers


def dropout(
    values: ArrayLike,
    rate: float | Fraction,
    *,
    mask: ArrayLike | None = None,
    seed: int | None = None,
) -> Dropout:
    """Drop a share of the numbers and scale the others up.

    Args:
        values: The numbers, of any shape.
        rate: The probability that a number is dropped, 0 <= rate < 1. The output stays exact if it
            is a Fraction.
        mask: 1 for the numbers to keep and 0 for those to drop, in the same shape; drawn at random
            if not given.
        seed: The seed of that draw.

    Raises:
        ConfigError: If the rate is out of range, or if the mask has another shape or holds anything
            but 0 and 1.
    """
    if not 0 <= rate < 1:
        raise ConfigError(
            _("the dropout rate must be at least 0 and below 1; found {rate}.").format(rate=rate)
        )
    (inputs,) = as_numbers(values)
    if mask is None:
        mask = np.random.default_rng(seed).random(inputs.shape) >= float(rate)
    given = np.asarray(mask)
    if given.shape != inputs.shape or not np.isin(given, (0, 1)).all():
        raise ConfigError(
            _("the mask must be 0s and 1s of the shape {shape}; found {found}.").format(
                shape=write_shape(inputs.shape), found=write_shape(given.shape)
            )
        )
    kept = given.astype(np.int64)
    scale = 1 / (1 - rate)
    return Dropout(inputs, kept, rate, scale, inputs * kept * scale)


def concatenate(images: Sequence[ArrayLike]) -> Numbers:
    """Return maps of one size with all their channels, shaped (height, width, sum of channels).

    Args:
        images: The maps, shaped (height, width, channels); their channels may differ in number.

    Raises:
        ConfigError: If the maps differ in height or width.
    """
    arrays = as_numbers(*images)
    if len({array.shape[:-1] for array in arrays}) != 1:
        raise ConfigError(
            _("maps to concatenate must have one height and width; found {shapes}.").format(
                shapes=_shapes(arrays)
            )
        )
    return np.concatenate(arrays, axis=-1)


def add(images: Sequence[ArrayLike]) -> Numbers:
    """Return the sum of maps of one shape, number by number.

    Args:
        images: The maps, all of the same shape.

    Raises:
        ConfigError: If the maps differ in shape.
    """
    arrays = as_numbers(*images)
    if len({array.shape for array in arrays}) != 1:
        raise ConfigError(
            _("maps to add must have one shape; found {shapes}.").format(shapes=_shapes(arrays))
        )
    return np.asarray(sum(arrays[1:], start=arrays[0]))


def flatten(image: ArrayLike) -> Numbers:
    """Return all numbers in one row, in Keras' order: by rows, then columns, then channels.

    Args:
        image: The map, shaped (height, width, channels).

    Returns:
        The numbers, shaped (height x width x channels,).
    """
    return as_numbers(image)[0].reshape(-1)


def _shapes(arrays: Sequence[Numbers]) -> str:
    return listed(" x ".join(map(str, array.shape)) for array in arrays) or _("none")


@dataclass(frozen=True, kw_only=True)
class BatchNormalization(Normalization):
    """A batch normalisation, which normalises each channel (the last axis) by itself.

    The inputs are shaped (..., channels). Mean and variance, shaped (channels,), are those of the
    batch in training and the moving ones in inference.

    Attributes:
        moving_mean: The mean that is kept for inference, shaped (channels,); in training it has
            moved towards this batch.
        moving_variance: The variance that is kept for inference, of the same shape.
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
        ConfigError: If numbers are given for another number of channels than the batch has, if a
            variance is negative, if epsilon is not above 0, or if momentum is not within 0 and 1.
    """
    inputs, *given = (
        as_numbers(one)[0].astype(np.float64) for one in (batch, *scale_shift, *moving)
    )
    channels = inputs.shape[-1:]
    if any(one.shape not in ((), channels) for one in given) or not channels:
        raise ConfigError(
            _("gamma, beta, mean and variance must be one number or {count}.").format(
                count=channels[0] if channels else 1
            )
        )
    gamma, beta, moving_mean, moving_variance = (np.broadcast_to(one, channels) for one in given)
    if not 0 <= momentum <= 1:
        raise ConfigError(
            _("momentum must be within 0 and 1; found {momentum}.").format(momentum=momentum)
        )
    if (moving_variance < 0).any() or epsilon <= 0:
        raise ConfigError(_("variances must be at least 0, and epsilon must be above 0."))
    mean = moving_mean
    variance = moving_variance
    if training:
        axes = tuple(range(inputs.ndim - 1))
        mean = inputs.mean(axis=axes)
        variance = inputs.var(axis=axes)
        moving_mean = momentum * moving_mean + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * variance
    return BatchNormalization(
        inputs,
        mean,
        variance,
        epsilon,
        gamma,
        beta,
        moving_mean=moving_mean,
        moving_variance=moving_variance,
    )
