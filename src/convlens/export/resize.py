"""Resize: the fit of a preprocessing as a part of an exported network, for images of any size.

The layer `Resized` gives the pixels of `convlens.preprocess.fit_image`, but for rounding. Engines
have resize operations of their own, but none of them does what Pillow does in every fit, and one
needs seconds for each new size; docs/decisions/any_size.md has the measurements. Products with
matrices of weights, which follow from the size of the image, are computed alike by every engine.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from convlens.preprocess import Preprocessing

# Columns that are computed in one product. Most weights of a column are zero, so that a block of
# columns needs only the part of the image that lies around it.
BLOCK = 32
# Pillow rounds to whole levels after each axis. Where a value lies this close to the middle of two
# levels, the last bits of the weights decide, and it is not rounded after the first axis.
UNDECIDED = 0.002


class Resized(keras.layers.Layer):  # type: ignore[misc]
    """Bring images of any size to the size of a network.

    Its input is uint8 (batch, any height, any width, channels), and its output is uint8 (batch,
    height, width, channels). Images that have the size of the network already are not changed.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__(name="resized", dtype="float32")
        self.preprocessing = preprocessing

    def compute_output_spec(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Return the shape and the type of the output."""
        return keras.KerasTensor((images.shape[0], *self.preprocessing.shape), dtype="uint8")

    def call(self, images: Any) -> Any:
        """Return the images in the size of the network; the width comes first, as in Pillow."""
        height, width, channels = self.preprocessing.shape
        fit = self.preprocessing.fit
        _batch, given_height, given_width, _channels = ops.shape(images)
        across = _place(fit, given_width, given_height, width, height)
        down = _place(fit, given_height, given_width, height, width)
        planes = ops.reshape(ops.transpose(images, (0, 3, 1, 2)), (-1, given_height, given_width))
        narrow = _resize_width(planes, across)
        levels = ops.floor(narrow + 0.5)
        is_decided = ops.abs(narrow - levels) < 0.5 - UNDECIDED
        narrow = ops.where(is_decided, levels, narrow)
        values = ops.matmul(_weights(down, 0, height, 0, given_height), narrow)
        levels = ops.clip(ops.floor(values + 0.5), 0, 255)
        levels = ops.cast(ops.reshape(levels, (-1, channels, height, width)), "uint8")
        return ops.transpose(levels, (0, 2, 3, 1))


class Place(NamedTuple):
    """Where the rows or the columns of a network, called its lines, lie in an image.

    Attributes:
        side: How many lines the network has.
        given: How many lines the image has, int32.
        centres: (side,) the middle of each line of the network, in lines of the image.
        scale: The lines of the image for a line of the network.
        start: The line of the image from which the centres are counted.
        is_kept: (side,) 1 where the image is, and 0 in the black border.
    """

    side: int
    given: Any
    centres: Any
    scale: Any
    start: Any
    is_kept: Any

    @property
    def reach(self) -> Any:
        """The lines of the image before and after a centre that have weights."""
        return ops.maximum(self.scale, 1.0)


def _place(fit: str, given: Any, other: Any, side: int, other_side: int) -> Place:
    """Return where the rows of a network lie in an image, as Pillow and `preprocess.FITS` do.

    Args:
        fit: See `Preprocessing.fit`.
        given: The pixels of the image along this axis.
        other: The pixels of the image along the other axis.
        side: The pixels of the network along this axis.
        other_side: The pixels of the network along the other axis.
    """
    end = ops.cast(given, "float32")
    start: Any = ops.zeros_like(end)
    middles = np.arange(0.5, side, dtype=np.float32)
    is_kept: Any = np.ones(side, np.float32)
    kept: Any = np.float32(side)
    if fit == "crop":
        # What is beyond the shape of the network is left out in equal parts on both sides.
        beyond = ops.cast(ops.maximum(given * other_side - other * side, 0), "float32")
        start = beyond / np.float32(2 * other_side)
        end = end - start
    elif fit == "pad":
        count = _kept(given, other, side, other_side)
        kept = ops.cast(count, "float32")
        borders = np.array([round((side - one) * 0.5) for one in range(side + 1)], np.float32)
        middles = middles - ops.take(borders, count)
        is_kept = ops.cast(ops.logical_and(middles > 0, middles < kept), "float32")
    scale = (end - start) / kept
    return Place(side, given, middles * scale, scale, start, is_kept)


def _kept(given: Any, other: Any, side: int, other_side: int) -> Any:
    """Return how many pixels of an axis of the network an image covers that is not to be cropped.

    This is round(given / other * other_side) in the floating point of Python, at least 1 and at
    most `side`, in whole numbers, since not every engine has numbers of 64 bits. A number counts
    if the exact quotient lies above the middle between it and the one before. In the middle itself
    the quotient depends on the middle alone, so that Python's rounding of it is known before.
    """
    numbers = np.arange(1, side + 1, dtype=np.int32)
    middles = numbers - 0.5
    rounded = [round(middle / other_side * other_side) for middle in middles.tolist()]
    least = np.where(rounded == numbers, 0, 1).astype(np.int32)
    above = 2 * other_side * given - (2 * numbers - 1) * other
    return ops.maximum(ops.sum(ops.cast(above >= least, "int32")), 1)


def _resize_width(planes: Any, place: Place) -> Any:
    """Return planes (planes, rows, columns) with the columns of the network, not rounded."""
    found = []
    for begin in range(0, place.side, BLOCK):
        end = min(begin + BLOCK, place.side)
        before = place.start + place.centres[begin] - place.reach
        after = place.start + place.centres[end - 1] + place.reach
        first = ops.clip(ops.cast(ops.floor(before), "int32") - 1, 0, place.given - 1)
        last = ops.clip(ops.cast(ops.ceil(after), "int32") + 1, first + 1, place.given)
        part = ops.cast(planes[:, :, first:last], "float32")
        weights = _weights(place, begin, end, first, last)
        found.append(ops.matmul(part, ops.transpose(weights)))
    return ops.concatenate(found, axis=2)


def _weights(place: Place, begin: int, end: int, first: Any, last: Any) -> Any:
    """Return the weights of Pillow's bilinear filter.

    Returns:
        (end - begin, last - first), of the lines from `first` on of the image for the lines from
        `begin` on of the network.
    """
    lines = ops.cast(ops.arange(first, last, dtype="int32"), "float32") + 0.5 - place.start
    distances = ops.expand_dims(lines, 0) - ops.expand_dims(place.centres[begin:end], 1)
    weights = ops.relu(1 - ops.abs(distances) / place.reach)
    sums = ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1e-6)
    return weights / sums * ops.expand_dims(place.is_kept[begin:end], 1)
