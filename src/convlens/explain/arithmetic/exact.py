"""Exact: numbers that stay whole numbers and fractions as long as they can.

An array is exact where it holds objects of the class Fraction (dtype object), and holds float64
otherwise. NumPy adds, multiplies and compares both in the same way, so that most of this package is
written once for both. This module makes such arrays, from values and from text.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import ConfigError

# Numbers are float64, or Fraction with dtype object.
Numbers = NDArray[Any]
# A rounding is applied to every intermediate result of a calculation.
Rounding = Callable[[Any], Any]

# Squares and sums of numbers up to this size stay finite.
LARGEST = 1e100


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
    if all(array.dtype == object for array in found):
        return tuple(found)
    floats = tuple(array.astype(np.float64) for array in found)
    for array in floats:
        wrong = array[~np.isfinite(array)]
        if wrong.size:
            raise ConfigError("every number must be finite; found {value}.".format(value=wrong[0]))
    return floats


def _as_array(values: ArrayLike) -> Numbers:
    """Return an exact array where the values allow it, else one of float64."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ConfigError("every row must have as many numbers as the first.") from error
    if array.dtype.kind in "bui":
        exact = [Fraction(int(one)) for one in array.flat]
    elif array.dtype == object and all(isinstance(one, Fraction | int) for one in array.flat):
        exact = [Fraction(one) for one in array.flat]
    else:
        return _as_floats(array)
    numbers: Numbers = np.empty(array.size, dtype=object)
    numbers[:] = exact
    return numbers.reshape(array.shape)


def _as_floats(array: Numbers) -> Numbers:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            "every value must be a number; found an array of {dtype}.".format(dtype=array.dtype)
        ) from error


def read_numbers(text: str, what: str = "numbers") -> Numbers:
    """Return the numbers of a line such as "1 -2/3 0.5", separated by blanks or commas.

    Whole numbers and fractions stay exact. If one number has a decimal point, all become float64.

    Args:
        text: The line.
        what: The name of the numbers in an error message, such as "--target".

    Raises:
        ConfigError: If there is no number, or if a word is not a number.
    """
    words = [word for word in re.split(r"[\s,]+", text.strip()) if word]
    if not words:
        raise ConfigError(
            "{what} must be numbers separated by blanks, such as '1 0 -1'; found none.".format(
                what=what
            )
        )
    values = [_read(word, what) for word in words]
    if all(isinstance(one, Fraction) for one in values):
        return as_numbers(np.array(values, dtype=object))[0]
    return as_numbers([float(one) for one in values])[0]


def _read(word: str, what: str) -> Fraction | float:
    """Return one number: a float where it is written with a point or an exponent."""
    try:
        value = Fraction(word.replace("−", "-"))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(
            "{what}: {word!r} is not a number; write 2, -1, 1/3 or 0.5.".format(
                what=what, word=word
            )
        ) from error
    if abs(value) > LARGEST:
        raise ConfigError(
            "{what}: numbers must lie within -{most:.0e} and {most:.0e}; found {word}.".format(
                what=what, most=LARGEST, word=word
            )
        )
    return float(value) if re.search(r"[.eE]", word) else value


def read_matrix(text: str, what: str = "the matrix") -> Numbers:
    """Return the numbers of a text in which ";" ends a row and "|" ends a channel.

    Args:
        text: The text, such as "1 2; 3 4 | 0 0; 0 1".
        what: The name of the numbers in an error message, such as "--filter".

    Returns:
        The numbers, shaped (height, width, channels).

    Raises:
        ConfigError: If rows differ in length, if channels differ in size, or if a word is not a
            number.

    Example:
        >>> read_matrix("1 2; 3 4 | 0 0; 0 1").shape
        (2, 2, 2)
    """
    channels = [_read_channel(part, what) for part in text.split("|")]
    if len({channel.shape for channel in channels}) > 1:
        sizes = ", ".join(f"{height} x {width}" for height, width in map(np.shape, channels))
        raise ConfigError(
            "{what}: all channels must have one size; found {sizes}.".format(what=what, sizes=sizes)
        )
    return np.stack(as_numbers(*channels), axis=-1)


def _read_channel(text: str, what: str) -> Numbers:
    lines = text.strip().strip(";").split(";")
    rows = [read_numbers(line, what) for line in lines]
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        if len(row) != len(rows[0]):
            raise ConfigError(
                "{what}: every row must have as many numbers as the first, {count}; row {number} "
                "has {found}: {line!r}.".format(
                    what=what, count=len(rows[0]), number=number, found=len(row), line=line.strip()
                )
            )
    return np.stack(as_numbers(*rows))
