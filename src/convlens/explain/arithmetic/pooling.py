"""Pooling: every value of a pooled map as its window and what is made of it.

Whole numbers and Fractions stay exact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_image, as_numbers, check_place
from convlens.explain.arithmetic.windows import Border, Side, lay_both
from convlens.language import _, listed

# What becomes of the values in a window.
KINDS: dict[str, Callable[[Numbers], Any]] = {
    "max": np.max,
    "average": lambda window: window.sum() / window.size,
    "min": np.min,
}


@dataclass(frozen=True)
class PoolCell:
    """One value of a pooled map with every number that went into it.

    Attributes:
        rows: The first row of the window within the image, and the one after its last.
        columns: The same for the columns.
        window: The values in the window, shaped (height, width); the border does not count.
        kept: The (row, column) of each cell of the image that holds the value, for max and min; of
            all cells in the window for average.
        value: The largest, smallest or mean value of the window.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    window: Numbers
    kept: tuple[tuple[int, int], ...]
    value: object


@dataclass(frozen=True)
class Pooling:
    """A pooling with every number that went into it.

    The map is computed when it is asked for, so that single values of a large one can be opened.

    Attributes:
        kind: One of KINDS.
        image: The image, shaped (height, width, channels).
        vertical: How the windows lie from top to bottom.
        horizontal: How the windows lie from left to right.
    """

    kind: str
    image: Numbers
    vertical: Side
    horizontal: Side

    @cached_property
    def output(self) -> Numbers:
        """The map, shaped (rows, columns, channels)."""
        values = np.array([self.at(*place).value for place in np.ndindex(self.shape)])
        return values.reshape(self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the map, (rows, columns, channels)."""
        return self.vertical.count, self.horizontal.count, self.image.shape[2]

    @property
    def border(self) -> Border:
        """The cells by which windows reach beyond the image."""
        below, right = (
            max(side.span(side.count - 1)[1] - side.length, 0)
            for side in (self.vertical, self.horizontal)
        )
        return Border(self.vertical.before, below, self.horizontal.before, right)

    def at(self, row: int, column: int, channel: int = 0) -> PoolCell:
        """Open one value of the map. Rows, columns and channels are counted from 0.

        Raises:
            ConfigError: If the map has no such value.
        """
        check_place(
            (row, column, channel), self.shape, (_("row"), _("column"), _("channel")), _("the map")
        )
        rows = self.vertical.span_inside(row)
        columns = self.horizontal.span_inside(column)
        window = self.image[slice(*rows), slice(*columns), channel]
        value = KINDS[self.kind](window)
        places = np.argwhere((window == value) | (self.kind == "average"))
        kept = tuple((int(r) + rows[0], int(c) + columns[0]) for r, c in places)
        return PoolCell(rows, columns, window, kept, value)


def pool(
    image: ArrayLike,
    size: int | tuple[int, int] = 2,
    *,
    kind: str = "max",
    strides: int | tuple[int, int] | None = None,
    padding: str = "valid",
) -> Pooling:
    """Pool as Keras' MaxPooling2D and AveragePooling2D do; "min" and partial windows are added.

    Args:
        image: The image, shaped (height, width) or (height, width, channels).
        size: The size of the window, in cells.
        kind: "max", "average" or "min".
        strides: The distance from one window to the next, in cells; the size if not given.
        padding: "valid", "same", or "partial", which also keeps windows that reach beyond the
            image, as lecture 004 does.

    Raises:
        ConfigError: If the window does not fit, or if kind, strides or padding are invalid.

    Example:
        >>> pool([[1, 2], [3, 4]], kind="average").output.tolist()
        [[[Fraction(5, 2)]]]
    """
    if kind not in KINDS:
        raise ConfigError(
            _("the kind of pooling must be one of {kinds}; found {kind!r}.").format(
                kinds=listed(KINDS), kind=kind
            )
        )
    image = as_image(as_numbers(image)[0])
    sides = lay_both(image.shape[:2], size, size if strides is None else strides, padding)
    return Pooling(kind, image, *sides)


def global_average(image: ArrayLike) -> Numbers:
    """Return the mean of each channel, shaped (channels,): one window as large as the image.

    Args:
        image: The image, shaped (height, width) or (height, width, channels).

    Raises:
        ConfigError: If the array is not an image of this kind.
    """
    image = as_image(as_numbers(image)[0])
    height, width = image.shape[:2]
    return np.asarray(pool(image, (height, width), kind="average").output[0, 0])
