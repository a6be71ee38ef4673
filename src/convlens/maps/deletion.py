"""Deletion: whether the regions that a map ranks first matter more to the logit than others.

A fixed share of the regions is covered in the order of the map. The fall of the logit is compared
with the falls after random choices of as many regions, which are equally large. A choice consists
of the first regions of a random map that is nearly as coarse as the map itself: single regions
would vary less, and a map that points at random would pass too often. If the map is such a random
one, its fall is the largest of n + 1 with a probability of 1 / (n + 1); the share of choices that
fall at least as far, the map's own included, is the p-value of a permutation test.

Source      Petsiuk, Das, Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box
            Models", 2018, arXiv:1806.07421, section 4.3, which deletes pixels in the order of a map
            Phipson, Smyth, "Permutation P-values Should Never Be Zero", 2010, arXiv:1603.05766
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.maps.heat import HeatMap
from convlens.maps.regions import Chosen, Regions, covered, first_of, scattered
from convlens.preprocess import ImageArray

SHARE = 0.2  # of the regions, which are covered
FINEST = 8  # cells along the side of a map that count
FINER = 1.5  # times as many cells along the side of a random map
CHOICES = 100  # random choices, for one map or two
AT_ONCE = 64  # covered copies of an image in memory
CHOICES_A_MAP = 40  # of a page with more maps, so that the least p passes Holm's correction

Logits = Callable[[ImageArray], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Deletion:
    """The outcome of the test.

    Attributes:
        fall: How far the logit falls when the first regions of the map are covered.
        random_falls: (choices,) the same for random choices of as many regions.
        count: The number of regions that were covered.
    """

    fall: float
    random_falls: NDArray[np.float64]
    count: int

    @property
    def p(self) -> float:
        """The one-sided p-value; 1 where a fall is not a number."""
        if not np.isfinite(self.fall):
            return 1.0
        as_far = int((~(self.random_falls < self.fall)).sum())
        return (1 + as_far) / (1 + len(self.random_falls))


def choices_for(maps: int) -> int:
    """Return how many random choices each of several maps of a page is compared with."""
    return max(CHOICES, CHOICES_A_MAP * maps)


def delete(
    heat: HeatMap, pixels: ImageArray, logits: Logits, *, choices: int = CHOICES, seed: int = 0
) -> Deletion:
    """Cover the first regions of a map, and random ones, in one batch of `choices` + 1 images.

    Args:
        heat: The map.
        pixels: (height, width, channels) uint8, the image.
        logits: Computes the (n, num_classes) logits of n images.
        choices: The number of random choices.
        seed: The seed of the random choices.
    """
    return delete_each([heat], pixels, logits, choices=choices, seed=seed)[0]


def delete_each(
    maps: Sequence[HeatMap],
    pixels: ImageArray,
    logits: Logits,
    *,
    choices: int = CHOICES,
    seed: int = 0,
) -> list[Deletion]:
    """Test several maps of one image, which share the random choices and their passes.

    Each outcome is that of `delete`. The further arguments are those of `delete`.

    Args:
        maps: Maps of different targets, all of one shape.
    """
    regions = Regions.over(*pixels.shape[:2])
    count = max(1, round(SHARE * len(regions)))
    height, width = pixels.shape[:2]
    rng = np.random.default_rng(seed)
    cells = tuple(round(FINER * min(side, FINEST)) + 1 for side in maps[0].values.shape)
    chosen = [first_of(regions.order(one.values), [count]) for one in maps]
    for _ in range(choices):
        drawn = scattered(rng.normal(size=cells), height, width, rng)
        chosen.append(first_of(regions.order(drawn), [count]))
    rows = covered_logits(pixels, regions, np.concatenate(chosen), logits)
    found = []
    for number, one in enumerate(maps):
        falls = one.logit - np.asarray(one.target.of(rows))
        found.append(Deletion(float(falls[number]), falls[len(maps) :], count))
    return found


def covered_logits(
    pixels: ImageArray, regions: Regions, chosen: Chosen, logits: Logits
) -> NDArray[np.float64]:
    """Return (n, num_classes) the logits of n copies of an image, of which few are in memory.

    A page with m maps tests each with 40 m copies, which would fill the memory all at once.

    Args:
        pixels: (height, width, channels) uint8, the image.
        regions: The grid over it.
        chosen: (n, regions) which regions are covered in each copy.
        logits: Computes the logits.
    """
    parts = (chosen[start : start + AT_ONCE] for start in range(0, len(chosen), AT_ONCE))
    return np.concatenate([logits(covered(pixels, regions, one)) for one in parts]).astype(float)
