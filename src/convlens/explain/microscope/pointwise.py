"""Pointwise: values of layers that compute with the numbers at one place, or only move them."""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.functions import FUNCTIONS
from convlens.explain.arithmetic.writing import Step, write, write_sum
from convlens.explain.microscope.layer import ONE_LOGIT, Floats, Layer
from convlens.explain.microscope.opened_cell import Index, OpenedCell, Window, single, window_of
from convlens.language import N_, _

# The sign between the numbers, or a formula with {numbers} in their place; and the function.
JOINS: dict[str, tuple[str, Callable[..., float]]] = {
    "Add": (" + ", lambda *v: math.fsum(v)),
    "Subtract": (" - ", lambda a, b: a - b),
    "Multiply": (" × ", lambda *v: math.prod(v)),
    "Divide": (" / ", lambda a, b: a / b),
    "TrueDivide": (" / ", lambda a, b: a / b),
    "Maximum": (N_("the largest of {numbers}"), max),
    "Minimum": (N_("the smallest of {numbers}"), min),
    "Average": (N_("the mean of {numbers}"), lambda *v: math.fsum(v) / len(v)),
    "Square": ("({numbers})²", lambda v: v * v),
    "Sqrt": ("√{numbers}", math.sqrt),
    "Rsqrt": ("1 / √{numbers}", lambda v: 1 / math.sqrt(v)),
    "Power": (" ^ ", lambda a, b: a**b),
    "Exp": ("e ^ {numbers}", math.exp),
    "Log": ("ln {numbers}", math.log),
    "Negative": ("-({numbers})", lambda v: -v),
    "Absolute": ("|{numbers}|", abs),
}
# Joins whose terms may cancel each other, so that rounding depends on the size of the terms.
SUMS = ("Add", "Subtract", "Average")
DROPPING = ("Dropout", "SpatialDropout2D")
# Layers that change numbers in training only.
NOISY = (*DROPPING, "AlphaDropout", "GaussianDropout", "GaussianNoise")
# The last whole number to which float32 counts.
LARGEST_INDEX = 2**24


class Function(NamedTuple):
    """An activation function.

    Attributes:
        name: The name of the function.
        formula: Its formula in the chosen language, in which z is the number.
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
        return Function(
            "leaky_relu",
            _("z, below 0 {slope:g} z").format(slope=slope),
            lambda z: z if z > 0 else slope * z,
        )
    if isinstance(operation, keras.layers.ELU):
        alpha = float(operation.alpha)
        return Function(
            "elu",
            _("z, below 0 {alpha:g} (e^z - 1)").format(alpha=alpha),
            lambda z: z if z > 0 else alpha * math.expm1(z),
        )
    function = getattr(operation, "activation", None)
    if function is None or function in (keras.activations.linear, keras.activations.softmax):
        return None
    name = getattr(function, "__name__", type(function).__name__)
    if name in FUNCTIONS:
        formula, compute = FUNCTIONS[name]
        return Function(name, _(formula), compute)

    def apply(z: float) -> float:
        return float(keras.ops.convert_to_numpy(function(keras.ops.array([z])))[0])

    return Function(name, f"{name}(z)", apply)


def _relu(layer: keras.layers.ReLU) -> Function:
    """Return a ReLU, which may have a threshold, a slope below it and a largest value."""
    least = float(layer.threshold or 0)
    slope = float(layer.negative_slope or 0)
    most = math.inf if layer.max_value is None else float(layer.max_value)
    formula = "max(0, z)"
    if least or slope:
        formula = _("z, below {least:g} {slope:g} (z - {least:g})").format(least=least, slope=slope)
    if most < math.inf:
        formula = _("min({formula}, {most:g})").format(formula=formula, most=most)
    return Function("relu", formula, lambda z: min(z, most) if z >= least else slope * (z - least))


def activation_steps(operation: Any, z: float) -> list[Step]:
    """Return the step from a sum z to the value of a layer; no step where it has no activation."""
    function = activation_of(operation)
    if function is None:
        return []
    # Between brackets and commas z stands alone; elsewhere a negative number needs brackets.
    alone = r"(?<=[(, ])z(?=[,)])|^z(?=[,，])"
    bracketed = f"({write(z)})" if z < 0 else write(z)
    text = re.sub(r"\bz\b", bracketed, re.sub(alone, write(z), function.formula))
    return [Step(function.name, text, function.compute(z))]


def _read(layer: Layer, index: Index) -> tuple[list[float], list[Window]]:
    """Return the numbers that a value is computed from, and where those of layers come from."""
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
    return values, windows


def open_number(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of an activation, or of a layer that passes each number on as it is."""
    (z,), windows = _read(layer, index)
    function = activation_of(layer.operation)
    rule = _("each number as it is")
    steps = [Step(_("value"), write(z), z)]
    if layer.kind == "Cast":
        rule = _("the same number in another type")
        steps = [Step(_("cast"), write(z), z)]
    elif function is not None:
        rule = _("{name}(z) = {formula}").format(name=function.name, formula=function.formula)
        steps = activation_steps(layer.operation, z)
    return OpenedCell(rule, steps, abs(z), windows)


