"""Slices: images that a classifier finds harder than others, and classes that it confuses.

Whether a slice is worse is tested among images of the same class: a folder that holds only one hard
class is no slice of its own. Given the number of mistakes in each class, the number that fall into
the slice by chance is a sum of hypergeometric numbers, so the test is exact. Holm's method corrects
for the number of slices, and likewise for the number of pairs of classes.

Sources     Cochran, "Some Methods for Strengthening the Common chi-squared Tests", 1954, and
            Mantel, Haenszel, 1959: comparison within strata
            Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom

from convlens.evaluation.metrics import wilson
from convlens.evaluation.paired import holm
from convlens.evaluation.scores import Score

SIGNIFICANT = 0.05  # of the corrected p
FEWEST = 20  # images of a slice
PARTS = 4  # of a column of numbers, with equally many images each
MOST_VALUES = 200  # different words of a column; one with more of them is no division

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class HardPair:
    """Two classes that are taken for one another more often than others are.

    Attributes:
        first: The class of which more images are taken for the other one.
        second: The other class.
        confused: The share of the images of both that are taken for the other one.
        p: The corrected probability that a pair is confused so often where all pairs are alike.
        indices: The images that are taken for the other class.
    """

    first: int
    second: int
    confused: Score
    p: float
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """Images that have something in common and on which a classifier is worse than on others.

    Attributes:
        column: What they have in common, such as "brightness" or "camera".
        value: The word that they share, or None for a range of numbers.
        bounds: The least and the largest number, or None for a word.
        accuracy: The accuracy on these images.
        expected: The accuracy of other images of the same classes, in the proportions of the slice.
        p: The corrected probability of so many mistakes by chance.
        indices: The images of the slice that are misclassified.
    """

    column: str
    value: str | None
    bounds: tuple[float, float] | None
    accuracy: Score
    expected: float
    p: float
    indices: tuple[int, ...]


def hard_pairs(
    indices: NDArray[np.int64], labels: Labels, predicted: Labels, num_classes: int
) -> tuple[HardPair, ...]:
    """Return the pairs of classes that are confused more often than pairs are in the mean.

    Args:
        indices: (m,) the images, as indices into the data set.
        labels: (m,) their labels.
        predicted: (m,) their predicted classes.
        num_classes: The number of classes. With two classes there is only one pair.
    """
    counts = np.bincount(labels, minlength=num_classes)
    mistakes = int((labels != predicted).sum())
    # Each mistake falls on one of the other classes, which are alike by chance.
    mean = mistakes / max(1, len(labels)) / max(1, num_classes - 1)
    pairs = list(combinations(range(num_classes), 2))
    cells = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(cells, (labels, predicted), 1)
    confused = np.array([cells[a, b] + cells[b, a] for a, b in pairs])
    images = np.array([counts[a] + counts[b] for a, b in pairs])
    corrected = holm(binom.sf(confused - 1, images, mean).tolist())
    found = []
    for number in np.argsort(-confused / np.maximum(images, 1), kind="stable"):
        if corrected[number] >= SIGNIFICANT or num_classes < 3:
            continue
        one, other = pairs[number]
        if cells[other, one] > cells[one, other]:
            one, other = other, one
        are = ((labels == one) & (predicted == other)) | ((labels == other) & (predicted == one))
        found.append(
            HardPair(
                first=one,
                second=other,
                confused=wilson(int(confused[number]), int(images[number])),
                p=corrected[number],
                indices=tuple(indices[are].tolist()),
            )
        )
    return tuple(found)


def worse_slices(
    indices: NDArray[np.int64],
    labels: Labels,
    predicted: Labels,
    columns: Mapping[str, NDArray[Any]],
) -> tuple[Slice, ...]:
    """Return the slices on which a classifier is worse than on other images of the same classes.

    Args:
        indices: (m,) the images, as indices into the data set.
        labels: (m,) their labels.
        predicted: (m,) their predicted classes.
        columns: (m,) facts of the images by name: numbers, of which NaN is unknown, or words, of
            which "" is unknown. Numbers are divided into quarters, words by value.
    """
    wrong = labels != predicted
    slices = list(_divide(columns))
    expected = [_expected(inside, labels, wrong) for _, _, _, inside in slices]
    corrected = holm([_chance(inside, labels, wrong) for _, _, _, inside in slices])
    found = [
        Slice(
            column=column,
            value=value,
            bounds=bounds,
            accuracy=wilson(int((inside & ~wrong).sum()), int(inside.sum())),
            expected=accuracy,
            p=p,
            indices=tuple(indices[inside & wrong].tolist()),
        )
        for (column, value, bounds, inside), accuracy, p in zip(
            slices, expected, corrected, strict=True
        )
        if p < SIGNIFICANT
    ]
    return tuple(sorted(found, key=lambda one: one.p))


def _divide(
    columns: Mapping[str, NDArray[Any]],
) -> Iterator[tuple[str, str | None, tuple[float, float] | None, NDArray[np.bool_]]]:
    """Yield (column, value, bounds, (m,) whether an image is inside) of all slices to test."""
    for column, values in columns.items():
        if values.dtype.kind in "US":
            words, counts = np.unique(values, return_counts=True)
            if len(words) > MOST_VALUES:
                continue
            for word in words[(counts >= FEWEST) & (counts < len(values)) & (words != "")]:
                yield column, str(word), None, values == word
            continue
        known = values[~np.isnan(values)]
        if not len(known):
            continue
        edges = np.quantile(known, np.linspace(0, 1, PARTS + 1)[1:], method="lower")
        for low, high in pairwise([-np.inf, *edges]):
            # Where many values are equal, they are one part, and others are empty.
            inside = (values > low) & (values <= high)
            if FEWEST <= inside.sum() < len(values):
                own = values[inside]
                yield column, None, (float(own.min()), float(own.max())), inside


def _strata(
    inside: NDArray[np.bool_], labels: Labels, wrong: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (num_classes,) images, mistakes, and images inside the slice, of each class."""
    size = int(labels.max(initial=0)) + 1
    return (
        np.bincount(labels, minlength=size),
        np.bincount(labels[wrong], minlength=size),
        np.bincount(labels[inside], minlength=size),
    )


def _expected(inside: NDArray[np.bool_], labels: Labels, wrong: NDArray[np.bool_]) -> float:
    """Return the accuracy outside a slice, with each class weighted as inside.

    A class with no image outside counts with its accuracy inside.
    """
    images, mistakes, chosen = _strata(inside, labels, wrong)
    of_inside = np.bincount(labels[inside & wrong], minlength=len(images))
    outside = images - chosen
    rate_inside = of_inside / np.maximum(chosen, 1)
    rate_outside = (mistakes - of_inside) / np.maximum(outside, 1)
    rates = np.where(outside > 0, rate_outside, rate_inside)
    return float(1 - (rates * chosen).sum() / chosen.sum())


def _chance(inside: NDArray[np.bool_], labels: Labels, wrong: NDArray[np.bool_]) -> float:
    """Return the probability of as many mistakes inside, or more, where they fall by chance."""
    images, mistakes, chosen = _strata(inside, labels, wrong)
    distribution = np.ones(1)
    for total, failed, drawn in zip(images, mistakes, chosen, strict=True):
        if failed and drawn:
            own = hypergeom.pmf(np.arange(min(failed, drawn) + 1), total, failed, drawn)
            distribution = np.convolve(distribution, own)
    return float(min(1.0, distribution[int((inside & wrong).sum()) :].sum()))
