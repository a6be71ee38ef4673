"""Activation: the function at the end of a layer, or that is a layer of its own."""

import math
import re
from collections.abc import Callable
from typing import Any

import keras

from convlens.explain.arithmetic.exact import write
from convlens.explain.arithmetic.pointwise import ACTIVATIONS
from convlens.explain.microscope.value import Step

Function = tuple[str, str, Callable[[float], float]]  # name, formula of z, function


def activation_of(operation: Any) -> Function | None:
    """Return the activation of a layer, as a layer of its own or at the end of a convolution; None for none.

    The softmax is none of these: it looks at several numbers.
    """
    if isinstance(operation, keras.layers.ReLU):
        return _relu(operation)
    if isinstance(operation, keras.layers.LeakyReLU):
        slope = float(operation.negative_slope)
        return "leaky_relu", f"z, below 0 {slope:g} z", lambda z: z if z > 0 else slope * z
    if isinstance(operation, keras.layers.ELU):
        alpha = float(operation.alpha)
        return (
            "elu",
            f"z, below 0 {alpha:g} (e^z - 1)",
            lambda z: z if z > 0 else alpha * math.expm1(z),
        )
    function = getattr(operation, "activation", None)
    if function is None or function in (keras.activations.linear, keras.activations.softmax):
        return None
    name = getattr(function, "__name__", type(function).__name__)
    if name in ACTIVATIONS:
        return (name, *ACTIVATIONS[name])
    return (
        name,
        f"{name}(z)",
        lambda z: float(keras.ops.convert_to_numpy(function(keras.ops.array([z])))[0]),
    )


def _relu(layer: keras.layers.ReLU) -> Function:
    least, slope = float(layer.threshold or 0), float(layer.negative_slope or 0)
    most = math.inf if layer.max_value is None else float(layer.max_value)
    formula = (
        "max(0, z)" if not (least or slope) else f"z, below {least:g} {slope:g} (z - {least:g})"
    )
    if most < math.inf:
        formula = f"min({formula}, {most:g})"
    return "relu", formula, lambda z: min(z, most) if z >= least else slope * (z - least)


def activation_steps(operation: Any, z: float) -> list[Step]:
    """Return the step of an activation, none where there is none."""
    function = activation_of(operation)
    if function is None:
        return []
    name, formula, compute = function
    text = re.sub(
        r"(?<=[(, ])z(?=[,)])|^z(?=,)", write(z), formula
    )  # alone between brackets and commas
    return [Step(name, re.sub(r"\bz\b", f"({write(z)})" if z < 0 else write(z), text), compute(z))]
