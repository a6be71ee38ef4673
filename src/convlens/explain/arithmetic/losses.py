"""Losses: every term, their sum and their mean, for the losses that the lectures use."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_numbers

# The formula of a term, and what becomes of the terms.
LOSSES = {
    "squared": ("(target - predicted)²", "mean"),
    "half-squared": ("½ (target - predicted)²", "sum"),
    "absolute": ("|target - predicted|", "mean"),
    "root-mean-square": ("(target - predicted)²", "root of the mean"),
    "binary-crossentropy": ("-target ln predicted - (1 - target) ln (1 - predicted)", "mean"),
    "categorical-crossentropy": ("-target ln predicted", "sum"),
}
# Keras keeps probabilities this far from 0 and 1.
EPSILON = 1e-7


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
        """The formula of one term."""
        return LOSSES[self.name][0]

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
            "the loss must be one of {names}; found {name!r}.".format(
                names=", ".join(LOSSES), name=name
            )
        )
    targets, predicted = as_numbers(targets, predicted)
    if targets.ndim != 1 or targets.shape != predicted.shape:
        raise ConfigError(
            "there must be as many predicted values as targets, {targets}; found {found}.".format(
                targets=targets.size, found=predicted.size
            )
        )
    if "crossentropy" in name:
        targets = targets.astype(np.float64)
        predicted = _probabilities(name, targets, predicted.astype(np.float64))
    terms = _terms(name, targets, predicted)
    total = terms.sum()
    mean = total / terms.size
    value = {"sum": total, "mean": mean}.get(LOSSES[name][1])
    if value is None:
        value = math.sqrt(mean)
    return Loss(name, targets, predicted, terms, total, mean, value)


def _terms(name: str, targets: Numbers, predicted: Numbers) -> Numbers:
    if name == "absolute":
        return np.asarray(np.abs(targets - predicted))
    if name == "binary-crossentropy":
        return np.asarray(-targets * np.log(predicted) - (1 - targets) * np.log(1 - predicted))
    if name == "categorical-crossentropy":
        return np.asarray(-targets * np.log(predicted))
    return np.asarray((targets - predicted) ** 2 / (2 if name == "half-squared" else 1))


def _probabilities(name: str, targets: Numbers, predicted: Numbers) -> Numbers:
    """Return the probabilities as they enter the logarithm."""
    for what, values in (("targets", targets), ("predicted values", predicted)):
        outside = values[(values < 0) | (values > 1)]
        if outside.size:
            raise ConfigError(
                "{what} of {name} must lie within 0 and 1; found {value:g}.".format(
                    what=what, name=name, value=outside[0]
                )
            )
    if name == "categorical-crossentropy":
        if not predicted.any():
            raise ConfigError("predicted values of {name} must not all be 0.".format(name=name))
        predicted = predicted / predicted.sum()
    return np.clip(predicted, EPSILON, 1 - EPSILON)
