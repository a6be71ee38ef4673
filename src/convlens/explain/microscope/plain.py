"""Plain: cells of layers without weights: pooling, operations number by number, numbers moved."""

import math

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.pointwise import JOINS, activation_of, write
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.opened import (
    WRITTEN,
    Floats,
    Index,
    OpenedCell,
    Step,
    Window,
    activation_steps,
    floats,
    sides_of,
    whole,
    window,
    write_terms,
)

ONE_LOGIT = "the network gives one logit z; a zero beside it makes two, as softmax of [0, z] is [1 - sigmoid(z), sigmoid(z)]"
DROPPING = ("Dropout", "SpatialDropout2D")
NOISY = (*DROPPING, "AlphaDropout", "GaussianDropout", "GaussianNoise")  # at work in training only
LARGEST_INDEX = 2**24  # the last whole number to which float32 counts


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


def open_pointwise(layer: Layer, index: Index) -> OpenedCell:
    """An activation, a rescaling or an operation on the numbers at one place of all inputs."""
    values, windows = [], []
    for operand in layer.operands:
        places = np.broadcast_to(
            np.arange(operand.values.size).reshape(operand.values.shape), (1, *layer.shape)
        )
        place = np.unravel_index(int(places[(0, *index)]), operand.values.shape)
        values.append(float(operand.values[place]))
        if operand.source is not None:
            spans = tuple((int(i), int(i) + 1) for i in place[1:])
            windows.append(
                Window(operand.source, spans, floats(values[-1]).reshape((1,) * len(spans)))
            )
    rule, steps, scale = _calculate(layer, index, values)
    return OpenedCell(layer.name, layer.kind, index, rule, tuple(windows), (), tuple(steps), scale)


def _calculate(layer: Layer, index: Index, values: list[float]) -> tuple[str, list[Step], float]:
    operation, z = layer.call.operation, values[0]
    if isinstance(operation, keras.layers.Rescaling):
        scale, offset = (
            float(np.broadcast_to(np.asarray(one), layer.shape)[index])
            for one in (operation.scale, operation.offset)
        )
        text = f"{write(z)} × {write(scale)} + {write(offset)}".replace("+ -", "- ")
        steps = [Step("rescaled", text, z * scale + offset)]
        return "pixel × scale + offset", steps, abs(z * scale) + abs(offset)
    if layer.kind == "Cast":
        return (
            "the same number in another type",
            [Step("cast", write(z), float(np.float64(z)))],
            abs(z),
        )
    if layer.kind in JOINS:
        sign, compute = JOINS[layer.kind]
        texts = [f"({write(one)})" if i and one < 0 else write(one) for i, one in enumerate(values)]
        text = sign.format(", ".join(texts)) if "{}" in sign else sign.join(texts)
        scale = sum(map(abs, values)) if layer.kind in ("Add", "Subtract", "Average") else 0.0
        value = compute(*values)
        rule = (
            "number by number, at the same place of every input"
            if len(values) > 1
            else "number by number"
        )
        return rule, [Step(layer.kind.lower(), text, value)], max(scale, abs(value))
    function = activation_of(operation)
    if function is None:  # linear
        return "each number as it is", [Step("value", write(z), z)], abs(z)
    return f"{function[0]}(z) = {function[1]}", activation_steps(operation, z), abs(z)


def number_cells(layer: Layer) -> tuple[Floats, list[int]]:
    """Send numbered cells through a layer that only moves numbers: they tell where each came from.

    Returns:
        What comes out, 0 where a zero was added; and the number of the first cell of each input, the very first 1.

    Raises:
        ConfigError: too many cells to be counted in float32, or a layer that mixes its inputs.
    """
    sizes = [one.values.size for one in layer.inputs]
    if (
        sum(sizes) >= LARGEST_INDEX
        or getattr(layer.call.operation, "interpolation", "nearest") != "nearest"
    ):
        raise ConfigError(f"{layer.name}: a {layer.kind} of this size or kind cannot be opened.")
    firsts = [1 + sum(sizes[:number]) for number in range(len(sizes))]
    numbered = [
        np.arange(first, first + one.values.size, dtype=np.float32).reshape(one.values.shape)
        for first, one in zip(firsts, layer.inputs, strict=True)
    ]
    return layer.compute(numbered), firsts


def open_moved(layer: Layer, index: Index) -> OpenedCell:
    """A layer that only moves numbers."""
    if layer.kind == "ZerosLike":
        rule = "a zero for each number of its input" + (
            f": {ONE_LOGIT}" if layer.shape == (1,) else ""
        )
        return OpenedCell(
            layer.name, layer.kind, index, rule, (), (), (Step("zero", "always", 0.0),), 0.0
        )
    cells, firsts = number_cells(layer)
    number = int(cells[index])
    if number == 0:
        step = Step("border", "a zero that was added", 0.0)
        return OpenedCell(
            layer.name, layer.kind, index, "numbers moved, zeros added", (), (), (step,), 0.0
        )
    which = int(np.searchsorted(firsts, number, side="right")) - 1
    shape = layer.inputs[which].values.shape
    place = tuple(int(i) for i in np.unravel_index(number - firsts[which], shape))[1:]
    value = float(whole(layer, which)[place])
    spans = [(i, i + 1) for i in place]
    seen = window(layer, spans, floats(value).reshape((1,) * len(place)), which)
    passed = layer.kind in (*NOISY, "Identity", "ActivityRegularization")
    step = Step(
        "passed on" if passed else "moved", f"{seen.source} at {', '.join(map(str, place))}", value
    )
    return OpenedCell(
        layer.name, layer.kind, index, _moving_rule(layer), (seen,), (), (step,), abs(value)
    )


def _moving_rule(layer: Layer) -> str:
    """Return what such a layer does, in words."""
    if layer.kind in NOISY:
        share = (
            f"; in training it drops {100 * layer.call.operation.rate:g} %"
            if layer.kind in DROPPING
            else ""
        )
        return (
            f"it does nothing when the network answers: every number goes through as it is{share}"
        )
    if (
        layer.kind == "Concatenate"
        and layer.inputs[0].values.shape == (1, 1)
        and len(layer.class_names) == 2
    ):
        return f"inputs behind each other: {ONE_LOGIT}"
    return "numbers moved, none changed"
