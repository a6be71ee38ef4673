"""Out of fold: what models say of images that they have not learned from.

The model is a kernel ridge regression on the features of images: it compares an image with some
others, the landmarks, by a Gaussian kernel, and fits the classes by least squares. It finds more
wrong labels than a logistic regression on the same features, and takes seconds; the measurements
are in docs/decisions/labels.md. A temperature turns its outputs into probabilities.

Sources     Williams, Seeger, "Using the Nyström Method to Speed Up Kernel Machines", 2001
            Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", 2017,
            arXiv:1706.04599: the temperature
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import pairwise_distances
from threadpoolctl import threadpool_limits

from convlens.audit.components import principal_components
from convlens.data.folds import folds
from convlens.transfer.heads import Floats

FOLDS = 5
# Images of a class, in clusters of their own, from which on its labels are judged.
FEWEST = 4
COMPONENTS = 256  # principal components of the features
LANDMARKS = 2000
STRENGTHS = (0.1, 0.3, 1.0)  # of the regularisation
JITTER = 1e-4  # added to the kernel of the landmarks, so that it can be inverted in float32
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
    """Return what regressions say of the images of the folds that they have not learned from.

    The images of a cluster are in one fold, so that no copy of an image helps to judge it. Images
    of a class with fewer than FEWEST clusters are left out, as hardly any model knows their class.

    Args:
        features: (n, width) features of the images.
        labels: (n,) their labels.
        num_classes: The number of classes.
        clusters: (n,) numbers, equal for images that belong together; see
            `convlens.data.clusters.belonging_together`.
        seed: The seed of the folds and of the landmarks.
        progress: Called with the number of folds that are done, and of all.
    """
    different = np.array(
        [len(np.unique(clusters[labels == label])) for label in range(num_classes)]
    )
    pool = np.flatnonzero(different[labels] >= FEWEST)
    if len(np.unique(labels[pool])) < 2:
        return Judged(pool[:0], np.empty((0, num_classes), np.float32))
    parts = min(FOLDS, int(different[different >= FEWEST].min()))
    divided = list(folds(labels, clusters, pool, parts, seed))
    known = np.zeros(len(labels), bool)
    for rest, held in divided:
        known[held] = np.isin(labels[held], labels[rest])
    position = np.zeros(len(labels), np.int64)
    position[pool] = np.arange(len(pool))
    with threadpool_limits(1, "blas"):
        kernel = _kernel_features(np.asarray(features[pool]), seed)
        outputs = _regress(
            kernel,
            np.eye(num_classes, dtype=np.float32)[labels[pool]],
            [position[held] for _, held in divided],
            progress,
        )
    probabilities = min(
        (_calibrated(one, labels[pool]) for one in outputs),
        key=lambda rows: _log_loss(np.log(rows), labels[pool]),
    )
    judged = known[pool]
    return Judged(pool[judged], probabilities[judged].astype(np.float32))


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
    divided: list[NDArray[np.int64]],
    progress: Callable[[int, int], None] | None,
) -> list[Floats]:
    """Return the (n, num_classes) outputs out of fold, for each of STRENGTHS.

    Args:
        features: (n, width) features.
        targets: (n, num_classes) the labels as rows of 0 and 1.
        divided: The images of each fold, which are held out once.
        progress: Called with the number of folds that are done, and of all.
    """
    mean = targets.mean(axis=0)
    centred = targets - mean
    products = features.T @ features
    sums = features.T @ centred
    outputs = [np.empty_like(targets) for _ in STRENGTHS]
    for number, held in enumerate(divided, start=1):
        rows = features[held]
        # What remains is that of the other folds.
        of_rest = products - rows.T @ rows
        right = sums - rows.T @ centred[held]
        for strength, output in zip(STRENGTHS, outputs, strict=True):
            matrix = of_rest + strength * np.eye(len(of_rest), dtype=np.float32)
            weights = cho_solve(cho_factor(matrix, overwrite_a=True), right)
            output[held] = rows @ weights + mean
        if progress is not None:
            progress(number, len(divided))
    return outputs


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
