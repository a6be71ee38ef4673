"""Deciding: the place that costs most when it is covered, and the smallest regions that decide.

A map of positions does not say it by itself. A position of the last feature map answers to more of
the image than its cell, and a trained network may look beside it: where a mark was planted, the
peak of the exact map lies up to 10 pixels of 64 away from it (docs/decisions/explanations.md).
"""

import numpy as np
from scipy.special import softmax

from convlens.maps.deletion import Logits, covered_logits
from convlens.maps.explanation import Place, Region
from convlens.maps.heat import HeatMap
from convlens.maps.regions import WINDOW, Chosen, Regions, first_of, windows
from convlens.preprocess import ImageArray

SIZES = 32  # of a region that are tried
SIZES_AT_ONCE = 8  # before it is looked whether one of them does it


def deciding_regions(
    heat: HeatMap,
    pixels: ImageArray,
    logits: Logits,
    class_names: tuple[str, ...],
    temperature: float = 1.0,
) -> tuple[Region | None, Region | None]:
    """Return the smallest region that keeps the answer, and the smallest that changes it.

    Regions are taken in the order of the map. A region keeps the answer if the class of the map is
    predicted while everything else is covered; it changes the answer if another class is predicted
    while it is covered itself.

    Args:
        heat: A map of the class that is predicted.
        pixels: (height, width, channels) uint8, the image.
        logits: Computes the (n, num_classes) logits of n images.
        class_names: The names of the classes.
        temperature: What the logits are divided by before the softmax.

    Returns:
        The two regions; None where no size that was tried does it.
    """
    regions = Regions.over(*pixels.shape[:2])
    counts = np.unique(np.linspace(0, len(regions), SIZES + 1).round().astype(np.int64))
    removed = first_of(regions.order(heat.values), counts)

    def smallest(covers: Chosen, *, keeps: bool) -> Region | None:
        for start in range(0, len(covers), SIZES_AT_ONCE):  # most are found after a few sizes
            part = covers[start : start + SIZES_AT_ONCE]
            found = softmax(covered_logits(pixels, regions, part, logits) / temperature, axis=1)
            for row, one in enumerate(found, start):
                best = int(one.argmax())
                if (best == heat.target.label) == keeps:
                    chosen = removed[row].reshape(regions.rows, regions.columns)
                    return Region(chosen, class_names[best], float(one[best]))
        return None

    return smallest(~removed, keeps=True), smallest(removed, keeps=False)


def costliest_place(heat: HeatMap, pixels: ImageArray, logits: Logits) -> Place | None:
    """Return the part of the image whose covering lowers what a map explains most.

    The parts are squares of WINDOW x WINDOW regions side by side, at most 64 of them.

    Args:
        heat: A map of what is explained.
        pixels: (height, width, channels) uint8, the image.
        logits: Computes the (n, num_classes) logits of n images.

    Returns:
        The place; None if what is explained falls nowhere.
    """
    height, width = pixels.shape[:2]
    regions = Regions.over(height, width)
    chosen = windows(regions, step=WINDOW)
    falls = heat.logit - np.asarray(heat.target.of(covered_logits(pixels, regions, chosen, logits)))
    best = int(falls.argmax())
    if not falls[best] > 0:
        return None
    covers = chosen[best][regions.number]
    rows, columns = (np.flatnonzero(covers.any(axis=axis)) for axis in (1, 0))
    return Place(
        chosen[best].reshape(regions.rows, regions.columns),
        float(falls[best]),
        (int(rows[0]), int(rows[-1])),
        (int(columns[0]), int(columns[-1])),
        bool((covers & _around_peak(heat, height, width)).any()),
    )


def _around_peak(heat: HeatMap, height: int, width: int) -> Chosen:
    """Return (height, width) which pixels lie in the cell with the largest value, or beside it."""
    rows, columns = heat.values.shape
    row, column = heat.peak
    down = np.abs(np.arange(height) * rows // height - row) <= 1
    return np.outer(down, np.abs(np.arange(width) * columns // width - column) <= 1)
