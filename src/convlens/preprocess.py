"""Preprocessing: decode, orient and resize an image in the same way everywhere.

Training, prediction, explanation and export all obtain their pixels from `prepare`, so that a
classifier never sees an image that was resized in another way than its training images. Scaling to
the range of the network is a layer inside the saved model; a classifier file therefore takes the
uint8 images that `prepare` returns.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from convlens.decode import TURNS, Check, decode, is_deep, is_deep_file, may_be_deep
from convlens.errors import ImageError
from convlens.file_facts import FileFacts
from convlens.image_file import ImageLike
from convlens.language import N_, _
from convlens.unit import LEVELS, Unit, Values, choose_unit, to_bytes, values_of

ImageArray = NDArray[np.uint8]
"""The pixels of one image or of several; each docstring gives the shape."""

SMALL = 128  # pixels of a side, up to which arrays are resized many at a time
GUESSED = "guessed for each image"  # not translated: a value in classifier files
# Remarks on images, to be translated and completed with their number.
FRAMES = N_("images with several pages or frames, of which the first is used: {number:,}")
FEW_LEVELS = N_(
    "images of 16 or 32 bits of which fewer than 16 grey levels remain: {number:,}; what counts as "
    "black and white does not suit their values"
)
NOT_FINITE = N_("images with NaN, which counts as black, or infinity: {number:,}")


@dataclass(frozen=True)
class Preprocessing:
    """How an image is brought to the input of a network; stored in the classifier file.

    Attributes:
        height: Height of the input in pixels.
        width: Width of the input in pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: How an image of another shape is made to fit: "stretch" changes its aspect ratio,
            "crop" cuts out the middle, and "pad" adds black borders.
        scale: The network receives `pixels * scale + offset`.
        offset: See `scale`.
        unit: (black, white), the values of deep images, of 16 or 32 bits, that become 0 and 255;
            see `convlens.unit`. None if there was no deep image to learn it from: then it follows
            from the deep images that are read. GUESSED in classifiers that were made before there
            was a unit.
    """

    height: int
    width: int
    channels: int
    fit: str = "stretch"
    scale: float = 1 / 255
    offset: float = 0.0
    unit: Unit | str | None = None

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Preprocessing":
        """Return the preprocessing of a classifier file."""
        unit = facts.get("unit", GUESSED)
        return cls(**facts | {"unit": tuple(unit) if isinstance(unit, list) else unit})

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


class Reading(NamedTuple):
    """An image that was read, and what the user should know about it.

    Attributes:
        image: The image, upright, of mode L or RGB.
        remarks: Some of FRAMES, FEW_LEVELS and NOT_FINITE.
        facts: What the file says of itself.
    """

    image: Image.Image
    remarks: tuple[str, ...]
    facts: FileFacts = FileFacts()


def open_image(image: ImageLike, unit: Unit | str | None = None) -> Image.Image:
    """Return the image upright, as a Pillow image of mode L or RGB; see `read_image`."""
    return read_image(image, unit).image


def read_image(
    image: ImageLike, unit: Unit | str | None = None, check: Check | None = None
) -> Reading:
    """Return the image upright, as a Pillow image of mode L or RGB, with remarks on it.

    Transparent areas become white. Of several pages or frames the first is used.

    Args:
        image: A file, its bytes, a binary stream, a Pillow image, or an array (height, width[, 1, 3
            or 4]).
        unit: The unit of deep images, see `Preprocessing.unit`.
        check: What looks at a file before it is decoded; it may be called twice.

    Raises:
        ImageError: If the file is missing, empty, truncated, not an image, or has more than
            MAX_PIXELS pixels.
    """
    if isinstance(image, np.ndarray) and image.dtype != np.uint8 and unit == GUESSED:
        raise ImageError(
            _(
                "an array must be uint8 for this classifier, which an earlier convlens made; found "
                "{dtype}."
            ).format(dtype=image.dtype)
        )
    pixels = decode(image, check)
    remarks = [FRAMES] if pixels.has_frames else []
    upright = pixels.values
    if isinstance(upright, np.ndarray):
        levels = _levels(upright, unit)
        remaining = np.count_nonzero(np.bincount(levels.ravel(), minlength=256))
        if remaining < LEVELS <= len(np.unique(upright)):
            remarks.append(FEW_LEVELS)
        if upright.dtype.kind == "f" and not np.isfinite(upright).all():
            remarks.append(NOT_FINITE)
        upright = Image.fromarray(levels)
    if pixels.alpha is not None:
        upright.putalpha(pixels.alpha)
    upright = _flat(upright)
    if pixels.orientation in TURNS:
        upright = upright.transpose(TURNS[pixels.orientation])
    return Reading(upright, tuple(remarks), pixels.facts)


def read_values(image: ImageLike) -> Values | None:
    """Return the values of a deep image, or None for an image of 8 bits or one without values.

    Images of 8 bits are not decoded.

    Raises:
        ImageError: If a deep image cannot be read, see `read_image`.
    """
    if isinstance(image, Image.Image):
        has_bytes = not is_deep(image)
    elif isinstance(image, np.ndarray):
        has_bytes = image.dtype == np.uint8
    elif isinstance(image, str | Path) and not may_be_deep(Path(image)):
        has_bytes = True
    else:
        has_bytes = not is_deep_file(image)
    if has_bytes:
        return None
    values = decode(image).values
    return values_of(values) if isinstance(values, np.ndarray) else None


def prepare(
    image: ImageLike, preprocessing: Preprocessing, check: Check | None = None
) -> ImageArray:
    """Return the image as a uint8 array (height, width, channels), ready for the network.

    Args:
        image: The image, see `read_image`.
        preprocessing: How it is brought to the input of the network.
        check: See `read_image`.

    Raises:
        ImageError: If the image cannot be read, see `read_image`.
    """
    return fit_image(read_image(image, preprocessing.unit, check).image, preprocessing)


def fit_image(image: Image.Image, preprocessing: Preprocessing) -> ImageArray:
    """Return an image that was opened as `prepare` does."""
    height, width, channels = preprocessing.shape
    image = _in_mode(image, "L" if channels == 1 else "RGB")
    if image.size != (width, height):
        bilinear = Image.Resampling.BILINEAR  # antialiased where it shrinks an image
        fit = FITS.get(preprocessing.fit, Image.Image.resize)
        image = fit(image, (width, height), bilinear)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)


def can_fit_arrays(images: object, preprocessing: Preprocessing) -> bool:
    """Return whether images are small square arrays of bytes, and the input is square, too.

    Of other shapes, Pillow may resize the columns before the rows, which rounds in another way.
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        return False
    height, width, channels = (*images.shape[1:], 1)[:3]
    is_square = height == width and preprocessing.height == preprocessing.width
    return is_square and channels == preprocessing.channels and 0 < height <= SMALL


