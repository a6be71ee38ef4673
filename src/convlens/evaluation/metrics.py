"""Scores with their 95 % intervals, as pure functions of labels and predictions.

Proportions have Wilson's interval (1927; Newcombe, 1998). Other scores have a bootstrap interval
over the images (Efron, 1979). The values are those of scikit-learn. A score for which there are no
images is NaN here and null in JSON.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from convlens.evaluation.bootstrap import (
    INTERVAL,
    RESAMPLES,
    redrawn_counts,
    resampled_sums,
    uniform_draws,
)
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

BINS = 15  # Guo et al., 2017

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]


def wilson(successes: int, n: int) -> Score:
    """Return the proportion successes / n with Wilson's 95 % interval.

    The interval has no continuity correction. Newcombe's example (1998, table I), 81 of 263:

    >>> score = wilson(81, 263)
    >>> round(score.low, 4), round(score.high, 4)
    (0.2553, 0.3662)
    """
    if n == 0:
        return Score(math.nan, math.nan, math.nan, 0)
    # scipy.stats computes the same, but takes 0.4 s to import.
    share = successes / n
    z = ndtri(INTERVAL[1] / 100)
    middle = (2 * n * share + z**2) / (2 * (n + z**2))
    half = z * math.sqrt(4 * n * share * (1 - share) + z**2) / (2 * (n + z**2))
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return Score(float(share), float(low), float(high), int(n))


def accuracy(labels: Integers, predicted: Integers) -> Score:
    """Return the share of images whose predicted class equals their label, both (n,); see `wilson`.

    >>> print(accuracy(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0])))
    75.0 % [30.1, 95.4] n=4
    """
    return wilson(int(np.sum(labels == predicted)), len(labels))


def top_k_accuracy(labels: Integers, probabilities: Floats, k: int) -> Score:
    """Return the share of images whose label is among the k most probable classes, see `wilson`.

    Equal probabilities are ranked in the order of the classes, so that k = 1 gives the `accuracy`
    of the argmax.

    Args:
        labels: (n,) true classes.
        probabilities: (n, num_classes).
        k: How many classes count.
    """
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return wilson(int(np.sum(top == labels[:, None])), len(labels))


def confusion_matrix(labels: Integers, predicted: Integers, num_classes: int) -> NDArray[np.int64]:
    """Return (num_classes, num_classes) counts, with true classes as rows and predicted as columns.

    Args:
        labels: (n,) true classes.
        predicted: (n,) predicted classes.
        num_classes: The number of classes, including those without an image.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    cells = np.asarray(labels, np.int64) * num_classes + predicted
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(
    confusion: NDArray[np.int64], class_names: tuple[str, ...]
) -> tuple[ClassScores, ...]:
    """Return precision, recall and F1 of each class.

    The precision of a class that was never predicted is not defined; neither are recall and F1 of a
    class without images. F1 = 2 s / (1 + s) grows with the share s = correct / (correct + missed +
    wrongly predicted). Wilson's interval of s therefore gives the interval of F1 (Lam, Gopal, Qian,
    2023, arXiv:2309.14621: "Wilson indirect").

    Args:
        confusion: (num_classes, num_classes) counts, see `confusion_matrix`.
        class_names: The names of the classes.
    """
    scores = []
    for index, name in enumerate(class_names):
        correct = confusion[index, index]
        images = int(confusion[index].sum())
        predicted = int(confusion[:, index].sum())
        share = wilson(correct, images + predicted - correct if images else 0)
        value, low, high = (2 * s / (1 + s) for s in (share.value, share.low, share.high))
        scores.append(
            ClassScores(
                name,
                images,
                predicted,
                precision=wilson(correct, predicted),
                recall=wilson(correct, images),
                f1=Score(value, low, high, images),
            )
        )
    return tuple(scores)


def macro_scores(
    confusion: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Score]:
    """Return the macro averages of precision, recall and F1, and the balanced accuracy.

    They are means over the classes that have images. As in scikit-learn, a class that was never
    predicted counts with a precision of 0. The intervals are from a bootstrap: since resampling the
    images only changes the counts of the confusion matrix, which are multinomial, those counts are
    drawn. Where classes have few images, the mean of the resamples is not the value of the images;
    all intervals but that of the precision are moved by the difference, see
    docs/decisions/calibration.md. Every interval holds its value. Without any mistake, it begins at
    the lower end of Wilson's interval for the number of images. If each class is entirely correct
    or entirely wrong, it is wider than necessary: the mean ends of those of the classes.

    Args:
        confusion: (num_classes, num_classes) counts, see `confusion_matrix`.
        resamples: The number of resamples of the bootstrap.
        seed: The seed of the bootstrap.
    """
    names = ("macro_precision", "macro_recall", "macro_f1")
    total = int(confusion.sum())
    values = _macro(confusion[None])[0]
    drawn = np.concatenate([_macro(chunk) for chunk in redrawn_counts(confusion, resamples, seed)])
    moved = values - drawn.mean(axis=0)
    moved[0] = 0  # The precision of few images is too high, and that of resamples nearer the truth.
    low, high = np.percentile(drawn, INTERVAL, axis=0) + moved
    if np.trace(confusion) == total:
        low = np.full(3, wilson(total, total).low)
    elif (low == high).any():
        low, high = np.where(low == high, _mean_bounds(confusion), [low, high])
    scores = {
        name: Score(float(value), float(np.clip(a, 0, value)), float(np.clip(b, value, 1)), total)
        for name, value, a, b in zip(names, values, low, high, strict=True)
    }
    return {"balanced_accuracy": scores["macro_recall"], **scores}


