"""Scores with their 95 % intervals: pure functions of labels, predictions and probabilities.

Proportions have Wilson's interval (1927; Newcombe, 1998), other scores a bootstrap over the images (Efron, 1979).
The values are scikit-learn's; a score that has no images to be computed from is NaN here and null in JSON.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from convlens.evaluation.scores import Bin, ClassScores, Score

__all__ = [
    "RESAMPLES",
    "accuracy",
    "calibration_bins",
    "class_scores",
    "confusion_matrix",
    "expected_calibration_error",
    "log_loss",
    "macro_scores",
    "top_k_accuracy",
    "wilson",
]

RESAMPLES = 1000
CELLS = 4_000_000  # numbers of all resamples held at once: at most 24 bytes each, 100 MB
BINS = 15  # Guo et al., 2017
INTERVAL = (2.5, 97.5)  # percentiles: 95 %

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]


def wilson(successes: int, n: int) -> Score:
    """Return the share successes / n with Wilson's 95 % interval, without continuity correction.

    Newcombe's (1998, table I) 81 of 263:

    >>> score = wilson(81, 263)
    >>> round(score.low, 4), round(score.high, 4)
    (0.2553, 0.3662)
    """
    if n == 0:
        return Score(math.nan, math.nan, math.nan, 0)
    interval = binomtest(int(successes), int(n)).proportion_ci(method="wilson")
    return Score(float(successes / n), float(interval.low), float(interval.high), int(n))


def accuracy(labels: Integers, predicted: Integers) -> Score:
    """Return the share of images whose predicted class, (n,), is their label, (n,)."""
    return wilson(int(np.sum(labels == predicted)), len(labels))


def top_k_accuracy(labels: Integers, probabilities: Floats, k: int) -> Score:
    """Return the share of images whose label, (n,), is among the k most probable classes of (n, num_classes).

    Equal probabilities rank in class order, so that k = 1 is `accuracy` of the argmax.
    """
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return wilson(int(np.sum(top == labels[:, None])), len(labels))


def confusion_matrix(labels: Integers, predicted: Integers, num_classes: int) -> NDArray[np.int64]:
    """Return (num_classes, num_classes) counts: the row is the true class, the column the predicted one."""
    cells = np.asarray(labels, np.int64) * num_classes + predicted
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(
    confusion: NDArray[np.int64], class_names: tuple[str, ...]
) -> tuple[ClassScores, ...]:
    """Return precision, recall and F1 of each class.

    Precision of a class that was never predicted, and recall and F1 of one without images, are not defined.
    F1 = 2 s / (1 + s) grows with the share s = right / (right + missed + wrongly named), so that Wilson's interval
    of s gives that of F1 (Lam, Gopal, Qian, 2023, arXiv:2309.14621: "Wilson indirect").
    """
    scores = []
    for index, name in enumerate(class_names):
        right, images, predicted = (
            confusion[index, index],
            confusion[index].sum(),
            confusion[:, index].sum(),
        )
        share = wilson(right, images + predicted - right if images else 0)
        value, low, high = (2 * s / (1 + s) for s in (share.value, share.low, share.high))
        scores.append(
            ClassScores(
                name,
                int(images),
                int(predicted),
                precision=wilson(right, predicted),
                recall=wilson(right, images),
                f1=Score(value, low, high, int(images)),
            )
        )
    return tuple(scores)


def macro_scores(
    confusion: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Score]:
    """Return balanced_accuracy, macro_precision, macro_recall and macro_f1 with bootstrap intervals.

    Means over the classes that have images; a class that was never predicted has precision 0 in the mean, as in
    scikit-learn. Drawing images anew only changes the cells of the confusion matrix, whose counts are multinomial:
    that is what is drawn. Where there is no mistake the bootstrap has nothing to vary, and Wilson's lower end on the
    number of images takes its place; where each class is all right or all wrong, the mean ends of the classes' own
    intervals do, which is wider than need be.
    """
    names = ("macro_precision", "macro_recall", "macro_f1")
    total = int(confusion.sum())
    values = _macro(confusion[None])[0]
    drawn = np.concatenate([_macro(chunk) for chunk in _redraw(confusion, resamples, seed)])
    low, high = np.percentile(drawn, INTERVAL, axis=0)
    if np.trace(confusion) == total:
        low = np.full(3, wilson(total, total).low)
    elif (
        low == high
    ).any():  # every class all right or all wrong: the bootstrap has nothing to vary here either
        low, high = np.where(low == high, _mean_bounds(confusion), [low, high])
    scores = {
        n: Score(float(v), float(a), float(b), total)
        for n, v, a, b in zip(names, values, low, high, strict=True)
    }
    return {"balanced_accuracy": scores["macro_recall"], **scores}


def _mean_bounds(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (2, 3): mean low and high ends of the present classes' precision, recall and F1 intervals."""
    rows = [row for row in class_scores(confusion, ("",) * len(confusion)) if row.images]
    ends = [
        [(score.low, score.high) for score in (row.precision, row.recall, row.f1)] for row in rows
    ]
    bounds = np.asarray(
        ends, np.float64
    )  # (classes, 3, 2); undefined where a class was never predicted
    bounds = np.where(np.isnan(bounds), [0.0, 1.0], bounds)
    return np.asarray(bounds.mean(0).T)


