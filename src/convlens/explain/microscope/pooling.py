"""Pooling: a window of a map becomes its largest, smallest or mean value, or its sum."""

import math

import keras
import numpy as np

from convlens.explain.arithmetic.exact import write
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.value import (
    WRITTEN,
    Index,
    OpenedCell,
    Step,
    Window,
    floats,
    sides_of,
    whole,
    window,
    write_terms,
)


def open_pooling(layer: Layer, index: Index) -> OpenedCell:
    """Max and average pooling: what of the window lies within the map counts.

    Keras 3.15 on PyTorch averages otherwise where the border is uneven (mended in keras#23233): the cell shows it.
    """
    sides, image = sides_of(layer), whole(layer)
    spans = [side.span(number) for side, number in zip(sides, index, strict=False)]
    inside = [
        (max(first, 0), min(last, n)) for (first, last), n in zip(spans, image.shape, strict=False)
    ]
    (top, bottom), (left, right) = inside
    kind = "max" if isinstance(layer.call.operation, keras.layers.MaxPooling2D) else "mean"
    seen = image[top:bottom, left:right, index[2]]
    return _reduce(
        layer, index, kind, window(layer, (*inside, (index[2], index[2] + 1)), seen[..., None])
    )


def open_reduced(layer: Layer, index: Index) -> OpenedCell:
    """Global pooling, and sum, mean, max and min of keras.ops."""
    operation, values = layer.call.operation, floats(layer.inputs[0].values)
    if isinstance(operation, keras.Layer):
        axes: tuple[int, ...] = (1, 2)
    elif operation.axis is None:
        axes = tuple(range(values.ndim))
    else:
        axes = tuple(axis % values.ndim for axis in np.atleast_1d(operation.axis))
    kept = iter(index)
    spans = []
    for axis, length in list(enumerate(values.shape))[1:]:
        if axis not in axes:
            place = next(kept)
            spans.append((place, place + 1))
            continue
        spans.append((0, length))
        if operation.keepdims:
            next(kept)
    seen = values[0][tuple(slice(*span) for span in spans)]
    name = layer.kind.lower()
    kind = next(
        kind for kind in ("max", "min", "sum", "mean") if kind in name.replace("average", "mean")
    )
    return _reduce(layer, index, kind, window(layer, spans, seen))


def _reduce(layer: Layer, index: Index, kind: str, seen: Window) -> OpenedCell:
    values = seen.values.reshape(-1)
    few = values.size <= WRITTEN
    if kind in ("max", "min"):
        value = float(values.max() if kind == "max" else values.min())
        text = f"of {', '.join(map(write, values))}" if few else f"of {values.size:,} values"
        steps = [Step(kind, text, value)]
        scale = abs(value)
    else:
        total = math.fsum(values)
        steps = [Step("sum", write_terms(values), total)]
        if kind == "mean":
            steps.append(Step("mean", f"{write(total)} / {values.size:,}", total / values.size))
        scale = float(np.abs(values).sum()) / (values.size if kind == "mean" else 1)
    rule = {"max": "the largest", "min": "the smallest", "sum": "the sum", "mean": "the mean"}[
        kind
    ] + " of the window"
    return OpenedCell(layer.name, layer.kind, index, rule, (seen,), (), tuple(steps), scale)
