"""Normalization: values of batch and layer normalisation and of the softmax."""

from typing import Any

import keras
import numpy as np
from scipy.special import expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.layers import Softmax
from convlens.explain.arithmetic.normalization import Normalization
from convlens.explain.arithmetic.writing import Step, write
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.pointwise import open_pointwise
from convlens.explain.microscope.value import (
    ONE_LOGIT,
    Floats,
    Index,
    OpenedCell,
    Window,
    input_of,
    single,
    to_floats,
    window_of,
)


def open_batch_normalization(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that normalises with the mean and variance kept from training."""
    done = kept_normalization(layer, index)
    mean = Step("mean kept from training", "as trained", done.mean)
    rule = "gamma × (z - mean) / deviation + beta, with the kept mean and variance of the channel"
    seen = window_of(layer, single(index))
    return _opened(rule, done, mean, abs(done.mean), seen)


def open_layer_normalization(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that normalises with the mean and variance of the image itself."""
    operation = layer.call.operation
    values = input_of(layer)
    axes = [axis - 1 if axis > 0 else axis % values.ndim for axis in np.atleast_1d(operation.axis)]
    spans = [
        (0, length) if axis in axes else (place, place + 1)
        for axis, (place, length) in enumerate(zip(index, values.shape, strict=True))
    ]
    seen = window_of(layer, spans)
    own = tuple(index[axis] for axis in axes)
    gamma = 1.0 if operation.gamma is None else to_floats(operation.gamma)[own]
    beta = 0.0 if operation.beta is None else to_floats(operation.beta)[own]
    done = Normalization(
        values[index], seen.values.mean(), seen.values.var(), operation.epsilon, gamma, beta
    )
    mean = Step("mean", "of these {count:,} numbers".format(count=seen.values.size), done.mean)
    rule = (
        "gamma × (z - mean) / deviation + beta, with mean and variance of the numbers at this place"
    )
    return _opened(rule, done, mean, float(np.abs(seen.values).mean()), seen)


def _opened(rule: str, done: Normalization, mean: Step, size: float, seen: Window) -> OpenedCell:
    """Return an opened value; `size` is the mean absolute value of what the mean is taken of."""
    scale = abs(done.gamma / done.deviation) * (abs(done.inputs) + size) + abs(done.beta)
    return OpenedCell(rule, done.steps(mean), float(scale), [seen])


def kept_normalization(layer: Layer, index: Index) -> Normalization:
    """Return the calculation of one value with the mean and variance kept from training."""
    operation = layer.call.operation
    value = input_of(layer)[index]
    if isinstance(operation, keras.layers.Normalization):
        mean, variance = (
            float(np.broadcast_to(to_floats(one), (1, *layer.shape))[(0, *index)])
            for one in (operation.mean, operation.variance)
        )
        # Keras keeps the deviation above epsilon, rather than adding epsilon to the variance.
        return Normalization(value, mean, max(variance, keras.config.epsilon() ** 2))
    axis = operation.axis
    return batch_normalization(operation, value, index[axis - 1 if axis > 0 else axis])


def batch_normalization(
    operation: keras.layers.BatchNormalization, values: Any, channel: int
) -> Normalization:
    """Return the calculation of a batch normalisation for values of one channel."""
    mean, variance, gamma, beta = (float(one[channel]) for one in batch_arrays(operation))
    return Normalization(values, mean, variance, float(operation.epsilon), gamma, beta)


def batch_arrays(
    operation: keras.layers.BatchNormalization,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the kept mean and variance, gamma and beta, each shaped (channels,)."""
    mean = to_floats(operation.moving_mean)
    variance = to_floats(operation.moving_variance)
    gamma = to_floats(operation.gamma) if operation.scale else np.ones_like(mean)
    beta = to_floats(operation.beta) if operation.center else np.zeros_like(mean)
    return mean, variance, gamma, beta


def open_softmax(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a softmax over the last axis."""
    if getattr(layer.call.operation, "axis", -1) not in (-1, len(layer.shape)):
        raise ConfigError(
            "{layer}: only a softmax over the last axis can be opened.".format(layer=layer.name)
        )
    logits = input_of(layer)[index[:-1]]
    steps = Softmax(logits).steps(index[-1])
    # The share changes in this proportion where float32 rounds z.
    scale = float(steps[-1].value) * (1 + float(np.ptp(logits)))
    rule = "e^z as a share of the sum of all e^z"
    if layer.class_names and len(logits) == 2 and logits[0] == 0:
        rule = "{rule}: {one_logit}, here sigmoid({z}) ≈ {share}".format(
            rule=rule,
            one_logit=ONE_LOGIT,
            z=write(logits[1]),
            share=write(expit(logits[1])),
        )
    seen = window_of(layer, (*single(index[:-1]), (0, len(logits))), logits)
    return OpenedCell(rule, steps, scale, [seen])


def open_activation(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of an activation that is a layer of its own."""
    if layer.call.operation.activation is keras.activations.softmax:
        return open_softmax(layer, index)
    return open_pointwise(layer, index)