def _mean_bounds(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (2, 3): the mean lower and upper ends of precision, recall and F1 over the classes.

    Classes without images are left out.
    """
    rows = [one for one in class_scores(confusion, ("",) * len(confusion)) if one.images]
    bounds = np.array(
        [[(score.low, score.high) for score in (row.precision, row.recall, row.f1)] for row in rows]
    )
    # The precision of a class that was never predicted can be anything.
    bounds = np.where(np.isnan(bounds), [0.0, 1.0], bounds)
    return np.asarray(bounds.mean(0).T)


def _macro(confusions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (m, 3) macro precision, recall and F1 of (m, num_classes, num_classes) counts."""
    correct = np.diagonal(confusions, axis1=1, axis2=2)
    images = confusions.sum(2)
    predicted = confusions.sum(1)
    per_class = np.stack(
        [
            correct / np.maximum(predicted, 1),
            correct / np.maximum(images, 1),
            2 * correct / np.maximum(images + predicted, 1),
        ]
    )
    present = images > 0
    return np.asarray((per_class * present).sum(2) / present.sum(1)).T


def log_loss(
    labels: Integers, probabilities: Floats, *, resamples: int = RESAMPLES, seed: int = 0
) -> Score:
    """Return the mean of -ln(probability of the true class) with a bootstrap interval.

    0 is perfect. As in scikit-learn, a probability below the precision of its data type counts as
    that precision.

    Args:
        labels: (n,) true classes.
        probabilities: (n, num_classes).
        resamples: The number of resamples of the bootstrap.
        seed: The seed of the bootstrap.
    """
    of_label = probabilities[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(of_label, np.finfo(of_label.dtype).eps).astype(np.float64))
    means = resampled_sums(losses[:, None], resamples, seed)[:, 0] / len(labels)
    low, high = np.percentile(means, INTERVAL)
    return Score(float(losses.mean()), float(low), float(high), len(labels), percent=False)


def calibration_bins(
    labels: Integers, probabilities: Floats, *, bins: int = BINS
) -> tuple[Bin, ...]:
    """Return bins of equal width over the confidence, the largest probability of each image.

    Some bins may be empty.

    Args:
        labels: (n,) true classes.
        probabilities: (n, num_classes).
        bins: The number of bins.
    """
    confidence, correct, place = _binned(labels, probabilities, bins)
    edges = np.linspace(0, 1, bins + 1).tolist()
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, weights=confidence, minlength=bins)
    hits = np.bincount(place, weights=correct, minlength=bins)
    return tuple(
        Bin(
            edges[i],
            edges[i + 1],
            float(sums[i] / counts[i]) if counts[i] else math.nan,
            wilson(round(hits[i]), counts[i]),
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
    """Return the mean distance between confidence and accuracy over the bins (Guo et al., 2017).

    The bins are weighted by their numbers of images. The error of few images comes out too large,
    and that of images resampled from them is larger still, so that percentiles of the bootstrap
    would lie above the value. The interval is therefore the basic bootstrap interval, mirrored at
    the value, which removes that excess. Its lower end is 0 where perfectly calibrated images would
    show such an error too (Broecker and Smith, 2007: consistency resampling).

    Args:
        labels: (n,) true classes.
        probabilities: (n, num_classes).
        bins: The number of bins.
        resamples: The number of resamples of the bootstrap.
        seed: The seed of the bootstrap.
    """
    confidence, correct, place = _binned(labels, probabilities, bins)
    n = len(labels)
    of_bin = np.eye(bins)[place]  # (n, bins)
    gaps = confidence - correct
    value = float(np.abs(gaps @ of_bin).sum() / n)
    errors = np.abs(resampled_sums(gaps[:, None] * of_bin, resamples, seed)).sum(1) / n
    excess, shortfall = np.percentile(errors - value, INTERVAL)[::-1]
    low = 0.0 if value <= _error_by_chance(confidence, of_bin, resamples, seed) else value - excess
    return Score(value, min(value, max(low, 0.0)), max(value, value - shortfall), n)


def _error_by_chance(confidence: Floats, of_bin: Floats, resamples: int, seed: int) -> float:
    """Return the error that perfectly calibrated images exceed in 2.5 % of the resamples."""
    errors = [
        np.abs((confidence - (draws < confidence)) @ of_bin).sum(1) / len(confidence)
        for draws in uniform_draws(len(confidence), resamples, seed)
    ]
    return float(np.percentile(np.concatenate(errors), INTERVAL[1]))


def _binned(labels: Integers, probabilities: Floats, bins: int) -> tuple[Floats, Floats, Integers]:
    """Return (n,) the confidence, whether it is correct, and the bin (low, high] of each image."""
    confidence = probabilities.max(1).astype(np.float64)
    correct = (probabilities.argmax(1) == labels).astype(np.float64)
    return confidence, correct, np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
