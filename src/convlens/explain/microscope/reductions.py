"""Reductions: values of pooling, sums, normalisation and softmax, which take in a whole window."""

import math
from typing import Any

import keras
import numpy as np
from scipy.special import expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.calculations import Normalization, Softmax
from convlens.explain.arithmetic.writing import WRITTEN, Step, write, write_terms
from convlens.explain.microscope.layer import (
    ONE_LOGIT,
    Floats,
    Layer,
    input_of,
    sides_of,
    to_floats,
)
from convlens.explain.microscope.opened_cell import Index, OpenedCell, Window, single, window_of
from convlens.explain.microscope.pointwise import open_number
from convlens.language import N_, _

# The names of what a window becomes, and what is said of it.
RULES = {
    "max": (N_("max"), N_("the largest of the window")),
    "min": (N_("min"), N_("the smallest of the window")),
    "sum": (N_("sum"), N_("the sum of the window")),
    "mean": (N_("mean"), N_("the mean of the window")),
}


def open_pooling(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of max or average pooling, in which the border does not count.

    Keras 3.15 on PyTorch averages in another way where the border is uneven (mended in
    keras#23233); the opened value shows it.
    """
    down, across = sides_of(layer)
    spans = (down.span_inside(index[0]), across.span_inside(index[1]), *single(index[2:]))
    kind = "max" if isinstance(layer.operation, keras.layers.MaxPooling2D) else "mean"
    return _open_reduction(kind, window_of(layer, spans))


def open_reduced(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a global pooling, or of sum, mean, max or min of `keras.ops`."""
    operation = layer.operation
    shape = layer.inputs[0].values.shape
    reduced = (1, 2) if isinstance(operation, keras.Layer) else operation.axis
    axes = range(len(shape)) if reduced is None else np.atleast_1d(reduced) % len(shape)
    places = iter(index)
    spans = []
    for axis, length in enumerate(shape[1:], 1):
        # A reduced axis has a place in the index only where it is kept with the length 1.
        place = next(places) if axis not in axes or operation.keepdims else 0
        spans.append((0, length) if axis in axes else (place, place + 1))
    name = layer.kind.lower().replace("average", "mean")
    return _open_reduction(next(kind for kind in RULES if kind in name), window_of(layer, spans))


def _open_reduction(kind: str, seen: Window) -> OpenedCell:
    """Open what a window becomes by one of RULES."""
    values = seen.values.reshape(-1)
    name, rule = map(_, RULES[kind])
    if kind in ("max", "min"):
        value = float(values.max() if kind == "max" else values.min())
        text = _("of {count:,} values").format(count=values.size)
        if values.size <= WRITTEN:
            text = _("of {values}").format(values=", ".join(map(write, values)))
        return OpenedCell(rule, [Step(name, text, value)], abs(value), [seen])
    total = math.fsum(values)
    scale = float(np.abs(values).sum())
    steps = [Step(_("sum"), write_terms(values), total)]
    if kind == "mean":
        steps.append(Step(name, f"{write(total)} / {values.size:,}", total / values.size))
        scale /= values.size
    return OpenedCell(rule, steps, scale, [seen])


def open_batch_normalization(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that normalises with the mean and variance kept from training."""
    done = kept_normalization(layer, index)
    return _opened(
        _("gamma × (z - mean) / deviation + beta, with the kept mean and variance of the channel"),
        done,
        Step(_("mean kept from training"), _("as trained"), done.mean),
        size=abs(done.mean),
        seen=window_of(layer, single(index)),
    )


def open_layer_normalization(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that normalises with the mean and variance of the image itself."""
    operation = layer.operation
    values = input_of(layer)
    axes = [axis - 1 if axis > 0 else axis % values.ndim for axis in np.atleast_1d(operation.axis)]
    spans = [
        (0, length) if axis in axes else (place, place + 1)
        for axis, (place, length) in enumerate(zip(index, values.shape, strict=True))
    ]
    seen = window_of(layer, spans)
    own = tuple(index[axis] for axis in axes)
    done = Normalization(
        values[index],
        seen.values.mean(),
        seen.values.var(),
        operation.epsilon,
        gamma=1.0 if operation.gamma is None else to_floats(operation.gamma)[own],
        beta=0.0 if operation.beta is None else to_floats(operation.beta)[own],
    )
    return _opened(
        _(
            "gamma × (z - mean) / deviation + beta, with mean and variance of the numbers at this "
            "place"
        ),
        done,
        Step(_("mean"), _("of these {count:,} numbers").format(count=seen.values.size), done.mean),
        size=float(np.abs(seen.values).mean()),
        seen=seen,
    )


def _opened(rule: str, done: Normalization, mean: Step, size: float, seen: Window) -> OpenedCell:
    """Return an opened value; `size` is the mean absolute value of what the mean is taken of."""
    scale = abs(done.gamma / done.deviation) * (abs(done.inputs) + size) + abs(done.beta)
    return OpenedCell(rule, done.steps(mean), float(scale), [seen])


def kept_normalization(layer: Layer, index: Index) -> Normalization:
    """Return the calculation of one value with the mean and variance kept from training."""
    operation = layer.operation
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
    return (
        mean,
        to_floats(operation.moving_variance),
        to_floats(operation.gamma) if operation.scale else np.ones_like(mean),
        to_floats(operation.beta) if operation.center else np.zeros_like(mean),
    )


def open_softmax(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a softmax over the last axis.

    Raises:
        ConfigError: If the softmax is over another axis.
    """
    if getattr(layer.operation, "axis", -1) not in (-1, len(layer.shape)):
        raise ConfigError(
            _("{layer}: only a softmax over the last axis can be opened.").format(layer=layer.name)
        )
    logits = input_of(layer)[index[:-1]]
    steps = Softmax(logits).steps(index[-1])
    # The share changes in this proportion where float32 rounds z.
    scale = float(steps[-1].value) * (1 + float(np.ptp(logits)))
    rule = _("e^z as a share of the sum of all e^z")
    if layer.class_names and len(logits) == 2 and logits[0] == 0:
        rule = _(
            "e^z as a share of the sum of all e^z: {one_logit}, here sigmoid({z}) ≈ {share}"
        ).format(
            one_logit=_(ONE_LOGIT),
            z=write(logits[1]),
            share=write(expit(logits[1])),
        )
    spans = (*single(index[:-1]), (0, len(logits)))
    return OpenedCell(rule, steps, scale, [window_of(layer, spans, logits)])


def open_activation(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of an activation that is a layer of its own."""
    if layer.operation.activation is keras.activations.softmax:
        return open_softmax(layer, index)
    return open_number(layer, index)
