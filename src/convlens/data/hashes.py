"""Hashes: 256 bits that are nearly the same for images that look the same.

They are the signs of the 256 lowest frequencies of a 64 x 64 grey image (a discrete cosine
transform), as in Facebook's PDQ. The bits are ordered by their frequency, so that the first ones
survive a shift. Parts of an image have hashes of their own, since a crop looks like a part of the
whole.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.data.looks import SIDE
from convlens.preprocess import ImageArray

BITS = 256
FREQUENCIES = 17  # in each direction, of which the 256 lowest together are used
FLAT = 4.0  # grey levels; an image or a part whose contrast is smaller has no hash
CROPS = ((0.95, 2), (0.85, 3), (0.80, 4))  # the sides of parts, and their places in each direction
SMALL_CROPS = CROPS[:1]
Hashes = NDArray[np.uint64]
"""(n, 4) bits of n images."""
Coefficients = NDArray[np.float32]
"""(n, 256) frequencies of n images, the lowest first."""


class Window(NamedTuple):
    """A part of an image, in an even number of pixels of its grey reduction."""

    left: int
    top: int
    width: int
    height: int


WHOLE = Window(0, 0, SIDE, SIDE)


def windows(crops: tuple[tuple[float, int], ...]) -> list[Window]:
    """Return the parts of an image that crops of it are compared with.

    Args:
        crops: The sides of the parts as a share, and the number of places in each direction.
    """
    found = []
    for share, places in crops:
        side = 2 * round(share * SIDE / 2)
        starts = (2 * np.rint(np.linspace(0, (SIDE - side) // 2, places)).astype(int)).tolist()
        found += [Window(left, top, side, side) for top in starts for left in starts]
    return found


def coefficients(greys: ImageArray, window: Window = WHOLE) -> Coefficients:
    """Return the lowest frequencies of a part of grey images, without their mean.

    Each is multiplied by its frequency, since natural images have less of the high ones.

    Args:
        greys: (n, 64, 64).
        window: The part.
    """
    across = _waves(window.left, window.width)
    return _chosen(_waves(window.top, window.height) @ (_halved(greys) @ across.T))


def hashes_of_parts(greys: ImageArray, parts: Sequence[Window]) -> tuple[Hashes, NDArray[np.bool_]]:
    """Return the hashes of parts of images, and which parts are flat.

    All rows are transformed for all parts at once, which is quicker than one part at a time.

    Args:
        greys: (n, 64, 64).
        parts: The m parts.

    Returns:
        hashes: (m, n, 4).
        flat: (m, n).
    """
    across = sorted({(part.left, part.width) for part in parts})
    waves = np.concatenate([_waves(start, size) for start, size in across])
    by_row = _halved(greys) @ waves.T
    hashes = np.zeros((len(parts), len(greys), BITS // 64), np.uint64)
    flat = np.zeros((len(parts), len(greys)), bool)
    for index, part in enumerate(parts):
        place = across.index((part.left, part.width)) * FREQUENCIES
        rows = by_row[:, :, place : place + FREQUENCIES]
        found = _chosen(_waves(part.top, part.height) @ rows)
        hashes[index] = hashes_of(found)
        flat[index] = is_flat(found)
    return hashes, flat


def turned(found: Coefficients, turn: int) -> Coefficients:
    """Return the coefficients of flipped or rotated images, from those of the upright ones.

    Args:
        found: The coefficients of the upright images.
        turn: A number below 8. Of its bits, 1 flips left and right, 2 flips top and bottom, and 4
            exchanges rows and columns before that.
    """
    rows, columns = _order()
    turned = found
    if turn & 4:
        # The rows of the turned image are the columns of the upright one.
        places = np.zeros((FREQUENCIES, FREQUENCIES), np.int64)
        places[rows, columns] = np.arange(BITS)
        turned = turned[:, places[columns, rows]]
    signs = np.ones(BITS, np.float32)
    if turn & 1:
        signs = signs * (1 - 2 * (columns % 2))
    if turn & 2:
        signs = signs * (1 - 2 * (rows % 2))
    return (turned * signs).astype(np.float32)


def turn_image(grey: ImageArray, turn: int) -> ImageArray:
    """Return a grey image as `turned` would have it."""
    turned = grey.T if turn & 4 else grey
    turned = turned[:, ::-1] if turn & 1 else turned
    return turned[::-1] if turn & 2 else turned


def hashes_of(found: Coefficients) -> Hashes:
    """Return the hashes of images from their coefficients."""
    return np.ascontiguousarray(np.packbits(found > 0, axis=1)).view(np.uint64)


def is_flat(found: Coefficients) -> NDArray[np.bool_]:
    """Return (n,) whether so little is seen in each image that its hash would say nothing."""
    rows, columns = _order()
    energy = np.square(found) @ (1 / (rows**2 + columns**2)).astype(np.float32)
    flat: NDArray[np.bool_] = energy < FLAT**2
    return flat


def _chosen(found: NDArray[Any]) -> Coefficients:
    """Return the coefficients of (n, 17, 17) frequencies."""
    rows, columns = _order()
    flat = found.reshape(len(found), -1).take(rows * FREQUENCIES + columns, axis=1)
    weighted: Coefficients = flat * np.hypot(rows, columns).astype(np.float32)
    return weighted


def _halved(greys: ImageArray) -> NDArray[np.float32]:
    """Return (n, 32, 32) means of 2 x 2 pixels, which have all frequencies that are needed."""
    pairs = greys[:, ::2].astype(np.uint16) + greys[:, 1::2]
    sums: NDArray[np.uint16] = pairs[:, :, ::2] + pairs[:, :, 1::2]
    return sums.astype(np.float32) / np.float32(4)


@cache
def _waves(start: int, size: int) -> NDArray[np.float32]:
    """Return (17, 32) the lowest frequencies of a part of a row, and zeros for the rest of it.

    They are so scaled that the length of the part has no effect.
    """
    middles = np.arange(size // 2) + 0.5
    steps = np.arange(FREQUENCIES)[:, None]
    waves = np.zeros((FREQUENCIES, SIDE // 2), np.float32)
    inside = slice(start // 2, start // 2 + size // 2)
    waves[:, inside] = np.cos(np.pi * middles * steps / len(middles)) * np.sqrt(2) / len(middles)
    return waves


@cache
def _order() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row and the column of each of the 256 lowest frequencies, without the mean."""
    rows, columns = np.mgrid[:FREQUENCIES, :FREQUENCIES]
    order = np.argsort((rows**2 + columns**2).ravel(), kind="stable")[1 : BITS + 1]
    return rows.ravel()[order], columns.ravel()[order]