def open_rescaling(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that multiplies each number and adds another."""
    (z,), windows = _read(layer, index)
    scale, offset = (
        float(np.broadcast_to(np.asarray(one), layer.shape)[index])
        for one in (layer.operation.scale, layer.operation.offset)
    )
    text = write_sum([f"{write(z)} × {write(scale)}", write(offset)])
    step = Step(_("rescaled"), text, z * scale + offset)
    return OpenedCell(_("pixel × scale + offset"), [step], abs(z * scale) + abs(offset), windows)


def open_join(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of an operation on one number, or on several at one place."""
    values, windows = _read(layer, index)
    kind = next(one.__name__ for one in type(layer.operation).__mro__ if one.__name__ in JOINS)
    sign, compute = JOINS[kind]
    first, *others = values
    texts = [write(first), *(f"({write(one)})" if one < 0 else write(one) for one in others)]
    text = sign.join(texts)
    if "{numbers}" in sign:
        text = _(sign).format(numbers=", ".join(texts))
    step = Step(kind.lower(), text, compute(*values))
    scale = sum(map(abs, values)) if kind in SUMS else 0.0
    rule = _("number by number")
    if others:
        rule = _("number by number, at the same place of every input")
    return OpenedCell(rule, [step], max(scale, abs(step.value)), windows)


def number_cells(layer: Layer) -> tuple[Floats, list[int]]:
    """Send numbered cells through a layer that only moves numbers, to tell where each came from.

    Returns:
        The output of the layer, which is 0 where a zero was added; and the number of the first cell
        of each input, of which the very first is 1.

    Raises:
        ConfigError: If the cells are too many to be counted in float32, or if the layer mixes its
            inputs.
    """
    sizes = [one.values.size for one in layer.inputs]
    mixing = getattr(layer.operation, "interpolation", "nearest") != "nearest"
    if sum(sizes) >= LARGEST_INDEX or mixing:
        raise ConfigError(
            _("{layer}: a {kind} of this size or kind cannot be opened.").format(
                layer=layer.name, kind=layer.kind
            )
        )
    firsts = [1 + sum(sizes[:number]) for number in range(len(sizes))]
    numbered = [
        np.arange(first, first + one.values.size, dtype=np.float32).reshape(one.values.shape)
        for first, one in zip(firsts, layer.inputs, strict=True)
    ]
    return layer.compute(numbered), firsts


def open_moved(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that only moves numbers, or adds zeros."""
    if layer.kind == "ZerosLike":
        rule = _("a zero for each number of its input")
        if layer.shape == (1,):
            rule = _("a zero for each number of its input: {one_logit}").format(
                one_logit=_(ONE_LOGIT)
            )
        return OpenedCell(rule, [Step(_("zero"), _("always"), 0.0)], 0.0)
    cells, firsts = number_cells(layer)
    number = int(cells[index])
    if number == 0:
        step = Step(_("border"), _("a zero that was added"), 0.0)
        return OpenedCell(_("numbers moved, zeros added"), [step], 0.0)
    which = int(np.searchsorted(firsts, number, side="right")) - 1
    place = np.unravel_index(number - firsts[which], layer.inputs[which].values.shape)[1:]
    seen = window_of(layer, single(place), number=which)
    value = float(seen.values.item())
    passed = layer.kind in (*NOISY, "Identity", "ActivityRegularization")
    text = _("{source} at {place}").format(source=seen.source, place=", ".join(map(str, place)))
    step = Step(_("passed on") if passed else _("moved"), text, value)
    return OpenedCell(_rule(layer), [step], abs(value), [seen])


def _rule(layer: Layer) -> str:
    """Return what a layer that moves numbers does, in words."""
    if layer.kind in DROPPING:
        return (
            _(
                "it does nothing when the network predicts: every number goes through as it is; in "
                "training it drops {percent:g} %"
            )
        ).format(percent=100 * layer.operation.rate)
    if layer.kind in NOISY:
        return _("it does nothing when the network predicts: every number goes through as it is")
    first = layer.inputs[0].values.shape
    if layer.kind == "Concatenate" and first == (1, 1) and len(layer.class_names) == 2:
        return _("inputs behind each other: {one_logit}").format(one_logit=_(ONE_LOGIT))
    return _("numbers moved, none changed")
