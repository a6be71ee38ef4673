"""Pooling: a window of a map becomes its largest, smallest or mean value, or its sum."""

import math

import keras
import numpy as np

from convlens.explain.arithmetic.pooling import Pooling
from convlens.explain.arithmetic.writing import WRITTEN, Step, write, write_terms
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.value import (
    Index,
    OpenedCell,
    Window,
    input_of,
    sides_of,
    single,
    window_of,
)

RULES = {
    "max": "the largest of the window",
    "min": "the smallest of the window",
    "sum": "the sum of the window",
    "mean": "the mean of the window",
}


def open_pooling(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of max or average pooling, in which the border does not count.

    Keras 3.15 on PyTorch averages in another way where the border is uneven (mended in
    keras#23233); the opened value shows it.
    """
    kind = "max" if isinstance(layer.call.operation, keras.layers.MaxPooling2D) else "average"
    cell = Pooling(kind, input_of(layer), *sides_of(layer)).at(*index)
    seen = window_of(layer, (cell.rows, cell.columns, *single(index[2:])))
    return _open_reduction(layer, index, kind, seen)


def open_reduced(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a global pooling, or of sum, mean, max or min of `keras.ops`."""
    operation = layer.call.operation
    shape = layer.inputs[0].values.shape
    if isinstance(operation, keras.Layer):
        axes: tuple[int, ...] = (1, 2)
    elif operation.axis is None:
        axes = tuple(range(len(shape)))
    else:
        axes = tuple(axis % len(shape) for axis in np.atleast_1d(operation.axis))
    places = iter(index)
    spans = []
    for axis, length in enumerate(shape[1:], 1):
        # A reduced axis has a place in the index only where it is kept with the length 1.
        place = next(places) if axis not in axes or operation.keepdims else 0
        spans.append((0, length) if axis in axes else (place, place + 1))
    return _open_reduction(layer, index, layer.kind.lower(), window_of(layer, spans))


def _open_reduction(layer: Layer, index: Index, name: str, seen: Window) -> OpenedCell:
    """Open what a window becomes, by the operation that the name of the layer contains."""
    name = name.replace("average", "mean")
    kind = next(kind for kind in RULES if kind in name)
    values = seen.values.reshape(-1)
    if kind in ("max", "min"):
        value = float(values.max() if kind == "max" else values.min())
        text = "of {count:,} values".format(count=values.size)
        if values.size <= WRITTEN:
            text = "of {values}".format(values=", ".join(map(write, values)))
        return OpenedCell(RULES[kind], [Step(kind, text, value)], abs(value), [seen])
    total = math.fsum(values)
    scale = float(np.abs(values).sum())
    steps = [Step("sum", write_terms(values), total)]
    if kind == "mean":
        steps.append(Step("mean", f"{write(total)} / {values.size:,}", total / values.size))
        scale /= values.size
    return OpenedCell(RULES[kind], steps, scale, [seen])
