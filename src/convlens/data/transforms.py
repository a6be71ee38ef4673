"""Transforms: how the images of a batch are moved, recoloured and erased by given random numbers.

The numbers are drawn in `augment`; nothing here draws any. Every function changes its images in
place.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.config import AugmentConfig
from convlens.preprocess import ImageArray

Uniform = NDArray[np.float64]

# The column of each random number. A column of its own for each change means that turning one
# change on leaves the others as they were.
FLIP = 0
SHIFT = slice(1, 3)
ZOOM = 3
WINDOW = slice(4, 6)
ROTATE = 6
SHEAR = 7
ERASE = 8
ERASE_AREA = 9
ERASE_ASPECT = 10
ERASE_PLACE = slice(11, 13)
COLOUR = 13  # and all columns after it

ERASED_AREA = (0.02, 0.25)  # share of the image; the 0.4 of the paper would hide whole digits
ERASED_ASPECT = (0.3, 1 / 0.3)
# Brightness, contrast, colour and sharpness are multiplied by 1 - ENHANCE to 1 + ENHANCE.
ENHANCE = 0.5
LEAST_BITS = 4  # of 8, the strongest posterization
LEAST_THRESHOLD = 176  # of 256, the strongest solarization
LEVELS = np.arange(256)
MIRRORED = 0.5  # an image with a smaller number at FLIP is mirrored


def warp(images: ImageArray, uniform: Uniform, config: AugmentConfig) -> None:
    """Flip, shift, zoom, rotate and shear each image by one affine map.

    The border is reflected in photographs. In grey images the edge is repeated, as a reflection
    would add strokes to a digit.

    Args:
        images: (b, height, width, 1 or 3) uint8.
        uniform: (b, columns) in [0, 1).
        config: The resolved configuration.
    """
    height, width = images.shape[1:3]
    maps = _affine_maps(uniform, (height, width), config)
    if config.zoom or config.rotate or config.shear:
        _interpolate(images, maps)
    else:
        _move(images, maps)


def _interpolate(images: ImageArray, maps: NDArray[np.float64]) -> None:
    """Set each pixel to the bicubic interpolation at its place in the old image."""
    height, width, channels = images.shape[1:]
    border = cv2.BORDER_REFLECT_101 if channels == 3 else cv2.BORDER_REPLICATE
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    # OpenCV does not return if it must reflect a side of one pixel. Two equal pixels have the same
    # reflection.
    copies = (2 if height == 1 else 1, 2 if width == 1 else 1, 1)
    for image, matrix in zip(images, maps, strict=True):
        source = np.tile(image, copies)
        warped = cv2.warpAffine(source, matrix, (width, height), flags=flags, borderMode=border)
        image[:] = warped.reshape(image.shape)


def _move(images: ImageArray, maps: NDArray[np.float64]) -> None:
    """Set each pixel to the old pixel at its place, where all places are whole pixels.

    The result is that of `_interpolate`, in a ninth of its time for colour images of 32x32.
    """
    number, height, width, channels = images.shape
    x = _inside(maps[:, 0, :1] * np.arange(width) + maps[:, 0, 2:], width, channels)
    y = _inside(maps[:, 1, 1:2] * np.arange(height) + maps[:, 1, 2:], height, channels)
    rows = np.arange(number)[:, None] * height + y
    pixels = np.ascontiguousarray(images).view(f"V{channels}").reshape(-1)
    moved = pixels[rows[:, :, None] * width + x[:, None, :]]
    images[:] = moved.view(np.uint8).reshape(images.shape)


def _inside(places: NDArray[np.float64], side: int, channels: int) -> NDArray[np.int64]:
    """Return which pixel of an image stands at each place, beyond its border too."""
    whole = np.rint(places).astype(np.int64)
    last = side - 1
    if channels == 1 or last == 0:
        return np.clip(whole, 0, last)
    # A shift is half of a side at most, so that no place needs a second reflection.
    around = np.abs(whole)
    return np.asarray(np.minimum(around, 2 * last - around))


def _affine_maps(
    uniform: Uniform, size: tuple[int, int], config: AugmentConfig
) -> NDArray[np.float64]:
    """Return (b, 2, 3), which map a pixel (x, y) of the new image to its place in the old one."""
    side = np.array(size[::-1])
    signed = 2 * uniform - 1
    zoom = 1 + (config.zoom or 0) * signed[:, ZOOM]
    angle = np.deg2rad((config.rotate or 0) * signed[:, ROTATE])
    shear = np.tan(np.deg2rad((config.shear or 0) * signed[:, SHEAR]))
    mirror = np.where(uniform[:, FLIP] < MIRRORED, -1, 1) if config.flip else np.ones(len(uniform))
    cos = np.cos(angle) / zoom
    sin = np.sin(angle) / zoom
    to_x = np.stack([mirror * cos, mirror * (shear * cos - sin)], axis=1)
    to_y = np.stack([sin, shear * sin + cos], axis=1)
    linear = np.stack([to_x, to_y], axis=1)
    # Shifts are whole pixels, so that a shift alone does not blur. An image that is zoomed in shows
    # any part of itself, not only the middle.
    shift = np.rint((config.shift or 0) * signed[:, SHIFT] * side)
    window = signed[:, WINDOW] * np.maximum(1 - 1 / zoom, 0)[:, None] * side / 2
    centre = (side - 1) / 2
    offset = centre + window - (linear * (centre + shift)[:, None]).sum(axis=2)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def erase(image: ImageArray, uniform: Uniform, noise: Callable[[int], ImageArray]) -> None:
    """Fill a rectangle of an image with noise.

    Args:
        image: (height, width, channels) uint8.
        uniform: (columns,) in [0, 1).
        noise: A function that returns so many random bytes.
    """
    height, width, channels = image.shape
    least, most = ERASED_AREA
    area = height * width * (least + (most - least) * uniform[ERASE_AREA])
    aspect = np.exp(np.interp(uniform[ERASE_ASPECT], (0, 1), np.log(ERASED_ASPECT)))
    h = min(max(round(np.sqrt(area * aspect)), 1), height)
    w = min(max(round(np.sqrt(area / aspect)), 1), width)
    top, left = (uniform[ERASE_PLACE] * (height - h + 1, width - w + 1)).astype(int)
    image[top : top + h, left : left + w] = noise(h * w * channels).reshape(h, w, channels)


def recolour(images: ImageArray, draws: Uniform) -> None:
    """Apply operations on the colours, one after the other.

    Args:
        images: (b, height, width, 1 or 3) uint8.
        draws: (b, operations, 2) in [0, 1): which operation, and how strongly.
    """
    operations = RGB_OPERATIONS if images.shape[3] == 3 else GREY_OPERATIONS
    for image, chosen in zip(images, draws, strict=True):
        for which, strength in chosen:
            operation = operations[int(which * len(operations))]
            image[:] = operation(image, strength).reshape(image.shape)


def _factor(strength: float) -> float:
    return 1 + ENHANCE * (2 * strength - 1)


def _look_up(image: ImageArray, table: NDArray[Any]) -> ImageArray:
    return np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)))


def _brightness(image: ImageArray, strength: float) -> ImageArray:
    return _look_up(image, LEVELS * _factor(strength))


def _contrast(image: ImageArray, strength: float) -> ImageArray:
    mean = sum(cv2.mean(image)) / image.shape[2]
    return _look_up(image, mean + (LEVELS - mean) * _factor(strength))


def _posterize(image: ImageArray, strength: float) -> ImageArray:
    return _look_up(image, LEVELS & -(1 << int((9 - LEAST_BITS) * strength)))


def _solarize(image: ImageArray, strength: float) -> ImageArray:
    threshold = LEAST_THRESHOLD + (256 - LEAST_THRESHOLD) * strength
    return _look_up(image, np.where(threshold > LEVELS, LEVELS, 255 - LEVELS))


def _equalize(image: ImageArray, strength: float) -> ImageArray:
    return np.asarray(cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)]))


def _autocontrast(image: ImageArray, strength: float) -> ImageArray:
    low, high, _, _ = cv2.minMaxLoc(image.reshape(len(image), -1))
    return _look_up(image, (LEVELS - low) * (255 / (high - low))) if high > low else image


def _sharpness(image: ImageArray, strength: float) -> ImageArray:
    # The smoothing kernel of Pillow, which the papers used.
    smooth = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    same = np.diag([0, 1, 0])
    return np.asarray(cv2.filter2D(image, -1, smooth + _factor(strength) * (same - smooth)))


def _colour(image: ImageArray, strength: float) -> ImageArray:
    grey = np.tile([0.299, 0.587, 0.114], (3, 1))  # ITU-R BT.601
    return np.asarray(cv2.transform(image, grey + _factor(strength) * (np.eye(3) - grey)))


# fmt: off
GREY_OPERATIONS: tuple[Callable[[ImageArray, float], ImageArray], ...] = (
    _brightness, _contrast, _posterize, _solarize, _equalize, _autocontrast, _sharpness,
)
# fmt: on
RGB_OPERATIONS = (*GREY_OPERATIONS, _colour)
