"""Pooling: every cell of a pooled map as its window and what became of it. Whole numbers and Fractions stay exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from convlens.errors import ConfigError
from convlens.explain.arithmetic.convolution import as_image, check_cell
from convlens.explain.arithmetic.exact import Numbers, as_numbers
from convlens.explain.arithmetic.sizes import Border, Side, lay_windows, pair

KINDS = ("max", "average", "min")


@dataclass(frozen=True)
class PoolCell:
    """One value of a pooled map, opened.

    Attributes:
        rows: (first, one past the last) row of the window within the image.
        columns: likewise.
        window: (height, width) the values in it; cells outside the image do not count.
        kept: (rows, columns) of the image that hold the value, for max and min; all cells for average.
        value: what the window became.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    window: Numbers
    kept: tuple[tuple[int, int], ...]
    value: object


@dataclass(frozen=True)
class Pooling:
    """A pooling with all that went into it.

    Attributes:
        kind: "max", "average" or "min".
        image: (height, width, channels).
        vertical: how windows lie from top to bottom.
        horizontal: how windows lie from left to right.
        output: (rows, columns, channels).
    """

    kind: str
    image: Numbers
    vertical: Side
    horizontal: Side
    output: Numbers

    @property
    def border(self) -> Border:
        """Cells by which windows reach beyond the image."""
        last = [
            side.span(side.count - 1)[1] - side.length for side in (self.vertical, self.horizontal)
        ]
        return Border(
            self.vertical.before, max(last[0], 0), self.horizontal.before, max(last[1], 0)
        )

    def at(self, row: int, column: int, channel: int = 0) -> PoolCell:
        """Open one value; rows, columns and channels count from 0.

        Raises:
            ConfigError: the cell lies outside the map.
        """
        check_cell((row, column, channel), self.output.shape)
        rows, columns = _inside(self.vertical, row), _inside(self.horizontal, column)
        window = self.image[rows[0] : rows[1], columns[0] : columns[1], channel]
        value = self.output[row, column, channel]
        kept = np.argwhere(
            np.full(window.shape, True) if self.kind == "average" else window == value
        )
        cells = tuple((int(r) + rows[0], int(c) + columns[0]) for r, c in kept)
        return PoolCell(rows, columns, window, cells, value)


def pool(
    image: ArrayLike,
    size: int | tuple[int, int] = 2,
    *,
    kind: str = "max",
    strides: int | tuple[int, int] | None = None,
    padding: str = "valid",
) -> Pooling:
    """Pool as Keras' MaxPooling2D and AveragePooling2D, and beyond them "min" and deck 004's partial windows.

    Args:
        image: (height, width) or (height, width, channels).
        size: of the window.
        kind: "max", "average" or "min".
        strides: cells from one window to the next; the window's size where not given.
        padding: "valid", "same", or "partial", which keeps the last window where it reaches beyond the image.

    Raises:
        ConfigError: the window does not fit, or kind, strides or padding cannot be.
    """
    if kind not in KINDS:
        raise ConfigError(f"the kind of pooling must be one of {', '.join(KINDS)}; found {kind!r}.")
    image = as_image(as_numbers(image)[0])
    window = pair(size)
    steps = window if strides is None else pair(strides)
    vertical, horizontal = (
        lay_windows(image.shape[i], window[i], steps[i], padding) for i in (0, 1)
    )
    rows = [_inside(vertical, i) for i in range(vertical.count)]
    columns = [_inside(horizontal, i) for i in range(horizontal.count)]
    output = np.stack(
        [np.stack([_reduce(image[r0:r1, c0:c1], kind) for c0, c1 in columns]) for r0, r1 in rows]
    )
    return Pooling(kind, image, vertical, horizontal, output)


def _inside(side: Side, index: int) -> tuple[int, int]:
    first, last = side.span(index)
    return max(first, 0), min(last, side.length)


def _reduce(window: Numbers, kind: str) -> Numbers:
    """Return (channels,) of a window (height, width, channels)."""
    if kind == "average":
        return np.asarray(window.sum(axis=(0, 1)) / (window.shape[0] * window.shape[1]))
    return np.asarray(window.max(axis=(0, 1)) if kind == "max" else window.min(axis=(0, 1)))


def global_average(image: ArrayLike) -> Numbers:
    """Return (channels,), the mean of each channel: average pooling with a window as large as the image."""
    image = as_image(as_numbers(image)[0])
    height, width = image.shape[:2]
    return np.asarray(pool(image, (height, width), kind="average").output[0, 0])
