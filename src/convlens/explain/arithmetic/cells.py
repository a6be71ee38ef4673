"""Cells: the cells of an image below a window, and checks of images and places."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.writing import write_shape


def take_cells(image: Numbers, rows: Sequence[int], columns: Sequence[int]) -> Numbers:
    """Return the cells of an image in these rows and columns; cells outside of it are 0.

    Args:
        image: The image, shaped (height, width, channels).
        rows: The rows, counted from the first of the image.
        columns: The columns, counted likewise.
    """
    down = np.asarray(rows)
    across = np.asarray(columns)
    height, width = image.shape[:2]
    cells: Numbers = image[np.ix_(down.clip(0, height - 1), across.clip(0, width - 1))]
    above_or_below = (down < 0) | (down >= height)
    beside = (across < 0) | (across >= width)
    cells[np.logical_or.outer(above_or_below, beside)] = Fraction(0)
    return cells


def check_place(
    place: Sequence[int], shape: Sequence[int], names: Sequence[str], what: str
) -> None:
    """Check that an array of this shape has a value at a place.

    Args:
        place: The place, one number for each axis.
        shape: The shape of the array.
        names: What each axis is called, such as "row".
        what: What the array is, such as "the map".

    Raises:
        ConfigError: If there is no such value.
    """
    for name, number, count in zip(names, place, shape, strict=True):
        if not 0 <= number < count:
            raise ConfigError(
                "{what} has {shape} values, counted from 0; {name} {number} is outside: take 0 to "
                "{last}.".format(
                    what=what, shape=write_shape(shape), name=name, number=number, last=count - 1
                )
            )


def as_image(values: Numbers) -> Numbers:
    """Return an image as (height, width, channels); it may come without channels.

    Raises:
        ConfigError: If it has another number of axes, or no cells.
    """
    image = values[..., None] if values.ndim == 2 else values
    if image.ndim != 3 or not image.size:
        raise ConfigError(
            "an image must be (height, width) or (height, width, channels); found {shape}.".format(
                shape=write_shape(values.shape)
            )
        )
    return image
