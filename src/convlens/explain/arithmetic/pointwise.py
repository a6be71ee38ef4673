"""Pointwise: what activations and operations do to one number, or to several at one place."""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erf, expit


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
