"""Pointwise: values of layers that compute with the numbers at one place: activations and joins."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from convlens.explain.arithmetic.activation import FUNCTIONS
from convlens.explain.arithmetic.writing import Step, write, write_sum
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.value import Index, OpenedCell, Window, single

# The sign between the numbers, or a formula with {} in the place of the numbers; and the function.
JOINS: dict[str, tuple[str, Callable[..., float]]] = {
    "Add": (" + ", lambda *v: math.fsum(v)),
    "Subtract": (" - ", lambda a, b: a - b),
    "Multiply": (" × ", lambda *v: math.prod(v)),
    "Divide": (" / ", lambda a, b: a / b),
    "TrueDivide": (" / ", lambda a, b: a / b),
    "Maximum": ("the largest of {}", max),
    "Minimum": ("the smallest of {}", min),
    "Average": ("the mean of {}", lambda *v: math.fsum(v) / len(v)),
    "Square": ("({})²", lambda v: v * v),
    "Sqrt": ("√{}", math.sqrt),
    "Rsqrt": ("1 / √{}", lambda v: 1 / math.sqrt(v)),
    "Power": (" ^ ", lambda a, b: a**b),
    "Exp": ("e ^ {}", math.exp),
    "Log": ("ln {}", math.log),
    "Negative": ("-({})", lambda v: -v),
    "Absolute": ("|{}|", abs),
}
# Joins whose terms may cancel each other, so that rounding depends on the size of the terms.
SUMS = ("Add", "Subtract", "Average")


class Function(NamedTuple):
    """An activation function.

    Attributes:
        name: The name of the function.
        formula: Its formula, in which z is the number.
        compute: The function.
    """

    name: str
    formula: str
    compute: Callable[[float], float]


def activation_of(operation: Any) -> Function | None:
    """Return the activation function of a layer, None where it has none.

    The softmax is not among them, because it depends on several numbers.
    """
    if isinstance(operation, keras.layers.ReLU):
        return _relu(operation)
    if isinstance(operation, keras.layers.LeakyReLU):
        slope = float(operation.negative_slope)
        formula = f"z, below 0 {slope:g} z"
        return Function("leaky_relu", formula, lambda z: z if z > 0 else slope * z)
    if isinstance(operation, keras.layers.ELU):
        alpha = float(operation.alpha)
        formula = f"z, below 0 {alpha:g} (e^z - 1)"
        return Function("elu", formula, lambda z: z if z > 0 else alpha * math.expm1(z))
    function = getattr(operation, "activation", None)
    if function is None or function in (keras.activations.linear, keras.activations.softmax):
        return None
    name = getattr(function, "__name__", type(function).__name__)
    if name in FUNCTIONS:
        return Function(name, *FUNCTIONS[name])

    def compute(z: float) -> float:
        return float(keras.ops.convert_to_numpy(function(keras.ops.array([z])))[0])

    return Function(name, f"{name}(z)", compute)


def _relu(layer: keras.layers.ReLU) -> Function:
    """Return a ReLU, which may have a threshold, a slope below it and a largest value."""
    least = float(layer.threshold or 0)
    slope = float(layer.negative_slope or 0)
    most = math.inf if layer.max_value is None else float(layer.max_value)
    formula = "max(0, z)"
    if least or slope:
        formula = f"z, below {least:g} {slope:g} (z - {least:g})"
    if most < math.inf:
        formula = f"min({formula}, {most:g})"
    return Function("relu", formula, lambda z: min(z, most) if z >= least else slope * (z - least))


def activation_steps(operation: Any, z: float) -> list[Step]:
    """Return the step from a sum z to the value of a layer; no step where it has no activation."""
    function = activation_of(operation)
    if function is None:
        return []
    # Between brackets and commas z stands alone; elsewhere a negative number needs brackets.
    alone = r"(?<=[(, ])z(?=[,)])|^z(?=,)"
    bracketed = f"({write(z)})" if z < 0 else write(z)
    text = re.sub(r"\bz\b", bracketed, re.sub(alone, write(z), function.formula))
    return [Step(function.name, text, function.compute(z))]


def open_pointwise(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of an activation, a rescaling or an operation on the numbers at one place."""
    values = []
    windows = []
    for operand in layer.operands:
        shape = operand.values.shape
        places = np.arange(operand.values.size).reshape(shape)
        number = np.broadcast_to(places, (1, *layer.shape))[(0, *index)]
        place = np.unravel_index(int(number), shape)
        values.append(float(operand.values[place]))
        if operand.source is not None:
            seen = np.full((1,) * len(place[1:]), values[-1])
            windows.append(Window(operand.source, single(place[1:]), seen))
    rule, step, scale = _calculate(layer, index, values)
    return OpenedCell(rule, [step], scale, windows)


def _calculate(layer: Layer, index: Index, values: Sequence[float]) -> tuple[str, Step, float]:
    """Return the rule, the step, and the scale of its rounding."""
    operation = layer.call.operation
    z = values[0]
    if isinstance(operation, keras.layers.Rescaling):
        scale, offset = (
            float(np.broadcast_to(np.asarray(one), layer.shape)[index])
            for one in (operation.scale, operation.offset)
        )
        text = write_sum([f"{write(z)} × {write(scale)}", write(offset)])
        step = Step("rescaled", text, z * scale + offset)
        return "pixel × scale + offset", step, abs(z * scale) + abs(offset)
    if layer.kind == "Cast":
        return "the same number in another type", Step("cast", write(z), z), abs(z)
    if layer.kind in JOINS:
        return _join(layer.kind, values)
    function = activation_of(operation)
    if function is None:
        return "each number as it is", Step("value", write(z), z), abs(z)
    rule = f"{function.name}(z) = {function.formula}"
    return rule, activation_steps(operation, z)[0], abs(z)


def _join(kind: str, values: Sequence[float]) -> tuple[str, Step, float]:
    """Return the rule, the step and the scale of an operation on one number or several."""
    sign, compute = JOINS[kind]
    first, *others = values
    texts = [write(first), *(f"({write(one)})" if one < 0 else write(one) for one in others)]
    text = sign.format(", ".join(texts)) if "{}" in sign else sign.join(texts)
    step = Step(kind.lower(), text, compute(*values))
    scale = sum(map(abs, values)) if kind in SUMS else 0.0
    rule = "number by number"
    if others:
        rule = "number by number, at the same place of every input"
    return rule, step, max(scale, abs(step.value))
