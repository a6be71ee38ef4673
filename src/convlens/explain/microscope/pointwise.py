"""Pointwise: layers that compute each number from the numbers at the same place of their inputs."""

import keras
import numpy as np

from convlens.explain.arithmetic.exact import write
from convlens.explain.arithmetic.pointwise import JOINS
from convlens.explain.microscope.activation import activation_of, activation_steps
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.value import Index, OpenedCell, Step, Window, floats


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