def fit_arrays(images: ImageArray, preprocessing: Preprocessing) -> ImageArray:
    """Return images of one size as `fit_image` does, many times as fast where they are small.

    Pillow resizes all rows of an image first, each by itself, and then all columns. Therefore all
    images are put on top of one another to resize their rows, and side by side to resize their
    columns.

    Args:
        images: (m, height, width) or (m, height, width, channels) images, see `can_fit_arrays`.
        preprocessing: How they are brought to the input of the network.

    Returns:
        (m, height, width, channels) images.
    """
    count, height, width = images.shape[:3]
    channels = images.shape[3:] if preprocessing.channels > 1 else ()
    rows = _resized(images.reshape(count * height, width, *channels), width=preprocessing.width)
    rows = rows.reshape(count, height, -1, *channels).swapaxes(0, 1)
    columns = _resized(rows.reshape(height, -1, *channels), height=preprocessing.height)
    found = columns.reshape(preprocessing.height, count, -1, preprocessing.channels)
    return np.ascontiguousarray(found.swapaxes(0, 1))


def _resized(
    pixels: ImageArray, *, width: int | None = None, height: int | None = None
) -> ImageArray:
    """Return an image, (height, width[, 3]), with another width or height."""
    size = (width or pixels.shape[1], height or pixels.shape[0])
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def _pad(image: Image.Image, size: tuple[int, int], method: Image.Resampling) -> Image.Image:
    """Fit an image into a size and fill the rest with black.

    Where Pillow would round a side of a very long image to 0, and so leave black alone, it gets one
    pixel.
    """
    sides = np.array(image.size)
    kept = np.rint(sides * min(np.array(size) / sides)).astype(int)
    if kept.min() == 0:
        image = image.resize(tuple(np.maximum(kept, 1).tolist()), method)
    return ImageOps.pad(image, size, method)


# How an image is made to fit; anything else, as "stretch", resizes it.
FITS: dict[str, Callable[..., Image.Image]] = {"crop": ImageOps.fit, "pad": _pad}


def _levels(values: NDArray[Any], unit: Unit | str | None) -> ImageArray:
    """Return the values of a deep image as uint8."""
    if isinstance(unit, tuple):
        return to_bytes(values, unit)
    if unit is None:
        own = values_of(values)
        return to_bytes(values, choose_unit(own) if own else (0, 1))
    if values.dtype.kind != "f":
        upper: ImageArray = (np.clip(values, 0, 65535) >> 8).astype(np.uint8)
        return upper
    floats = np.nan_to_num(values.astype(np.float64))
    white = 255.0 if floats.max(initial=0) > 1 else 1.0
    levels: ImageArray = np.clip(floats * (255.0 / white), 0, 255).astype(np.uint8)
    return levels


def _flat(image: Image.Image) -> Image.Image:
    """Return an image of any mode of 8 bits as L or RGB, on white where it is transparent."""
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return _in_mode(image, mode)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Return an image in a mode; the image itself, not a copy as by Pillow, if it has the mode."""
    return image if image.mode == mode else image.convert(mode)
