"""Doubts: labels that models contradict which never saw the image, the surest ones first.

Each image is judged by models that learned from other images, see `convlens.audit.out_of_fold`. A
label is doubted as far as its probability is low. docs/decisions/labels.md has the measurements
behind the method and both cuts.

Source      Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset
            Labels", 2021, arXiv:1911.00068, which judges labels by probabilities out of fold
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.audit.out_of_fold import Judged, Labels
from convlens.evaluation.scores import Score
from convlens.transfer.heads import Floats

# The confidence that "almost surely wrong" needs, besides a place among the first of the ranking.
WRONG = 0.9
# With labels by people of which 9 % were wrong, about half of those above it were, and among them
# four of five of all wrong labels.
LOOK = 0.8


@dataclass(frozen=True)
class Doubt:
    """A label that the models doubt.

    Attributes:
        index: The image, as an index into the data set.
        label: The label that it has.
        suggested: The most probable class.
        confidence: How far the models contradict the label: one minus its probability.
        cut: "wrong" if the label is almost surely wrong, "look" if it is worth a look.
    """

    index: int
    label: int
    suggested: int
    confidence: float
    cut: str


def find_doubts(judged: Judged, labels: Labels, share: Score) -> tuple[Doubt, ...]:
    """Return the labels to doubt, the surest ones first.

    As many labels are "almost surely wrong" as are wrong at least, the first of the ranking. Where
    the lower bound of the share is 0, no label is.

    Args:
        judged: What models say of images that they have not learned from.
        labels: (n,) the labels of all images.
        share: The share of wrong labels among the judged images, see `convlens.audit.share`.
    """
    given = labels[judged.indices]
    suggested = judged.probabilities.argmax(axis=1)
    confidence = wrongness(judged.probabilities, given)
    order = np.argsort(-confidence, kind="stable")
    order = order[(confidence[order] >= LOOK) & (suggested[order] != given[order])]
    surely = int(share.low * len(given)) if share.defined else 0
    return tuple(
        Doubt(
            index=int(judged.indices[one]),
            label=int(given[one]),
            suggested=int(suggested[one]),
            confidence=float(confidence[one]),
            cut="wrong" if place < surely and confidence[one] >= WRONG else "look",
        )
        for place, one in enumerate(order)
    )


def wrongness(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """Return (m,) one minus the probability of each label: how far it is contradicted.

    Args:
        probabilities: (m, num_classes) predicted probabilities.
        labels: (m,) the labels of these images.
    """
    return 1 - probabilities[np.arange(len(labels)), labels].astype(np.float64)
