"""Functions: the activation functions and the losses of Keras, with every intermediate number.

The activation functions have the default values of their arguments.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_numbers
from convlens.language import N_, _, listed

# The scale and the alpha of SELU (Klambauer et al., 2017, arXiv:1706.02515).
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
# The formula of each activation function, and the function.
FUNCTIONS: dict[str, tuple[str, Callable[[float], float]]] = {
    "relu": ("max(0, z)", lambda z: max(0.0, z)),
    "relu6": ("min(max(0, z), 6)", lambda z: min(max(0.0, z), 6.0)),
    "leaky_relu": (N_("z, below 0 0.2 z"), lambda z: z if z > 0 else 0.2 * z),
    "sigmoid": ("1 / (1 + e^-z)", lambda z: float(expit(z))),
    "tanh": ("(e^z - e^-z) / (e^z + e^-z)", math.tanh),
    "silu": ("z / (1 + e^-z)", lambda z: z * float(expit(z))),
    "gelu": ("z × (1 + erf(z / √2)) / 2", lambda z: z * (1 + float(erf(z / math.sqrt(2)))) / 2),
    "hard_sigmoid": ("min(max(0, z + 3), 6) / 6", lambda z: min(max(z + 3, 0), 6) / 6),
    "hard_silu": ("z × min(max(0, z + 3), 6) / 6", lambda z: z * (min(max(z + 3, 0), 6) / 6)),
    "elu": (N_("z, below 0 e^z - 1"), lambda z: z if z > 0 else math.expm1(z)),
    "selu": (
        N_("1.0507 z, below 0 1.7581 (e^z - 1)"),
        lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * math.expm1(z)),
    ),
    "softplus": ("ln(1 + e^z)", lambda z: float(np.logaddexp(0, z))),
    "softsign": ("z / (1 + |z|)", lambda z: z / (1 + abs(z))),
    "exponential": ("e^z", math.exp),
}
# The formulas of those that `activate` computes.
ACTIVATIONS = {name: FUNCTIONS[name][0] for name in ("relu", "sigmoid", "tanh")}
# The formula of a term, and what becomes of the terms.
LOSSES = {
    "squared": (N_("(target - predicted)²"), "mean"),
    "half-squared": (N_("½ (target - predicted)²"), "sum"),
    "absolute": (N_("|target - predicted|"), "mean"),
    # not translated: the reductions are names in code
    "root-mean-square": (N_("(target - predicted)²"), "root of the mean"),
    "binary-crossentropy": (N_("-target ln predicted - (1 - target) ln (1 - predicted)"), "mean"),
    "categorical-crossentropy": (N_("-target ln predicted"), "sum"),
}
# The terms of the targets t and the predicted values p.
TERMS: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "squared": lambda t, p: (t - p) ** 2,
    "half-squared": lambda t, p: (t - p) ** 2 / 2,
    "absolute": lambda t, p: abs(t - p),
    "root-mean-square": lambda t, p: (t - p) ** 2,
    "binary-crossentropy": lambda t, p: -t * np.log(p) - (1 - t) * np.log(1 - p),
    "categorical-crossentropy": lambda t, p: -t * np.log(p),
}
# Keras keeps probabilities this far from 0 and 1.
EPSILON = 1e-7


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
            _("the activation must be one of {names}; found {name!r}.").format(
                names=listed(ACTIVATIONS), name=name
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


@dataclass(frozen=True)
class Loss:
    """A loss with every number that went into it.

    Attributes:
        name: One of LOSSES.
        targets: The targets, shaped (n,).
        predicted: The predicted values, shaped (n,); for a cross-entropy, as they enter the
            logarithm.
        terms: The term of each target, shaped (n,).
        total: The sum of the terms.
        mean: The mean of the terms.
        value: The loss: the sum, the mean or its root, as LOSSES says.
    """

    name: str
    targets: Numbers
    predicted: Numbers
    terms: Numbers
    total: object
    mean: object
    value: object

    @property
    def formula(self) -> str:
        """The formula of one term, in the chosen language."""
        return _(LOSSES[self.name][0])

    @property
    def reduction(self) -> str:
        """What becomes of the terms: "sum", "mean" or "root of the mean"."""
        return LOSSES[self.name][1]

    @property
    def clipped(self) -> bool:
        """Whether a probability had to be kept from 0 or 1."""
        edge = (self.predicted <= EPSILON) | (self.predicted >= 1 - EPSILON)
        return "crossentropy" in self.name and bool(edge.any())


def loss(name: str, targets: ArrayLike, predicted: ArrayLike) -> Loss:
    """Compute the loss of one example.

    "half-squared" is the sum of halves of lecture 003. The others equal Keras' mean_squared_error,
    mean_absolute_error, RootMeanSquaredError, binary_crossentropy and categorical_crossentropy. As
    there, probabilities are kept 1e-7 from 0 and 1, and those of the categorical cross-entropy are
    divided by their sum first.

    Args:
        name: One of LOSSES.
        targets: The targets, shaped (n,).
        predicted: The predicted values, shaped (n,); probabilities for a cross-entropy.

    Raises:
        ConfigError: If there is no such loss, if the lengths differ, or if a probability is not
            within 0 and 1.

    Example:
        >>> loss("squared", [1, 0], [0, 0]).value
        Fraction(1, 2)
    """
    if name not in LOSSES:
        raise ConfigError(
            _("the loss must be one of {names}; found {name!r}.").format(
                names=listed(LOSSES), name=name
            )
        )
    targets, predicted = as_numbers(targets, predicted)
    if targets.ndim != 1 or targets.shape != predicted.shape:
        raise ConfigError(
            _(
                "there must be as many predicted values as targets, {targets}; found {found}."
            ).format(targets=targets.size, found=predicted.size)
        )
    if "crossentropy" in name:
        targets = targets.astype(np.float64)
        predicted = _probabilities(name, targets, predicted.astype(np.float64))
    terms = np.asarray(TERMS[name](targets, predicted))
    total = terms.sum()
    mean = total / terms.size
    value = {"sum": total, "mean": mean}.get(LOSSES[name][1])
    if value is None:
        value = math.sqrt(mean)
    return Loss(name, targets, predicted, terms, total, mean, value)


def _probabilities(name: str, targets: Numbers, predicted: Numbers) -> Numbers:
    """Return the probabilities as they enter the logarithm."""
    for what, values in ((_("targets"), targets), (_("predicted values"), predicted)):
        outside = values[(values < 0) | (values > 1)]
        if outside.size:
            raise ConfigError(
                _("{what} of {name} must lie within 0 and 1; found {value}.").format(
                    what=what, name=name, value=outside[0]
                )
            )
    if name == "categorical-crossentropy":
        if not predicted.any():
            raise ConfigError(_("predicted values of {name} must not all be 0.").format(name=name))
        predicted = predicted / predicted.sum()
    return np.clip(predicted, EPSILON, 1 - EPSILON)
