"""Regions: a grid over an image, and copies of the image in which some regions are covered.

A covered region has the median colour of the image: that of the paper of a drawing, and one that a
small mark does not change. docs/decisions/explanations.md compares it with others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.maps.heat import Floats, enlarge
from convlens.preprocess import ImageArray

MOST = 16  # regions along a side
WINDOW = 2  # regions along the side of the square that occlusion covers
LEAST_PIXELS = 2  # of the side of a region

Chosen = NDArray[np.bool_]
"""(n, regions): which regions are covered in each of n copies of an image."""


@dataclass(frozen=True, eq=False)
class Regions:
    """A grid of regions over images of one size; their sides differ by a pixel at most.

    Attributes:
        rows: The number of regions from top to bottom.
        columns: The number of regions from left to right.
        number: (height, width) the number of the region of each pixel, row by row.
    """

    rows: int
    columns: int
    number: NDArray[np.int64]

    @classmethod
    def over(cls, height: int, width: int) -> "Regions":
        """Return the regions of images of a size in pixels."""
        rows = max(1, min(MOST, height // LEAST_PIXELS))
        columns = max(1, min(MOST, width // LEAST_PIXELS))
        row = np.arange(height) * rows // height
        column = np.arange(width) * columns // width
        return cls(rows, columns, row[:, None] * columns + column)

    def __len__(self) -> int:
        """Return the number of regions."""
        return self.rows * self.columns

    def means(self, values: Floats) -> Floats:
        """Return (regions,) the mean within each region of values (height, width)."""
        number = self.number.ravel()
        sums = np.bincount(number, values.ravel(), minlength=len(self))
        return np.asarray(sums / np.bincount(number, minlength=len(self)))

    def order(self, values: Floats) -> NDArray[np.int64]:
        """Return (regions,) the regions by a map (rows, columns) of any size, the highest first."""
        return np.argsort(-self.means(enlarge(values, *self.number.shape)), kind="stable")


def windows(regions: Regions, step: int = 1) -> Chosen:
    """Return (n, regions): the regions of each square that occlusion covers, row by row.

    Args:
        regions: The grid.
        step: How many regions lie between the squares. With WINDOW they lie side by side.
    """
    grid = np.arange(len(regions)).reshape(regions.rows, regions.columns)
    height = min(WINDOW, regions.rows)
    width = min(WINDOW, regions.columns)
    squares = np.lib.stride_tricks.sliding_window_view(grid, (height, width))[::step, ::step]
    numbers = squares.reshape(-1, height * width)
    chosen = np.zeros((len(numbers), len(regions)), bool)
    np.put_along_axis(chosen, numbers, True, axis=1)
    return chosen


def scattered(cells: Floats, height: int, width: int, rng: np.random.Generator) -> Floats:
    """Return cells (rows + 1, columns + 1) enlarged over an image of `rows` x `columns` of them.

    They are moved by a random part of a cell, so that their borders lie anywhere.

    Args:
        cells: The values of the cells; one row and one column more than fit into the image.
        height: The height of the image in pixels.
        width: The width of the image in pixels.
        rng: Draws how far the cells are moved.
    """
    rows, columns = cells.shape
    size = -(-height // (rows - 1)), -(-width // (columns - 1))  # of a cell, rounded up
    large = enlarge(cells, rows * size[0], columns * size[1])
    top, left = rng.integers(0, size)
    return large[top : top + height, left : left + width]


def covering(pixels: ImageArray) -> ImageArray:
    """Return (1, 1, channels) the colour of the covered regions of an image."""
    colour: ImageArray = np.rint(np.median(pixels, axis=(0, 1), keepdims=True)).astype(np.uint8)
    return colour


def covered(pixels: ImageArray, regions: Regions, chosen: Chosen) -> ImageArray:
    """Return (n, height, width, channels) copies of an image, in which regions are covered."""
    return np.where(chosen[:, regions.number][..., None], covering(pixels), pixels)


def first_of(order: NDArray[np.int64], counts: NDArray[np.int64] | list[int]) -> Chosen:
    """Return (n, regions): of each count, the first regions of an order.

    >>> first_of(np.array([2, 0, 1]), [0, 2]).tolist()
    [[False, False, False], [True, False, True]]
    """
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[None] < np.asarray(counts)[:, None]
