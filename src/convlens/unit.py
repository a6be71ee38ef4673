"""Unit: which values of deep images become black and white.

An image of 8 bits says itself what is black (0) and white (255). A deep image, of 16 or 32 bits,
does not: a camera of 10 bits writes 0..1023 into 16 bits, and floats may be 0..1, 0..255 or
physical quantities. A unit is therefore decided for all images of a data set at once, and a
classifier keeps it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.language import _

Unit = tuple[float, float]
"""The values of deep images that become 0 and 255: (black, white)."""

WHITES = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # of 8, 10, 12, 14 and 16 bits
LEVELS = 16  # of 256; a unit that leaves fewer of them is not what the values were made for
# Resampling with a bicubic or Lanczos kernel exceeds the values of an edge by up to this share.
OVERSHOOT = 0.25


class Values(NamedTuple):
    """The values that deep images have, without NaN and infinity.

    Attributes:
        low: The smallest value.
        high: The largest value.
        whole: Whether all values are whole numbers.
        images: The number of images.
    """

    low: float
    high: float
    whole: bool
    images: int = 1


def unit_in_words(unit: Unit) -> str:
    """Return which values become black and white, as the user reads it."""
    black, white = unit
    return _("values {black:g} (black) to {white:g} (white)").format(black=black, white=white)


def values_of(array: NDArray[Any]) -> Values | None:
    """Return the values of an array of numbers, or None if none of them is finite."""
    if array.dtype.kind == "f":
        array = array[np.isfinite(array)]
    if not array.size:
        return None
    whole = array.dtype.kind != "f" or bool((array == np.rint(array)).all())
    return Values(float(array.min()), float(array.max()), whole)


def joined(values: Iterable[Values | None]) -> Values | None:
    """Return the values of several images together; images without any are left out."""
    present = [one for one in values if one is not None]
    if not present:
        return None
    return Values(
        min(one.low for one in present),
        max(one.high for one in present),
        all(one.whole for one in present),
        sum(one.images for one in present),
    )


def choose_unit(values: Values) -> Unit:
    """Return the unit in which values were most probably written.

    Black is 0 unless values are clearly negative, and white is the usual white above the largest
    value. Where that would leave fewer than 16 of 256 levels, the values themselves decide.

    >>> choose_unit(Values(0, 1020, whole=True)), choose_unit(Values(-0.02, 1.05, whole=False))
    ((0.0, 1023.0), (0.0, 1.0))
    >>> choose_unit(Values(-1024, 3071, whole=True)), choose_unit(Values(0, 80_000, whole=True))
    ((-1024, 3071), (0.0, 80000))
    """
    low, high, whole, _ = values
    overshoot = 0.0 if whole else OVERSHOOT
    whites = WHITES if whole else (1.0, *WHITES)
    white = next((white for white in whites if high <= white + overshoot * min(white, 255)), high)
    candidates = [(low, high)]
    if low >= -overshoot * min(white, high, 255):
        candidates = [(0.0, white), (0.0 if 2 * low < high else low, high)]
    elif not whole and max(-low, high) <= 1 + OVERSHOOT:
        candidates = [(-1.0, 1.0), *candidates]
    for black, white in candidates:
        used = min(high, white) - max(low, black)
        if used * 256 >= LEVELS * (white - black) > 0:
            return black, white
    # All values are equal.
    black, white = candidates[0]
    return (black, white) if black < white else (low, low + 1)


def to_bytes(values: NDArray[Any], unit: Unit) -> NDArray[np.uint8]:
    """Return values of deep images as uint8: black becomes 0, white 255, NaN 0.

    Whole numbers are divided into 256 equal parts, so that of 16 bits the upper 8 are kept. Floats
    are rounded.
    """
    if values.dtype == np.uint16:
        found: NDArray[np.uint8] = _table(unit)[values]
        return found
    return _convert(values, unit)


@lru_cache(maxsize=8)
def _table(unit: Unit) -> NDArray[np.uint8]:
    """Return the bytes of all numbers of 16 bits."""
    return _convert(np.arange(2**16), unit)


def _convert(values: NDArray[Any], unit: Unit) -> NDArray[np.uint8]:
    black, white = unit
    span = white - black
    with np.errstate(over="ignore", invalid="ignore"):
        above = values.astype(np.float64) - black
        if values.dtype.kind in "iu" and span >= 255:
            levels = np.floor(above * (256 / (span + 1)))
        else:
            levels = np.rint(above * (255 / span))
    clipped: NDArray[np.float64] = np.clip(np.nan_to_num(levels, nan=0), 0, 255)
    return clipped.astype(np.uint8)


def convert_bytes(unit: Unit, other: Unit) -> NDArray[np.uint8]:
    """Return the (256,) bytes in another unit of the bytes that were made with this one."""
    black, white = unit
    return _convert(black + np.arange(256) * ((white - black) / 255), other)
