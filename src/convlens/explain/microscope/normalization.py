"""Normalization: batch normalisation, layer normalisation, and Keras' Normalization layer."""

import math

import keras
import numpy as np

from convlens.explain.arithmetic.exact import write
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.value import (
    Floats,
    Index,
    OpenedCell,
    Step,
    floats,
    whole,
    window,
)


def open_batch_normalization(layer: Layer, index: Index) -> OpenedCell:
    """With the kept statistics, as always when a network predicts; `Normalization` has no gamma and beta."""
    operation, value = layer.call.operation, float(whole(layer)[index])
    if isinstance(operation, keras.layers.Normalization):
        mean, variance = (
            float(np.broadcast_to(keras.ops.convert_to_numpy(one), (1, *layer.shape))[(0, *index)])
            for one in (operation.mean, operation.variance)
        )
        gamma, beta, deviation = 1.0, 0.0, max(math.sqrt(variance), keras.config.epsilon())
        root = f"√{write(variance)}"
    else:
        mean, variance, gamma, beta = batch_numbers(layer, index)
        deviation = math.sqrt(variance + operation.epsilon)
        root = f"√({write(variance)} + {operation.epsilon:g})"
    steps = _normalized(
        value, ("mean kept from training", "as trained", mean), (root, deviation), (gamma, beta)
    )
    scale = abs(gamma / deviation) * (abs(value) + abs(mean)) + abs(beta)
    spans = [(i, i + 1) for i in index]
    seen = window(layer, spans, floats(value).reshape((1,) * len(index)))
    rule = "gamma × (z - mean) / deviation + beta, with the kept mean and variance of the channel"
    return OpenedCell(layer.name, layer.kind, index, rule, (seen,), (), tuple(steps), scale)


def batch_numbers(layer: Layer, index: Index) -> tuple[float, float, float, float]:
    """Return the kept mean and variance, gamma and beta of a batch normalisation at a cell."""
    operation = layer.call.operation
    place = index[operation.axis - 1 if operation.axis > 0 else operation.axis]
    mean, variance, gamma, beta = (float(one[place]) for one in batch_arrays(operation))
    return mean, variance, gamma, beta


def batch_arrays(
    operation: keras.layers.BatchNormalization,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return (channels,) the kept mean and variance, gamma and beta of a batch normalisation."""
    mean, variance = (floats(keras.ops.convert_to_numpy(one)) for one in (operation.moving_mean,
                                                                       operation.moving_variance))  # fmt: skip
    gamma = (
        floats(keras.ops.convert_to_numpy(operation.gamma))
        if operation.scale
        else np.ones_like(mean)
    )
    beta = (
        floats(keras.ops.convert_to_numpy(operation.beta))
        if operation.center
        else np.zeros_like(mean)
    )
    return mean, variance, gamma, beta


def _normalized(
    value: float,
    mean: tuple[str, str, float],
    deviation: tuple[str, float],
    scale_shift: tuple[float, float],
) -> list[Step]:
    """Return the steps of a normalisation; `mean` is a Step, `deviation` its formula and number."""
    gamma, beta = scale_shift
    centred = value - mean[2]
    normalized = centred / deviation[1]
    return [
        Step(*mean),
        Step("centred", f"{write(value)} - {write(mean[2])}".replace("- -", "+ "), centred),
        Step("deviation", deviation[0], deviation[1]),
        Step("normalised", f"{write(centred)} / {write(deviation[1])}", normalized),
        Step("scaled, shifted", f"{write(gamma)} × {write(normalized)} + {write(beta)}".replace("+ -", "- "),
             gamma * normalized + beta),
    ]  # fmt: skip


def open_layer_normalization(layer: Layer, index: Index) -> OpenedCell:
    """With the mean and variance of what the image itself has there."""
    operation, values = layer.call.operation, whole(layer)
    axes = [axis - 1 if axis > 0 else axis % values.ndim for axis in np.atleast_1d(operation.axis)]
    spans = [
        (0, n) if axis in axes else (i, i + 1)
        for axis, (i, n) in enumerate(zip(index, values.shape, strict=True))
    ]
    seen = values[tuple(slice(*span) for span in spans)]
    own = tuple(index[axis] for axis in axes)
    gamma, beta = (
        1.0 * empty if one is None else float(keras.ops.convert_to_numpy(one)[own])
        for one, empty in ((operation.gamma, 1), (operation.beta, 0))
    )
    mean, variance = float(seen.mean()), float(seen.var())
    root = f"√({write(variance)} + {operation.epsilon:g})"
    deviation = math.sqrt(variance + operation.epsilon)
    said = ("mean", f"of these {seen.size:,} numbers", mean)
    steps = _normalized(float(values[index]), said, (root, deviation), (gamma, beta))
    scale = abs(gamma / deviation) * (abs(float(values[index])) + float(np.abs(seen).mean())) + abs(
        beta
    )
    rule = (
        "gamma × (z - mean) / deviation + beta, with mean and variance of the numbers at this place"
    )
    return OpenedCell(
        layer.name, layer.kind, index, rule, (window(layer, spans, seen),), (), tuple(steps), scale
    )
