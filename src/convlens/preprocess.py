"""Preprocessing: the one decode, orient, resize and scale of every consumer.

`prepare` makes uint8 (height, width, channels) of a file, a Pillow image or an array. Scaling to the network's range is
a layer inside the saved model, so that a classifier file takes the uint8 images that `prepare` makes.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from convlens.errors import ImageError

MAX_PIXELS = 100_000_000
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
ORIENTATION = 0x0112  # EXIF tag; 5 to 8 turn the image on its side


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image before the network sees it; stored in the classifier file.

    Attributes:
        height: pixels.
        width: pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: "stretch" to the size, "crop" the middle, or "pad" with black, keeping the shape of things.
        scale: the network sees uint8 * scale + offset.
        offset: see scale.
    """

    height: int
    width: int
    channels: int
    fit: str = "stretch"
    scale: float = 1 / 255
    offset: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


class Header(NamedTuple):
    """What an image file tells before it is decoded.

    Attributes:
        size: (width, height), pixels, upright.
        mode: Pillow's: "L", "RGB", "P" palette, "CMYK", "I;16", ...
        format: Pillow's: "JPEG", "PNG", ...
    """

    size: tuple[int, int]
    mode: str
    format: str

    @property
    def is_grey(self) -> bool:
        """Whether `open_image` makes a grey image of it."""
        return self.mode in ("1", "L", "LA", "La") or self.mode.startswith(("I", "F"))


def open_image(
    image: str | Path | Image.Image | NDArray[Any], reduce_to: tuple[int, int] | None = None
) -> Image.Image:
    """Return the image upright as a Pillow image of mode L or RGB.

    Of 16 bits the upper 8 are kept; whole numbers of 32 bits are taken as 16 (0..65535), and cut off beyond. Floats
    have no agreed white: an image of floats whose largest is above 1 is taken as 0..255, any other as 0..1.

    Args:
        image: a file, a Pillow image, or an array (height, width[, 1, 3 or 4]) of uint8.
        reduce_to: (height, width) in pixels that are enough; a large JPEG is then decoded at a fraction of its size.

    Raises:
        ImageError: the file is missing, empty, truncated, no image, or has more than MAX_PIXELS pixels.
    """
    if isinstance(image, np.ndarray):
        return _eight_bit(_from_array(image))
    if isinstance(image, Image.Image):
        with _damage_named("the Pillow image"):
            return _eight_bit(ImageOps.exif_transpose(image))
    with _opened(Path(image)) as opened:
        if (
            reduce_to is not None
        ):  # twice the size, so that the final resize still averages; square for EXIF turns
            side = 2 * max(reduce_to)
            opened.draft(None, (side, side))
        opened.load()
        return _eight_bit(ImageOps.exif_transpose(opened))


def read_header(path: Path) -> Header:
    """Return what the first bytes of an image file tell, without decoding it.

    Raises:
        ImageError: see `open_image`.
    """
    with _opened(path) as opened:
        # "exif": because getexif() of a PNG that has none decodes it; a TIFF has its upright size from Pillow already
        turned = (
            "exif" in opened.info
            and opened.format != "TIFF"
            and opened.getexif().get(ORIENTATION) in (5, 6, 7, 8)
        )
        size = (opened.height, opened.width) if turned else opened.size
        return Header(size, opened.mode, str(opened.format))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Give an image file as a Pillow image of a size we decode; what goes wrong meanwhile is an ImageError."""
    with _damage_named(path):
        if path.stat().st_size == 0:
            raise ImageError(f"{path}: an image must have content; found 0 bytes.")
        too_large = f"{path}: an image may have {MAX_PIXELS // 10**6} million pixels at most"
        try:
            opened = Image.open(path)
        except (
            Image.DecompressionBombError
        ) as error:  # Pillow's own limit, at 179 million; below it, it only warns
            found = re.search(r"\d+(?= pixels)", str(error))
            number = f"{int(found[0]) / 1e6:,.0f} million" if found else "far more"
            raise ImageError(f"{too_large}; found {number}. Make it smaller first.") from error
        with opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise ImageError(
                    f"{too_large}; found {opened.width} x {opened.height}. Make it smaller first."
                )
            yield opened


@contextmanager
def _damage_named(name: Path | str) -> Iterator[None]:
    """Turn whatever is raised inside into an ImageError that names the image."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{name}: there is no such file.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: this is not an image that can be read ({', '.join(IMAGE_SUFFIXES)})."
        ) from error
    # On damaged bytes Pillow's decoders and EXIF reader raise whatever Python does: OSError, SyntaxError, struct.error,
    # TypeError, KeyError, IndexError, ... One odd image of 100,000 must not end a run as a fault of ours.
    except Exception as error:
        raise ImageError(
            f"{name}: the image is damaged ({str(error) or type(error).__name__})."
        ) from error


def prepare(
    image: str | Path | Image.Image | NDArray[Any], preprocessing: Preprocessing
) -> NDArray[np.uint8]:
    """Return the image as uint8 (height, width, channels), ready for the network.

    Raises:
        ImageError: see `open_image`.
    """
    height, width, channels = preprocessing.shape
    opened = open_image(image, reduce_to=(height, width)).convert("L" if channels == 1 else "RGB")
    if opened.size != (width, height):
        resampling = Image.Resampling.BILINEAR  # antialiased where it shrinks
        if preprocessing.fit == "crop":
            opened = ImageOps.fit(opened, (width, height), resampling)
        elif preprocessing.fit == "pad":
            opened = ImageOps.pad(opened, (width, height), resampling)
        else:
            opened = opened.resize((width, height), resampling)
    return np.asarray(opened, dtype=np.uint8).reshape(height, width, channels)


def _from_array(array: NDArray[Any]) -> Image.Image:
    if (
        array.dtype != np.uint8
        or array.ndim not in (2, 3)
        or (array.ndim == 3 and array.shape[2] not in (1, 3, 4))
    ):
        raise ImageError(
            "an array must be uint8 of shape (height, width) or (height, width, 1, 3 or 4 channels); "
            f"found {array.dtype} {array.shape}."
        )
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _eight_bit(opened: Image.Image) -> Image.Image:
    """Return any mode as L or RGB: 16 bits keep their upper 8, transparency becomes white."""
    if opened.mode in ("L", "RGB"):
        return opened
    if opened.mode.startswith(
        "I"
    ):  # "I;16", or "I" from an older Pillow: never scaled by what the image shows
        return Image.fromarray((np.clip(np.asarray(opened), 0, 65535) >> 8).astype(np.uint8))
    if opened.mode == "F":
        floats = np.nan_to_num(np.asarray(opened, dtype=np.float64))
        top = 255.0 if floats.max(initial=0) > 1 else 1.0
        return Image.fromarray(np.clip(floats * (255.0 / top), 0, 255).astype(np.uint8))
    if opened.mode == "1":
        return opened.convert("L")
    if "transparency" in opened.info or opened.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        rgba = opened.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        flat = Image.alpha_composite(white, rgba)
        return flat.convert("L" if opened.mode in ("LA", "La") else "RGB")
    return opened.convert("RGB")
