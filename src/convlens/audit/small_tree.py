"""Small tree: a classification tree of few leaves (CART; Breiman et al., 1984).

It is scikit-learn's, but for equally good splits, of which the first column is taken. The import of
scikit-learn takes most of a second, which is as long as an audit of a thousand small images.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.audit.strata import places_in_class


class Split(NamedTuple):
    """A question that divides images: whether a value is above a limit.

    Attributes:
        column: The place of the value.
        limit: The limit.
        gain: By how much Gini's impurity becomes less, times the number of images.
    """

    column: int
    limit: float
    gain: float


class Tree(NamedTuple):
    """A tree, or a branch of it.

    Attributes:
        counts: (num_classes,) the images of each class from which it was grown.
        split: What is asked; None in a leaf.
        branches: The trees of the images that are not above the limit, and of those that are.
    """

    counts: NDArray[np.int64]
    split: Split | None = None
    branches: tuple["Tree", ...] = ()

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return (n,) the class of each row of (n, columns) values."""
        found = np.full(len(values), self.counts.argmax(), np.int64)
        if self.split is not None:
            above = values[:, self.split.column] > self.split.limit
            for side, branch in zip((~above, above), self.branches, strict=True):
                found[side] = branch.predict(values[side])
        return found

    def splits(self) -> Iterator[Split]:
        """Yield all splits."""
        if self.split is not None:
            yield self.split
        for branch in self.branches:
            yield from branch.splits()


def grow(values: NDArray[np.float64], labels: NDArray[np.int64], depth: int, leaf: int) -> Tree:
    """Return a tree that predicts labels from values.

    Args:
        values: (n, columns).
        labels: (n,) class indices.
        depth: The largest number of splits on the way to a leaf.
        leaf: The least number of images of a leaf.
    """
    counts = np.bincount(labels, minlength=int(labels.max(initial=0)) + 1)
    return _grown(values, labels, len(counts), depth, leaf)


def _grown(
    values: NDArray[np.float64], labels: NDArray[np.int64], classes: int, depth: int, leaf: int
) -> Tree:
    counts = np.bincount(labels, minlength=classes)
    split = _best_split(values, labels, counts, leaf) if depth else None
    if split is None:
        return Tree(counts)
    above = values[:, split.column] > split.limit
    sides = (~above, above)
    grown = [_grown(values[side], labels[side], classes, depth - 1, leaf) for side in sides]
    return Tree(counts, split, tuple(grown))


def _best_split(
    values: NDArray[np.float64], labels: NDArray[np.int64], counts: NDArray[np.int64], leaf: int
) -> Split | None:
    """Return the split after which images are most of one class, or None if none helps.

    The sums of the squared numbers of images of each class, on both sides, tell how pure they are.
    They change by little when an image goes from one side to the other.
    """
    number = len(labels)
    all_squares = int((counts**2).sum())
    lower = np.arange(1, number)
    best = None
    for column, column_values in enumerate(values.T):
        order = np.argsort(column_values)
        ordered = column_values[order]
        possible = ordered[1:] > ordered[:-1]
        possible[: leaf - 1] = False
        possible[number - leaf :] = False
        if not possible.any():
            continue
        before = places_in_class(labels[order])
        below = np.cumsum(2 * before + 1)[:-1]
        above = all_squares - np.cumsum(2 * (counts[labels[order]] - before) - 1)[:-1]
        purity = np.where(possible, below / lower + above / (number - lower), 0.0)
        place = int(purity.argmax())
        gain = float(purity[place]) - all_squares / number
        if gain > (1e-9 if best is None else best.gain):
            best = Split(column, float(ordered[place : place + 2].mean()), gain)
    return best
