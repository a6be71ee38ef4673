"""Out of fold: what models say of images that they have not learned from.

The model is a kernel ridge regression on the features of images: it compares an image with some
others, the landmarks, by a Gaussian kernel, and fits the classes by least squares. It finds more
wrong labels than a logistic regression on the same features, and takes seconds; the measurements
are in docs/decisions/labels.md. What a regression would say that had learned from all images except
for those of one cluster follows from one that has learned from all: every cluster is a fold. A
temperature turns the outputs into probabilities.

Sources     Williams, Seeger, "Using the Nyström Method to Speed Up Kernel Machines", 2001
            Allen, "The Relationship Between Variable Selection and Data Augmentation and a Method
            for Prediction", Technometrics 16, 1974: leaving out one, without fitting again
            Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", 2017,
            arXiv:1706.04599: the temperature
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import pairwise_distances
from threadpoolctl import threadpool_limits

from convlens.audit.components import principal_components
from convlens.transfer.heads import Floats

# Images of a class, in clusters of their own, from which on its labels are judged.
FEWEST = 4
COMPONENTS = 256  # principal components of the features
LANDMARKS = 2000
STRENGTHS = (0.1, 0.3, 1.0)  # of the regularisation
JITTER = 1e-4  # added to the kernel of the landmarks, so that it can be inverted in float32
AT_A_TIME = 4096  # clusters that are left out at a time
BOUNDS = (0.0, math.log(100))  # of the logarithm of the factor before the softmax

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Judged:
    """What models say of images that they have not learned from.

    Attributes:
        indices: (m,) the images, as ascending indices into the data set.
        probabilities: (m, num_classes) predicted probabilities.
    """

    indices: NDArray[np.int64]
    probabilities: Floats


def judge_out_of_fold(
    features: Floats,
    labels: Labels,
    num_classes: int,
    clusters: NDArray[np.int64],
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Judged:
    """Return what regressions say of each image that learned from all clusters except for its own.

    Since copies are in one cluster, no copy of an image helps to judge it. Images of a class with
    fewer than FEWEST clusters are not judged, as hardly any model knows their class.

    Args:
        features: (n, width) features of the images.
        labels: (n,) their labels.
        num_classes: The number of classes.
        clusters: (n,) numbers, equal for images that belong together; see
            `convlens.data.clusters.belonging_together`.
        seed: The seed of the landmarks.
        progress: Called with the number of regressions that are done, and of all.
    """
    different = np.array(
        [len(np.unique(clusters[labels == label])) for label in range(num_classes)]
    )
    pool = np.flatnonzero(different[labels] >= FEWEST)
    if len(np.unique(labels[pool])) < 2:
        return Judged(pool[:0], np.empty((0, num_classes), np.float32))
    with threadpool_limits(1, "blas"):
        kernel = _kernel_features(np.asarray(features[pool]), seed)
        targets = np.eye(num_classes, dtype=np.float32)[labels[pool]]
        outputs = _regress(kernel, targets, clusters[pool], progress)
    probabilities = min(
        (_calibrated(one, labels[pool]) for one in outputs),
        key=lambda rows: _log_loss(np.log(rows), labels[pool]),
    )
    return Judged(pool, probabilities.astype(np.float32))


def _kernel_features(features: Floats, seed: int) -> Floats:
    """Return (n, landmarks) numbers whose products approximate a Gaussian kernel of the features.

    The kernel is exp(-d / w), where d is a squared distance and w is twice the median of those
    between an image and a landmark.
    """
    solver = "covariance_eigh" if features.shape[0] > features.shape[1] else "full"
    points = principal_components(features, COMPONENTS, solver)
    rng = np.random.default_rng(seed)
    landmarks = points[rng.permutation(len(points))[:LANDMARKS]]
    squares: Floats = pairwise_distances(points, landmarks, "sqeuclidean")
    width = 2 * float(np.median(squares[:LANDMARKS])) or 1.0
    among = np.exp(-pairwise_distances(landmarks, metric="sqeuclidean").astype(np.float64) / width)
    factor = cholesky(among + JITTER * np.eye(len(landmarks)), lower=True).astype(np.float32)
    values = np.exp(-squares / width, out=squares)
    return np.ascontiguousarray(solve_triangular(factor, values.T, lower=True).T)


def _regress(
    features: Floats,
    targets: Floats,
    clusters: NDArray[np.int64],
    progress: Callable[[int, int], None] | None,
) -> list[Floats]:
    """Return (n, num_classes) outputs without the cluster of each image, for each of STRENGTHS.

    Args:
        features: (n, width) features.
        targets: (n, num_classes) the labels as rows of 0 and 1.
        clusters: (n,) numbers, equal for images that are left out together.
        progress: Called with the number of regressions that are done, and of all.
    """
    centred = targets - targets.mean(axis=0)
    products = features.T @ features
    sums = features.T @ centred
    order = np.argsort(clusters, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1)
    outputs = []
    for number, strength in enumerate(STRENGTHS, start=1):
        ridge = strength * np.eye(len(products), dtype=np.float32)
        factor = cholesky(products + ridge, lower=True, overwrite_a=True)
        weights = solve_triangular(factor, sums, lower=True)
        output = targets.copy()
        for start in range(0, len(members), AT_A_TIME):
            some = members[start : start + AT_A_TIME]
            held = np.concatenate(some)
            rows = solve_triangular(factor, features[held].T, lower=True).T
            errors = centred[held] - rows @ weights
            output[held] -= _left_out(rows, errors, [len(one) for one in some])
        outputs.append(output)
        if progress is not None:
            progress(number, len(STRENGTHS))
    return outputs


def _left_out(rows: Floats, errors: Floats, sizes: list[int]) -> Floats:
    """Return (m, num_classes) errors of regressions that did not learn from the image's cluster.

    Args:
        rows: (m, width) rows whose products are the matrix that takes targets to fitted values.
        errors: (m, num_classes) targets less fitted values of the regression on all images.
        sizes: The number of images in each cluster, in the order of the rows.
    """
    found: Floats = errors / (1 - np.square(rows).sum(axis=1, keepdims=True))
    width = rows.shape[1]
    end = 0
    for size in sizes:
        end += size
        if size == 1:
            continue
        part = rows[end - size : end]
        wrong = errors[end - size : end]
        if size <= width:
            found[end - size : end] = np.linalg.solve(np.eye(size) - part @ part.T, wrong)
        else:  # the same by the smaller matrix (Woodbury)
            inner = np.linalg.solve(np.eye(width) - part.T @ part, part.T @ wrong)
            found[end - size : end] = wrong + part @ inner
    return found


def _calibrated(outputs: Floats, labels: Labels) -> NDArray[np.float64]:
    """Return the softmax of outputs times the factor for which the labels are most probable."""
    logits = outputs.astype(np.float64)

    def loss(exponent: float) -> float:
        return _log_loss(log_softmax(math.exp(exponent) * logits, axis=1), labels)

    best = minimize_scalar(loss, bounds=BOUNDS, method="bounded").x
    probabilities: NDArray[np.float64] = softmax(math.exp(best) * logits, axis=1)
    return probabilities


def _log_loss(logs: NDArray[np.float64], labels: Labels) -> float:
    return float(-logs[np.arange(len(labels)), labels].mean())