def _macro(confusions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (m, 3) macro precision, recall and F1 of (m, num_classes, num_classes)."""
    right = np.diagonal(confusions, axis1=1, axis2=2)
    images, predicted = confusions.sum(2), confusions.sum(1)
    per_class = np.stack([right / np.maximum(predicted, 1), right / np.maximum(images, 1),
                          2 * right / np.maximum(images + predicted, 1)])  # fmt: skip
    present = images > 0
    return np.asarray((per_class * present).sum(2) / present.sum(1)).T


def _redraw(confusion: NDArray[np.int64], resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield confusion matrices of as many images drawn with replacement, a chunk at a time."""
    random = np.random.default_rng(seed)
    cells, total = np.flatnonzero(confusion), confusion.sum()
    for size in _chunks(resamples, confusion.size):
        drawn = np.zeros((size, confusion.size), np.int64)
        drawn[:, cells] = random.multinomial(total, confusion.ravel()[cells] / total, size=size)
        yield drawn.reshape(size, *confusion.shape)


def log_loss(
    labels: Integers, probabilities: Floats, *, resamples: int = RESAMPLES, seed: int = 0
) -> Score:
    """Return the mean of -ln(probability of the true class) with a bootstrap interval; 0 is perfect.

    A probability below the precision of its data type counts as that precision, as in scikit-learn.
    """
    of_label = probabilities[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(of_label, np.finfo(of_label.dtype).eps).astype(np.float64))
    means = _resampled_sums(losses[:, None], resamples, seed)[:, 0] / len(labels)
    low, high = np.percentile(means, INTERVAL)
    return Score(float(losses.mean()), float(low), float(high), len(labels), percent=False)


def calibration_bins(
    labels: Integers, probabilities: Floats, *, bins: int = BINS
) -> tuple[Bin, ...]:
    """Return `bins` bins of equal width over the confidence, the largest probability of each row; some may be empty."""
    confidence, right, place = _binned(labels, probabilities, bins)
    edges = np.linspace(0, 1, bins + 1)
    counts = np.bincount(place, minlength=bins)
    sums, rights = (np.bincount(place, weights=w, minlength=bins) for w in (confidence, right))
    return tuple(
        Bin(
            float(edges[i]),
            float(edges[i + 1]),
            float(sums[i] / counts[i]) if counts[i] else math.nan,
            wilson(round(rights[i]), counts[i]),
        )
        for i in range(bins)
    )


def expected_calibration_error(
    labels: Integers,
    probabilities: Floats,
    *,
    bins: int = BINS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Score:
    """Return the mean distance of confidence and accuracy over the bins, weighted by their images (Guo et al., 2017).

    The error of few images comes out too large, and that of images drawn anew from them larger still: percentiles
    would lie above the value. The interval is therefore the bootstrap's basic one, mirrored at the value, which takes
    that excess away. It reaches down to 0 where images that are right exactly as often as their confidence says
    would show such an error too (Broecker and Smith, 2007: consistency resampling).
    """
    confidence, right, place = _binned(labels, probabilities, bins)
    n = len(labels)
    of_bin = np.eye(bins)[place]  # (n, bins)
    value = float(np.abs((confidence - right) @ of_bin).sum() / n)
    errors = (
        np.abs(_resampled_sums((confidence - right)[:, None] * of_bin, resamples, seed)).sum(1) / n
    )
    excess, shortfall = np.percentile(errors - value, INTERVAL)[::-1]
    low = 0.0 if value <= _error_by_chance(confidence, of_bin, resamples, seed) else value - excess
    return Score(value, min(value, max(low, 0.0)), max(value, value - shortfall), n)


def _error_by_chance(confidence: Floats, of_bin: Floats, resamples: int, seed: int) -> float:
    """Return the calibration error that images right as often as their confidence says exceed in 2.5 % of draws."""
    random = np.random.default_rng(seed)
    errors: list[float] = []
    for size in _chunks(resamples, len(confidence)):
        draws = random.random((size, len(confidence)), dtype=np.float32)
        errors.extend(np.abs((confidence - (draws < confidence)) @ of_bin).sum(1) / len(confidence))
    return float(np.percentile(errors, INTERVAL[1]))


def _binned(labels: Integers, probabilities: Floats, bins: int) -> tuple[Floats, Floats, Integers]:
    """Return (n,) confidence, whether right, and the bin of each image: (low, high]."""
    confidence = probabilities.max(1).astype(np.float64)
    right = (probabilities.argmax(1) == labels).astype(np.float64)
    return confidence, right, np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)


def _resampled_sums(values: Floats, resamples: int, seed: int) -> Floats:
    """Return (resamples, m) sums of the rows of `values`, (n, m), over n rows drawn with replacement."""
    random = np.random.default_rng(seed)
    n, sums = len(values), []
    for size in _chunks(resamples, n):
        drawn = random.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        sums.append(counts @ values)
    return np.concatenate(sums)


def _chunks(resamples: int, numbers: int) -> Iterator[int]:
    """Yield how many resamples of so many numbers each to draw at once, until all are drawn."""
    size = max(1, CELLS // numbers)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
