"""Calibration: a temperature that makes probabilities honest, and a threshold on the confidence.

Temperature     Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", 2017,
                arXiv:1706.04599
Threshold       Hendrycks, Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
                Examples in Neural Networks", 2017, arXiv:1610.02136: reject an image by its largest
                probability
Few mistakes    Platt, "Probabilistic Outputs for Support Vector Machines", 1999: targets that are
                slightly below 1
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

# With fewer correctly classified images, 5 % of them are less than one image.
FEWEST = 20
LEAST, MOST = 0.05, 20.0  # the temperatures that are tried
ROUNDING = 1e-6  # how far a probability may differ with another batch size or machine

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]


def fit_temperature(labels: Integers, probabilities: Floats) -> float | None:
    """Return the T for which softmax(log p / T) has the least log loss.

    As in Platt (1999), the target of the true class is (n + 1) / (n + 2) instead of 1, and the
    other classes share the rest. With targets of 1, T would fall without end where all images are
    classified correctly, and much too low where nearly all are. With Platt's targets, n correct and
    equally confident predictions of n become as confident as Laplace's rule of succession allows.

    Args:
        labels: (n,) true classes of images that the network did not learn from.
        probabilities: (n, num_classes) probabilities, before calibration.

    Returns:
        The temperature, or None if fewer than FEWEST images are classified correctly.
    """
    if _correct(labels, probabilities).sum() < FEWEST:
        return None
    logs = _logs(probabilities)
    n, classes = probabilities.shape
    targets = np.full((n, classes), 1 / ((n + 2) * (classes - 1)))
    targets[np.arange(n), labels] = (n + 1) / (n + 2)

    def loss(log_t: float) -> float:
        return float(-(targets * log_softmax(logs / math.exp(log_t), axis=1)).sum() / n)

    bounds = (math.log(LEAST), math.log(MOST))
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x)


def is_at_end(temperature: float) -> bool:
    """Return whether a temperature is at an end of the range that `fit_temperature` tries.

    The probabilities are then calibrated only in part.
    """
    return not 1.01 * LEAST < temperature < 0.99 * MOST


def apply_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return softmax(log p / T) of (n, num_classes) probabilities, in their data type.

    >>> apply_temperature(np.array([[0.8, 0.2]]), 2.0).round(3)
    array([[0.667, 0.333]])
    """
    return np.asarray(softmax(_logs(probabilities) / temperature, axis=1), probabilities.dtype)


def choose_threshold(labels: Integers, probabilities: Floats, accept: float) -> float | None:
    """Return the confidence that a given share of the correctly classified images reach.

    Args:
        labels: (n,) true classes of images that the network did not learn from.
        probabilities: (n, num_classes) probabilities, after calibration.
        accept: The share of the correctly classified images, 0 to 1.

    Returns:
        The threshold, or None if fewer than FEWEST images are classified correctly.
    """
    confidence = probabilities.max(axis=1)[_correct(labels, probabilities)]
    if len(confidence) < FEWEST:
        return None
    return float(np.quantile(confidence, 1 - accept, method="lower")) - ROUNDING


def _correct(labels: Integers, probabilities: Floats) -> NDArray[np.bool_]:
    return np.asarray(probabilities.argmax(axis=1) == labels)


def _logs(probabilities: Floats) -> NDArray[np.float64]:
    """Return the logarithms of probabilities.

    A probability of 0 counts as the smallest float32: a softmax returns 0 where the exact value is
    below that.
    """
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny).astype(np.float64))
