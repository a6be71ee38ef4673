"""Exact: arrays whose numbers stay exact as long as they can, their shapes and their cells.

An array is exact where it holds objects of the class Fraction (dtype object), and holds float64
otherwise. NumPy adds, multiplies and compares both in the same way, so that most of this package is
written once for both.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import ConfigError
from convlens.language import _

# Numbers are float64, or Fraction with dtype object.
Numbers = NDArray[Any]
# A rounding is applied to every intermediate result of a calculation.
Rounding = Callable[[Any], Any]


def exactly(values: Any) -> Any:
    """Return the values as they are: the rounding of a calculation that does not round."""
    return values


def as_numbers(*arrays: ArrayLike) -> tuple[Numbers, ...]:
    """Return arrays of Fraction if all of them hold only whole numbers and Fractions, else float64.

    Args:
        arrays: Arrays or nested lists of any shape.

    Raises:
        ConfigError: If a value is not a finite number, or if rows differ in length.

    Example:
        >>> as_numbers([1, 2])[0] / 3
        array([Fraction(1, 3), Fraction(2, 3)], dtype=object)
        >>> as_numbers([1, 2], [0.5])[0]
        array([1., 2.])
    """
    found = [_as_array(array) for array in arrays]
    if any(array.dtype != object for array in found):
        found = [array.astype(np.float64) for array in found]
    return tuple(found)


def _as_array(values: ArrayLike) -> Numbers:
    """Return an exact array where the values allow it, else one of float64."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ConfigError(_("every row must have as many numbers as the first.")) from error
    if array.dtype.kind in "bui":
        array = array.astype(object)
    if array.dtype == object and all(isinstance(one, Fraction | int) for one in array.flat):
        return np.asarray(np.vectorize(Fraction, otypes=[object])(array))
    try:
        floats = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            _("every value must be a number; found an array of {dtype}.").format(dtype=array.dtype)
        ) from error
    wrong = floats[~np.isfinite(floats)]
    if wrong.size:
        raise ConfigError(_("every number must be finite; found {value}.").format(value=wrong[0]))
    return floats


def spread_bias(bias: Numbers, count: int, rule: str) -> Numbers:
    """Return the biases of a layer; one number stands for all of them.

    Args:
        bias: The biases, shaped (count,) or ().
        count: The number of units or filters.
        rule: The template of the message if there are more or fewer biases.

    Raises:
        ConfigError: If there are more or fewer biases.
    """
    if bias.shape not in ((), (count,)):
        raise ConfigError(_(rule).format(count=count, found=write_shape(bias.shape)))
    return np.broadcast_to(bias, (count,))


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
    # These are the cells above or below the image, and those beside it.
    cells[(down < 0) | (down >= height)] = Fraction(0)
    cells[:, (across < 0) | (across >= width)] = Fraction(0)
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
                _(
                    "{what} has {shape} values, counted from 0; {name} {number} is outside: take 0"
                    " to {last}."
                ).format(
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
            _(
                "an image must be (height, width) or (height, width, channels); found {shape}."
            ).format(shape=write_shape(values.shape))
        )
    return image


def write_shape(shape: Sequence[int]) -> str:
    """Return a shape as text.

    Example:
        >>> write_shape((26, 26)), write_shape((3,)), write_shape(())
        ('26 x 26', '3', 'one number')
    """
    return " x ".join(map(str, shape)) or _("one number")
