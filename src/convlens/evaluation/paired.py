"""Paired tests: whether the difference between classifiers is more than chance.

Both classifiers have predicted the same images, so only those count that one classifies correctly
and the other does not. McNemar's test asks how likely such an uneven split of them is by chance.
The exact version, which does not need large numbers, is a binomial test. If several pairs are
tested, one of them soon appears significant by chance; Holm's correction keeps the probability of
even one such error at 5 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, ndtri

from convlens.language import N_, _

LEVEL = 0.05  # a difference is significant if its corrected p is below this

VERDICTS = {  # by whether the difference is significant
    True: N_(
        "{first} is better than {second} ({p}): only {first} classifies {first_only:,} of {n:,} "
        "images correctly, only {second} {second_only:,}"
    ),
    False: N_(
        "{first} and {second} cannot be told apart ({p}): only {first} classifies "
        "{first_only:,} of {n:,} images correctly, only {second} {second_only:,}"
    ),
}


@dataclass(frozen=True)
class Pair:
    """Two classifiers on the same images.

    Attributes:
        first: The name of the first classifier.
        second: The name of the second classifier.
        first_only: How many images only the first classifies correctly.
        second_only: How many images only the second classifies correctly.
        p: The p-value of the exact two-sided McNemar test.
        p_corrected: The p-value corrected by Holm's method for all pairs of the comparison.
        n: How many images both have predicted.
    """

    first: str
    second: str
    first_only: int
    second_only: int
    p: float
    p_corrected: float
    n: int

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at the 5 % level over all pairs."""
        return self.p_corrected < LEVEL

    def __str__(self) -> str:
        """Return the verdict, which names the better classifier first.

        >>> print(Pair("a", "b", 30, 9, 0.0011, 0.0033, 500))
        a is better than b (p = 0.0033): only a classifies 30 of 500 images correctly, only b 9
        """
        sides = [(self.first, self.first_only), (self.second, self.second_only)]
        if self.second_only > self.first_only:
            sides.reverse()
        (first, first_only), (second, second_only) = sides
        p = f"p = {self.p_corrected:.2g}" if self.p_corrected >= 1e-4 else "p < 0.0001"
        return _(VERDICTS[self.significant]).format(
            first=first,
            second=second,
            p=p,
            n=self.n,
            first_only=first_only,
            second_only=second_only,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every number as plain data."""
        return {
            "first": self.first,
            "second": self.second,
            "first_only": self.first_only,
            "second_only": self.second_only,
            "p": self.p,
            "p_corrected": self.p_corrected,
            "real": self.significant,
        }


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the p-value of McNemar's exact two-sided test.

    Of 21 children, 1 changed in one direction and 7 in the other (Bentur et al., in Fagerland,
    Lydersen, Laake, 2013):

    >>> round(mcnemar(1, 7), 3)
    0.07
    """
    discordant = first_only + second_only
    fewer = min(first_only, second_only)
    # Both tails of the binomial distribution of probability 1/2 are alike, and meet in the middle.
    return min(1.0, 2 * float(bdtr(fewer, discordant, 0.5)))


def difference_interval(first_only: int, second_only: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two accuracies on the same images.

    It is Wald's interval with one image added to either count (Bonett, Price, 2012), which
    Fagerland, Lydersen and Laake (2014) recommend.

    Args:
        first_only: How many images only the first classifies correctly.
        second_only: How many images only the second classifies correctly.
        n: How many images both have predicted.

    Of the 21 children of `mcnemar`, the share that changed in one direction minus the other:

    >>> [round(end, 3) for end in difference_interval(1, 7, 21)]
    [-0.508, -0.013]
    """
    first = (first_only + 1) / (n + 2)
    second = (second_only + 1) / (n + 2)
    middle = first - second
    half = ndtri(1 - LEVEL / 2) * np.sqrt((first + second - middle**2) / (n + 2))
    return max(-1.0, float(middle - half)), min(1.0, float(middle + half))


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's method (1979), in the same order.

    >>> holm([0.01, 0.04, 0.03, 0.005])
    [0.03, 0.06, 0.06, 0.02]
    """
    order = np.argsort(values, kind="stable")
    raised = np.asarray(values, np.float64)[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return [float(value) for value in corrected]


def judge_pairs(
    pairs: Sequence[tuple[str, str, NDArray[np.bool_], NDArray[np.bool_]]],
) -> list[Pair]:
    """Return the verdict on each of some pairs of classifiers, corrected for their number.

    Args:
        pairs: Of each pair, the two names, and whether the first and the second classifier predict
            each of n images correctly. Other pairs may have other images.
    """
    counts = [
        (int((first & ~second).sum()), int((second & ~first).sum()))
        for _first, _second, first, second in pairs
    ]
    values = [mcnemar(*count) for count in counts]
    return [
        Pair(first, second, *count, p, corrected, len(correct))
        for (first, second, correct, _other), count, p, corrected in zip(
            pairs, counts, values, holm(values), strict=True
        )
    ]


def compare_pairs(names: Sequence[str], correct: NDArray[np.bool_]) -> list[Pair]:
    """Return the verdict on every pair of classifiers that have predicted the same images.

    Args:
        names: The names of m classifiers.
        correct: (m, n) whether each classifier predicts each image correctly. All rows hold the
            same images in the same order.

    Example:
        >>> correct = np.array([[True] * 90 + [False] * 10, [True] * 60 + [False] * 40])
        >>> compare_pairs(["large", "small"], correct)[0].significant
        True
    """
    return judge_pairs(
        [
            (names[i], names[j], correct[i], correct[j])
            for i, j in combinations(range(len(names)), 2)
        ]
    )
