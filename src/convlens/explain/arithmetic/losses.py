"""Losses: each term, their sum and their mean, in the formulas the lectures name."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_numbers

LOSSES = {  # name -> (formula of a term, what becomes of the terms)
    "squared": ("(target - predicted)²", "mean"),
    "half-squared": ("½ (target - predicted)²", "sum"),
    "absolute": ("|target - predicted|", "mean"),
    "root-mean-square": ("(target - predicted)²", "root of the mean"),
    "binary-crossentropy": ("-target ln predicted - (1 - target) ln (1 - predicted)", "mean"),
    "categorical-crossentropy": ("-target ln predicted", "sum"),
}
EPSILON = 1e-7  # Keras keeps probabilities this far from 0 and 1


@dataclass(frozen=True)
class Loss:
    """A loss, opened.

    Attributes:
        name: one of LOSSES.
        targets: (n,).
        predicted: (n,), for cross-entropy as it enters the logarithm.
        terms: (n,).
        total: the sum of the terms.
        mean: their mean.
        value: the loss: the sum, the mean or its root, as LOSSES says.
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
        """Of one term."""
        return LOSSES[self.name][0]

    @property
    def clipped(self) -> bool:
        """Whether a probability was kept from 0 or 1."""
        edge = (self.predicted <= EPSILON) | (self.predicted >= 1 - EPSILON)
        return "crossentropy" in self.name and bool(edge.any())

    @property
    def reduction(self) -> str:
        """What becomes of the terms."""
        return LOSSES[self.name][1]


def loss(name: str, targets: ArrayLike, predicted: ArrayLike) -> Loss:
    """Compute the loss of one example.

    "half-squared" is deck 003's sum of halves; the others equal Keras' mean_squared_error, mean_absolute_error,
    RootMeanSquaredError, binary_crossentropy and categorical_crossentropy. As there, probabilities are kept 1e-7 from
    0 and 1, and those of categorical cross-entropy are divided by their sum first.

    Args:
        name: one of LOSSES.
        targets: (n,).
        predicted: (n,); probabilities for cross-entropy.

    Raises:
        ConfigError: an unknown name, lengths that differ, or a probability outside 0..1.
    """
    if name not in LOSSES:
        raise ConfigError(f"the loss must be one of {', '.join(LOSSES)}; found {name!r}.")
    targets, predicted = as_numbers(targets, predicted)
    if targets.ndim != 1 or targets.shape != predicted.shape:
        raise ConfigError(
            f"there must be as many predicted values as targets, {targets.size}; found {predicted.size}."
        )
    if "crossentropy" in name:
        predicted = _probabilities(name, targets.astype(np.float64), predicted.astype(np.float64))
        targets = targets.astype(np.float64)
    terms = _terms(name, targets, predicted)
    total = terms.sum()
    mean = total / terms.size
    value = {"sum": total, "mean": mean}.get(LOSSES[name][1])
    if value is None:
        value = math.sqrt(mean)
    return Loss(name, targets, predicted, terms, total, mean, value)


def _terms(name: str, targets: Numbers, predicted: Numbers) -> Numbers:
    difference = targets - predicted
    if name == "absolute":
        return np.asarray(np.abs(difference))
    if name == "binary-crossentropy":
        return np.asarray(-targets * np.log(predicted) - (1 - targets) * np.log(1 - predicted))
    if name == "categorical-crossentropy":
        return np.asarray(-targets * np.log(predicted))
    return np.asarray(difference**2 / (2 if name == "half-squared" else 1))


def _probabilities(
    name: str, targets: NDArray[np.float64], predicted: NDArray[np.float64]
) -> NDArray[np.float64]:
    for what, values in (("targets", targets), ("predicted values", predicted)):
        outside = values[(values < 0) | (values > 1)]
        if outside.size:
            raise ConfigError(f"{what} of {name} must lie within 0 and 1; found {outside[0]:g}.")
    if name == "categorical-crossentropy":
        if not predicted.sum():
            raise ConfigError(f"predicted values of {name} must not all be 0.")
        predicted = predicted / predicted.sum()
    return np.clip(predicted, EPSILON, 1 - EPSILON)
