"""Linear head: logistic regression on features, as strongly regularised as suits the validation images.

A head without hidden layers has one best set of weights for each strength, which L-BFGS finds in seconds without a
learning rate or epochs. Kornblith, Shlens, Le, "Do Better ImageNet Models Transfer Better?", 2019, arXiv:1805.08974,
judge networks as fixed extractors of features by such heads.
"""

import csv
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from convlens.charts.regularization import show_regularization
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.scores import Score
from convlens.run import Run

STRENGTHS = (
    1e-3,
    1e-2,
    1e-1,
    1.0,
    10.0,
)  # scikit-learn's C on features of variance 1: small is strong
UNCHOSEN = 0.1  # where no validation image chooses; with 5 and 20 images a class all from 0.01 to 1 were as good
MAX_ITER = 300
# Numbers in the features up to which one thread computes: with as many threads as processors, each of many short
# products waits for the slowest. On a busy machine of two, a head for cats and dogs took 5.4 s so, else 0.4 s.
ONE_THREAD = 2**26
IN_PLACE = (
    2**28
)  # bytes of features that are centred and scaled; larger ones lie on the disk and stay as they are

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trial:
    """A strength and how well it did on the validation images."""

    strength: float
    log_loss: float
    accuracy: Score


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Weights of a dense layer from features to logits.

    Attributes:
        kernel: (width, num_classes).
        bias: (num_classes,).
        strength: the chosen one of STRENGTHS.
        trials: what was tried on the validation images; empty where there are none.
    """

    kernel: Floats
    bias: Floats
    strength: float
    trials: tuple[Trial, ...]


def fit_linear_head(  # noqa: PLR0913 - two sets of images
    features: Floats,
    labels: NDArray[np.int64],
    val_features: Floats,
    val_labels: NDArray[np.int64],
    num_classes: int,
    *,
    class_weights: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LinearHead:
    """Fit heads from strong to weak regularisation and keep the one of the lowest log loss on the validation images.

    Stops where two weaker ones in a row were worse.

    Args:
        features: (n, width); centred and scaled in place where they fit into memory.
        labels: (n,) class indices, each class at least once.
        val_features: (m, width), or (0, width) for the strength UNCHOSEN.
        val_labels: (m,).
        num_classes: columns of the answer.
        class_weights: (num_classes,) weight of an image by its class.
        progress: called with (strengths tried, all of them).
    """
    center, scale = _spread(features)
    units = 1.0  # of the strength
    if features.nbytes <= IN_PLACE:
        features -= center
        features /= scale
    else:  # the same optimum, in more steps
        units, center, scale = scale**2, np.zeros_like(center), 1.0
    weights = None if class_weights is None else class_weights[labels]
    # from one strength to the next the last weights are a good start
    model = LogisticRegression(max_iter=MAX_ITER, warm_start=True)
    best, trials, lowest = (
        (np.empty(0, np.float32), np.empty(0, np.float32), 0.0),
        list[Trial](),
        np.inf,
    )
    strengths = STRENGTHS if len(val_labels) else (UNCHOSEN,)
    for number, strength in enumerate(strengths, start=1):
        model.C = strength / units
        with (
            warnings.catch_warnings(),
            threadpool_limits(1 if features.size <= ONE_THREAD else None, "blas"),
        ):
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # a head that is not quite at its optimum is one too
            model.fit(features, labels, weights)
        head = _dense(model, center, scale, num_classes)
        if len(val_labels):
            trials.append(_try(head, strength, val_features, val_labels))
        if not trials or trials[-1].log_loss < lowest:
            best, lowest = (*head, strength), trials[-1].log_loss if trials else 0.0
        if progress is not None:
            progress(number, len(strengths))
        if len(trials) > 2 and min(trial.log_loss for trial in trials[-2:]) > lowest:
            break
    return LinearHead(*best, tuple(trials))


def _spread(features: Floats) -> tuple[Floats, float]:
    """Return the mean (width,) and the root of the mean variance of the features.

    One number for all: features that hardly vary stay small. With 5 images a class of cats and dogs, each scaled by
    its own deviation gave 91 %, all by one 97 % (means of 10 draws).
    """
    center = features.mean(0, dtype=np.float64)
    variance = (
        np.einsum("ij,ij->", features, features, dtype=np.float64) / features.size
        - (center**2).mean()
    )
    return center.astype(np.float32), float(np.sqrt(max(variance, 0.0))) or 1.0


def _dense(
    model: LogisticRegression, center: Floats, scale: float, num_classes: int
) -> tuple[Floats, Floats]:
    """Return (kernel, bias) on plain features. Two classes have one row of coefficients: z of the second."""
    coefficients, intercept = model.coef_, model.intercept_
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    kernel, bias = (
        np.zeros((len(center), num_classes), np.float64),
        np.full(num_classes, -30.0),
    )  # a class never seen
    kernel[:, model.classes_] = coefficients.T / scale
    bias[model.classes_] = intercept - (center / scale) @ coefficients.T
    return kernel.astype(np.float32), bias.astype(np.float32)


def _try(
    head: tuple[Floats, Floats], strength: float, features: Floats, labels: NDArray[np.int64]
) -> Trial:
    logs = log_softmax((features @ head[0] + head[1]).astype(np.float64), axis=1)
    return Trial(
        strength,
        float(-logs[np.arange(len(labels)), labels].mean()),
        accuracy(labels, logs.argmax(1)),
    )


def write_strengths(head: LinearHead, run: Run) -> None:
    """Write what was tried into the run's folder: `regularisation.csv` and `plots/regularisation.png`.

    Raises:
        StorageError: they cannot be written.
    """
    text = io.StringIO()
    rows = [
        [f"{one.strength:g}", f"{one.log_loss:.6f}", f"{one.accuracy.value:.6f}"]
        for one in head.trials
    ]
    csv.writer(text, lineterminator="\n").writerows(
        [["strength", "val_log_loss", "val_accuracy"], *rows]
    )
    run.write("regularisation.csv", text.getvalue())
    figure = show_regularization(
        [one.strength for one in head.trials],
        [one.log_loss for one in head.trials],
        [one.accuracy for one in head.trials],
        chosen=head.strength,
    )
    run.write_figure("regularisation", figure)
