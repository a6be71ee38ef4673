"""Deciding: the smallest region that alone keeps the answer, and the one whose loss changes it."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from convlens.maps.deletion import Logits, covered_logits
from convlens.maps.explanation import Region
from convlens.maps.heat import HeatMap
from convlens.maps.regions import Regions, first_of
from convlens.preprocess import ImageArray

SIZES = 32  # of a region that are tried


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
    rows = covered_logits(pixels, regions, np.concatenate([~removed, removed]), logits)
    found = softmax(rows / temperature, axis=1)
    alone, without = np.split(found, 2)
    label = heat.target.label

    def region(rows: NDArray[np.float64], does: NDArray[np.bool_]) -> Region | None:
        if not does.any():
            return None
        first = int(does.argmax())
        best = int(rows[first].argmax())
        chosen = removed[first].reshape(regions.rows, regions.columns)
        return Region(chosen, class_names[best], float(rows[first, best]))

    keeps = region(alone, alone.argmax(axis=1) == label)
    return keeps, region(without, without.argmax(axis=1) != label)
