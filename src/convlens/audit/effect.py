"""Effect: what leaked images and wrong labels do to the score, measured by quick linear heads.

Two heads learn from the same features, one with the images in question and one without them, and
both predict the same test images. The difference is therefore that of the images alone, and a
paired test says whether it is more than chance. What is left out also makes the training set
smaller, which is a part of the difference. A head is not the network that a user trains, but it
takes seconds, and copies help every learner in the same way: it has seen the answer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset
from convlens.data.draws import draw
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import Pair, compare_pairs, difference_interval
from convlens.evaluation.scores import Score
from convlens.transfer.heads import Floats, fit_linear_head

MOST_IMAGES = 4000  # of training and test; of more, whole clusters are drawn
RANDOM_SHARE = 0.2  # of the images that test where the source has no test set
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Effect:
    """The score with some training images and without them, on the same test images.

    Attributes:
        kind: "leak" for copies across the splits of the source, "random" for copies across a split
            at random, "labels" for labels that are almost surely wrong.
        learned: The accuracy of the head that learned from all training images.
        without: The accuracy of the head that did not learn from the images in question.
        difference: `learned` minus `without`, with the interval of the paired difference.
        pair: The paired test of both.
        train: The number of training images of the first head.
        removed: How many of them the second head did not learn from.
        copied: The accuracy of the first head on the test images that have a copy among the
            training images; None for labels.
        others: Its accuracy on the test images that have none; None for labels.
    """

    kind: str
    learned: Score
    without: Score
    difference: Score
    pair: Pair
    train: int
    removed: int
    copied: Score | None = None
    others: Score | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return every number as plain data."""
        return {
            "kind": self.kind,
            "learned": self.learned.to_dict(),
            "without": self.without.to_dict(),
            "difference": self.difference.to_dict(),
            "pair": self.pair.to_dict(),
            "train": self.train,
            "removed": self.removed,
            "copied": None if self.copied is None else self.copied.to_dict(),
            "others": None if self.others is None else self.others.to_dict(),
        }


def leak_effect(
    features: Floats, indices: Indices, dataset: Dataset, clusters: Indices, seed: int = 0
) -> Effect | None:
    """Return what copies across splits do to the score; None where there are none.

    Args:
        features: (m, width) features of the images that can be read.
        indices: (m,) these images, as indices into the data set.
        dataset: The images. Without a test set of its own, validation images test, and without
            those a fifth of the images, drawn at random.
        clusters: (n,) cluster numbers of all images, which are equal for copies.
        seed: The seed of the draws.
    """
    rng = np.random.default_rng(seed)
    chosen = draw_clusters(clusters[indices], rng)
    of_image = clusters[indices][chosen]
    labels = dataset.labels[indices][chosen]
    is_test, kind = _test_images(dataset, indices[chosen], labels, rng)
    train = np.flatnonzero(~is_test)
    test = np.flatnonzero(is_test)
    if dataset.splits is not None:
        train = train[dataset.splits[indices[chosen]][train] == "train"]
    leaking = np.isin(of_image[train], of_image[test])
    return _compare(
        kind,
        features[chosen],
        labels,
        dataset.num_classes,
        (train, test),
        leaking,
        copied=np.isin(of_image[test], of_image[train]),
    )


def labels_effect(
    features: Floats,
    indices: Indices,
    dataset: Dataset,
    train: Indices,
    test: Indices,
    wrong: Indices,
) -> Effect | None:
    """Return what labels that are almost surely wrong do to the score; None where there are none.

    Args:
        features: (m, width) features of the images of training and test.
        indices: (m,) these images, as ascending indices into the data set.
        dataset: The images.
        train: The training images, as indices into the data set.
        test: The test images, likewise.
        wrong: The images with such a label, likewise.
    """
    trusted = np.setdiff1d(test, wrong)
    places = np.searchsorted(indices, train), np.searchsorted(indices, trusted)
    labels = dataset.labels[indices]
    return _compare("labels", features, labels, dataset.num_classes, places, np.isin(train, wrong))


def draw_clusters(clusters: Indices, rng: np.random.Generator) -> Indices:
    """Return the places of at most MOST_IMAGES images, drawn as whole clusters.

    A cluster that is too large is passed over; where all of them are, single images are drawn.
    """
    names, members = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(members, minlength=len(names))
    taken = np.zeros(len(names), bool)
    left = MOST_IMAGES
    for cluster in rng.permutation(len(names)):
        if sizes[cluster] <= left:
            taken[cluster] = True
            left -= sizes[cluster]
    if not taken.any():
        return np.sort(rng.permutation(len(clusters))[:MOST_IMAGES])
    return np.flatnonzero(taken[members])


def _test_images(
    dataset: Dataset, indices: Indices, labels: Indices, rng: np.random.Generator
) -> tuple[Mask, str]:
    """Return (m,) which images test, and the kind of the effect."""
    if dataset.splits is not None:
        splits = dataset.splits[indices]
        for name in ("test", "val"):
            if (splits == name).any():
                return splits == name, "leak"
    # Each image is a cluster of its own, as in tools that know nothing of copies.
    everyone = np.arange(len(indices))
    ranks = rng.permutation(len(indices)).astype(np.uint64)
    chosen = draw(everyone, labels, everyone, RANDOM_SHARE, ranks)
    return np.isin(everyone, chosen), "random"


def _compare(  # noqa: PLR0913 - facts of the images
    kind: str,
    features: Floats,
    labels: Indices,
    num_classes: int,
    places: tuple[Indices, Indices],
    questioned: Mask,
    copied: Mask | None = None,
) -> Effect | None:
    """Return the effect of the training images in question.

    Args:
        kind: See `Effect`.
        features: (m, width) features.
        labels: (m,) labels.
        num_classes: The number of classes.
        places: The places of the training images and of the test images in them.
        questioned: Which training images are in question.
        copied: Which test images have a copy among the training images.
    """
    train, test = places
    kept = train[~questioned]
    if not questioned.any() or not len(test) or len(np.unique(labels[kept])) < 2:
        return None
    correct = np.array(
        [_correct(features, labels, num_classes, part, test) for part in (train, kept)]
    )
    everyone = np.ones(len(test), bool)
    pair = compare_pairs(["with", "without"], correct)[0]
    low, high = difference_interval(pair.first_only, pair.second_only, pair.n)
    learned, without = (accuracy(everyone, row) for row in correct)
    return Effect(
        kind=kind,
        learned=learned,
        without=without,
        difference=Score(learned.value - without.value, low, high, len(test)),
        pair=pair,
        train=len(train),
        removed=int(questioned.sum()),
        copied=None if copied is None else accuracy(everyone[copied], correct[0][copied]),
        others=None if copied is None else accuracy(everyone[~copied], correct[0][~copied]),
    )


def _correct(
    features: Floats, labels: Indices, num_classes: int, train: Indices, test: Indices
) -> Mask:
    """Return which test images a head classifies correctly that learned from the training images.

    No validation images choose the strength, so both heads of a comparison have the same one.
    """
    head = fit_linear_head(features[train], labels[train], features[:0], labels[:0], num_classes)
    predicted = (features[test] @ head.kernel + head.bias).argmax(axis=1)
    found: Mask = predicted == labels[test]
    return found
