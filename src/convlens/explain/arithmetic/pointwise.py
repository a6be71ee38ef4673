"""Pointwise: what activations and operations do to one number, or to several at one place."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from scipy.special import erf, expit

from convlens.explain.arithmetic.exact import write_number

DECIMALS = 6
Function = tuple[str, str, Callable[[float], float]]  # name, formula of z, function


def write(value: Any) -> str:
    """Return a number for the eye."""
    return write_number(float(value), DECIMALS)


def _gate(z: float) -> float:
    return min(max(z + 3, 0), 6) / 6


SELU = (
    1.0507009873554805,
    1.6732632423543772,
)  # scale, alpha of Klambauer et al., 2017, arXiv:1706.02515

ACTIVATIONS: dict[
    str, tuple[str, Callable[[float], float]]
] = {  # as Keras defines them without arguments
    "relu": ("max(0, z)", lambda z: max(0.0, z)),
    "relu6": ("min(max(0, z), 6)", lambda z: min(max(0.0, z), 6.0)),
    "leaky_relu": ("z, below 0 0.2 z", lambda z: z if z > 0 else 0.2 * z),
    "sigmoid": ("1 / (1 + e^-z)", lambda z: float(expit(z))),
    "tanh": ("(e^z - e^-z) / (e^z + e^-z)", math.tanh),
    "silu": ("z / (1 + e^-z)", lambda z: z * float(expit(z))),
    "gelu": ("z × (1 + erf(z / √2)) / 2", lambda z: z * (1 + float(erf(z / math.sqrt(2)))) / 2),
    "hard_sigmoid": ("min(max(0, z + 3), 6) / 6", _gate),
    "hard_silu": ("z × min(max(0, z + 3), 6) / 6", lambda z: z * _gate(z)),
    "elu": ("z, below 0 e^z - 1", lambda z: z if z > 0 else math.expm1(z)),
    "selu": (
        "1.0507 z, below 0 1.7581 (e^z - 1)",
        lambda z: SELU[0] * (z if z > 0 else SELU[1] * math.expm1(z)),
    ),
    "softplus": ("ln(1 + e^z)", lambda z: float(np.logaddexp(0, z))),
    "softsign": ("z / (1 + |z|)", lambda z: z / (1 + abs(z))),
    "exponential": ("e^z", math.exp),
}

JOINS: dict[
    str, tuple[str, Callable[..., float]]
] = {  # a sign between the numbers, or a formula with {}
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
