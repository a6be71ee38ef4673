"""Doubts: labels that models contradict which never saw the image, the surest ones first.

Each image is judged by a logistic regression on features, which learned from the images of the
other folds. A label is doubted as far as its probability is low. docs/decisions/labels.md has the
measurements behind the method and both cuts.

Source      Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset
            Labels", 2021, arXiv:1911.00068, which judges labels by probabilities out of fold
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from convlens.data.splits import folds
from convlens.transfer.heads import Floats, fit_linear_head

FOLDS = 5
# Images of a class, in clusters of their own, from which on its labels are judged.
FEWEST = 4
WRONG = 0.95  # the confidence from which on a label is almost surely wrong
LOOK = 0.5  # the confidence from which on a label is worth a look

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Doubt:
    """A label that the models doubt.

    Attributes:
        index: The image, as an index into the data set.
        label: The label that it has.
        suggested: The most probable class.
        confidence: The estimated probability that the label is wrong, 0 to 1.
        cut: "wrong" if the label is almost surely wrong, "look" if it is worth a look.
    """

    index: int
    label: int
    suggested: int
    confidence: float
    cut: str


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
    """Return what logistic regressions say of the images of the folds that they did not learn from.

    The images of a cluster are in one fold, so that no copy of an image helps to judge it. Images
    of a class with fewer than FEWEST clusters are left out, as hardly any model knows their class.

    Args:
        features: (n, width) features of the images.
        labels: (n,) their labels.
        num_classes: The number of classes.
        clusters: (n,) cluster numbers, see `convlens.data.splits.clusters_of`.
        seed: The seed of the division into folds.
        progress: Called with the number of folds that are done, and of all.
    """
    different = np.array(
        [len(np.unique(clusters[labels == label])) for label in range(num_classes)]
    )
    pool = np.flatnonzero(different[labels] >= FEWEST)
    probabilities = np.empty((len(labels), num_classes), np.float32)
    if len(np.unique(labels[pool])) < 2:
        return Judged(pool[:0], probabilities[:0])
    parts = min(FOLDS, int(different[different >= FEWEST].min()))
    for number, (rest, held) in enumerate(folds(labels, clusters, pool, parts, seed), start=1):
        head = fit_linear_head(
            features[rest], labels[rest], features[held], labels[held], num_classes
        )
        logits = features[held] @ head.kernel + head.bias
        probabilities[held] = softmax(logits.astype(np.float64), axis=1)
        if progress is not None:
            progress(number, parts)
    return Judged(pool, probabilities[pool])


def find_doubts(judged: Judged, labels: Labels) -> tuple[Doubt, ...]:
    """Return the labels to doubt, the surest ones first.

    Args:
        judged: What models say of images that they have not learned from.
        labels: (n,) the labels of all images.
    """
    given = labels[judged.indices]
    rows = judged.probabilities
    suggested = rows.argmax(axis=1)
    confidence = wrongness(rows, given)
    order = np.argsort(-confidence, kind="stable")
    order = order[(confidence[order] >= LOOK) & (suggested[order] != given[order])]
    return tuple(
        Doubt(
            index=int(judged.indices[one]),
            label=int(given[one]),
            suggested=int(suggested[one]),
            confidence=float(confidence[one]),
            cut="wrong" if confidence[one] >= WRONG else "look",
        )
        for one in order
    )


def wrongness(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """Return (m,) the estimated probability that each label is wrong.

    Args:
        probabilities: (m, num_classes) predicted probabilities.
        labels: (m,) the labels of these images.
    """
    return 1 - probabilities[np.arange(len(labels)), labels].astype(np.float64)
