"""Paired test: whether two classifiers differ, or only the images they happened to be scored on.

Both have answered the same images, so only those count that one named rightly and the other did not. McNemar's test
asks how likely so uneven a split of them is by chance; the exact one, which needs no large numbers, is a binomial test.
Where several pairs are tested, one of them soon looks real by chance: Holm's correction keeps the risk of even one
such mistake at 5 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

LEVEL = 0.05  # a corrected p below it is called real


@dataclass(frozen=True)
class Pair:
    """Two classifiers on the same images.

    Attributes:
        first: name of the one.
        second: name of the other.
        first_only: images that only the first named rightly.
        second_only: images that only the second named rightly.
        p: exact McNemar, two-sided.
        p_corrected: by Holm over all pairs of the comparison.
        n: images that both answered.
    """

    first: str
    second: str
    first_only: int
    second_only: int
    p: float
    p_corrected: float
    n: int

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance, at 5 % over all pairs."""
        return self.p_corrected < LEVEL

    def __str__(self) -> str:
        """Return the verdict.

        >>> print(Pair("a", "b", 30, 9, 0.0011, 0.0033, 500))
        a is better than b (p = 0.0033): of 500 images, 30 only a named rightly, 9 only b
        """
        first, second, counts = self.first, self.second, (self.first_only, self.second_only)
        if counts[1] > counts[0]:
            first, second, counts = second, first, (counts[1], counts[0])
        shown = f"p = {self.p_corrected:.2g}" if self.p_corrected >= 1e-4 else "p < 0.0001"
        said = (
            f"{first} is better than {second}"
            if self.real
            else f"{first} and {second} cannot be told apart"
        )
        split = f"{counts[0]:,} only {first} named rightly, {counts[1]:,} only {second}"
        return f"{said} ({shown}): of {self.n:,} images, {split}"

    def to_dict(self) -> dict[str, Any]:
        """Return every number, ready for JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "first_only": self.first_only,
            "second_only": self.second_only,
            "p": self.p,
            "p_corrected": self.p_corrected,
            "real": self.real,
        }


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the exact two-sided p of McNemar's test.

    Of 21 children 1 and 7 had changed one way and the other (Bentur et al. in Fagerland, Lydersen, Laake, 2013):

    >>> round(mcnemar(1, 7), 3)
    0.07
    """
    discordant = first_only + second_only
    return float(binomtest(first_only, discordant).pvalue) if discordant else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm, 1979), in the same order.

    >>> holm([0.01, 0.04, 0.03, 0.005])
    [0.03, 0.06, 0.06, 0.02]
    """
    order = np.argsort(values, kind="stable")
    raised = np.asarray(values, np.float64)[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return [float(value) for value in corrected]


def compare_pairs(names: Sequence[str], right: NDArray[np.bool_]) -> list[Pair]:
    """Return a verdict on every pair of classifiers.

    Args:
        names: m classifiers.
        right: (m, n) whether each named each image rightly; the same images in the same order.
    """
    pairs = list(combinations(range(len(names)), 2))
    counts = [
        (int((right[i] & ~right[j]).sum()), int((right[j] & ~right[i]).sum())) for i, j in pairs
    ]
    values = [mcnemar(*count) for count in counts]
    return [
        Pair(names[i], names[j], *count, p, corrected, right.shape[1])
        for (i, j), count, p, corrected in zip(pairs, counts, values, holm(values), strict=True)
    ]
