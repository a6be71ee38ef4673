"""Activation: the activation functions of Keras, and some with every intermediate number and slope.

The functions are those of Keras with the default values of their arguments.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_numbers

# The scale and the alpha of SELU (Klambauer et al., 2017, arXiv:1706.02515).
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def _gate(z: float) -> float:
    return min(max(z + 3, 0), 6) / 6


# The formula of each activation function, and the function.
FUNCTIONS: dict[str, tuple[str, Callable[[float], float]]] = {
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
        lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * math.expm1(z)),
    ),
    "softplus": ("ln(1 + e^z)", lambda z: float(np.logaddexp(0, z))),
    "softsign": ("z / (1 + |z|)", lambda z: z / (1 + abs(z))),
    "exponential": ("e^z", math.exp),
}
# The formulas of those that `activate` computes.
ACTIVATIONS = {name: FUNCTIONS[name][0] for name in ("relu", "sigmoid", "tanh")}


@dataclass(frozen=True)
class Activation:
    """An activation with every number that went into it.

    Attributes:
        name: One of ACTIVATIONS.
        inputs: The numbers z, of any shape.
        steps: The intermediate numbers by their formula, in the order in which they are computed.
            ReLU has none.
        output: The activated numbers, in the same shape.
        slope: The derivative at each z, by which backpropagation multiplies; 0 for ReLU at 0.
    """

    name: str
    inputs: Numbers
    steps: dict[str, Numbers]
    output: Numbers
    slope: Numbers


def activate(values: ArrayLike, name: str) -> Activation:
    """Compute an activation of numbers of any shape. ReLU keeps exact numbers exact.

    Args:
        values: The numbers, of any shape.
        name: One of ACTIVATIONS: "relu", "sigmoid" or "tanh".

    Raises:
        ConfigError: If there is no such activation.
    """
    if name not in ACTIVATIONS:
        raise ConfigError(
            "the activation must be one of {names}; found {name!r}.".format(
                names=", ".join(ACTIVATIONS), name=name
            )
        )
    (z,) = as_numbers(values)
    if name == "relu":
        return Activation(name, z, {}, np.maximum(z, 0 * z), np.where(z > 0, z * 0 + 1, z * 0))
    z = z.astype(np.float64)
    # The exponential of a large number is shown as infinite; the output is right all the same.
    with np.errstate(over="ignore"):
        rising = np.exp(z)
        falling = np.exp(-z)
    if name == "sigmoid":
        output = np.asarray(expit(z))
        steps = {"e^-z": falling, "1 + e^-z": 1 + falling}
        return Activation(name, z, steps, output, output * (1 - output))
    output = np.tanh(z)
    steps = {
        "e^z": rising,
        "e^-z": falling,
        "e^z - e^-z": rising - falling,
        "e^z + e^-z": rising + falling,
    }
    return Activation(name, z, steps, output, 1 - output**2)
