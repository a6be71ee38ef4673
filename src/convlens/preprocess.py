"""Preprocessing: decode, orient and resize an image in the same way everywhere.

Training, prediction, explanation and export all obtain their pixels from `prepare`, so that a
classifier never sees an image that was resized in another way than its training images. Scaling to
the range of the network is a layer inside the saved model; a classifier file therefore takes the
uint8 images that `prepare` returns.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from convlens.errors import ImageError

ImageArray = NDArray[np.uint8]
"""The pixels of one image or of several; each docstring gives the shape."""

ImageLike = str | Path | Image.Image | NDArray[Any]
"""What `open_image` opens: a file, a Pillow image, or an array of pixels."""

MAX_PIXELS = 100_000_000
# fmt: off
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff",
    ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo", ".apng", ".avif", ".dib", ".ico",
    ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm",
    ".tga", ".pcx", ".psd", ".sgi", ".qoi", ".dds",
)
# fmt: on
USUAL_SUFFIXES = ", ".join(IMAGE_SUFFIXES[:8])  # for messages
# How an image is made to fit; anything else, as "stretch", resizes it.
FITS: dict[str, Callable[..., Image.Image]] = {"crop": ImageOps.fit, "pad": ImageOps.pad}
ORIENTATION = 0x0112  # the EXIF tag; the values 5 to 8 exchange width and height


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
    """What an image file says about itself before it is decoded.

    Attributes:
        size: (width, height) in pixels, after the EXIF orientation has been applied.
        mode: Pillow's mode: "L", "RGB", "P" (palette), "CMYK", "I;16", ...
        format: Pillow's name of the file format: "JPEG", "PNG", ...
    """

    size: tuple[int, int]
    mode: str
    format: str

    @property
    def is_grey(self) -> bool:
        """Whether `open_image` returns this image in grey."""
        return self.mode in ("1", "L", "LA", "La") or self.mode.startswith(("I", "F"))


def open_image(image: ImageLike, reduce_to: tuple[int, int] | None = None) -> Image.Image:
    """Return the image upright, as a Pillow image of mode L or RGB.

    The upper 8 bits of 16-bit pixels are kept. 32-bit integers are treated as 16-bit values and
    clipped to 0..65535. Floating-point images have no agreed white: they are read as 0..255 if
    their largest value is above 1, and as 0..1 otherwise. Transparent areas become white.

    Args:
        image: A file, a Pillow image, or a uint8 array (height, width[, 1, 3 or 4]).
        reduce_to: (height, width) in pixels that suffices. A large JPEG is then decoded at a
            fraction of its size, which is faster.

    Raises:
        ImageError: If the file is missing, empty, truncated, not an image, or has more than
            MAX_PIXELS pixels, or if an array has another type or shape.
    """
    if isinstance(image, np.ndarray):
        return _eight_bit(_from_array(image))
    if isinstance(image, Image.Image):
        with _image_errors("the Pillow image"):
            return _eight_bit(ImageOps.exif_transpose(image))
    with _opened(Path(image)) as pillow_image:
        if reduce_to is not None:
            # Twice the size leaves the final resize something to average. The draft is a square
            # because EXIF may exchange width and height.
            side = 2 * max(reduce_to)
            pillow_image.draft(None, (side, side))
        pillow_image.load()
        return _eight_bit(ImageOps.exif_transpose(pillow_image))


def read_header(path: Path) -> Header:
    """Return what the first bytes of an image file say, without decoding it.

    Raises:
        ImageError: If the header cannot be read, see `open_image`.
    """
    with _opened(path) as pillow_image:
        # For a PNG without EXIF, getexif() decodes the whole image, hence the test for "exif".
        # Pillow reports the size of a TIFF upright already.
        is_turned = (
            "exif" in pillow_image.info
            and pillow_image.format != "TIFF"
            and pillow_image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
        )
        width, height = pillow_image.size
        size = (height, width) if is_turned else (width, height)
        return Header(size, pillow_image.mode, str(pillow_image.format))


def prepare(image: ImageLike, preprocessing: Preprocessing) -> ImageArray:
    """Return the image as a uint8 array (height, width, channels), ready for the network.

    Raises:
        ImageError: If the image cannot be read, see `open_image`.
    """
    height, width, channels = preprocessing.shape
    pillow_image = open_image(image, reduce_to=(height, width))
    pillow_image = pillow_image.convert("L" if channels == 1 else "RGB")
    if pillow_image.size != (width, height):
        bilinear = Image.Resampling.BILINEAR  # antialiased where it shrinks an image
        fit = FITS.get(preprocessing.fit, Image.Image.resize)
        pillow_image = fit(pillow_image, (width, height), bilinear)
    return np.asarray(pillow_image, dtype=np.uint8).reshape(height, width, channels)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yield an image file as a Pillow image, not yet decoded.

    Raises:
        ImageError: If the file cannot be opened, is too large, or proves damaged meanwhile.
    """
    with _image_errors(path):
        if path.stat().st_size == 0:
            raise ImageError("{path}: an image must have content; found 0 bytes.".format(path=path))
        try:
            pillow_image = Image.open(path)
        except Image.DecompressionBombError as error:
            # Pillow refuses images above 179 million pixels itself; below that it only warns.
            number = re.search(r"\d+(?= pixels)", str(error))
            found = "{:,.0f} million".format(int(number[0]) / 1e6) if number else "more"
            raise _too_large(path, found) from error
        with pillow_image:
            if pillow_image.width * pillow_image.height > MAX_PIXELS:
                found = "{} x {}".format(pillow_image.width, pillow_image.height)
                raise _too_large(path, found)
            yield pillow_image


def _too_large(path: Path, found: str) -> ImageError:
    return ImageError(
        "{path}: an image may have {limit} million pixels at most; found {found}. "
        "Make it smaller first.".format(path=path, limit=MAX_PIXELS // 10**6, found=found)
    )


@contextmanager
def _image_errors(name: Path | str) -> Iterator[None]:
    """Turn whatever is raised inside into an ImageError that names the image."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError("{name}: there is no such file.".format(name=name)) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "{name}: this is not an image that can be read ({suffixes}).".format(
                name=name, suffixes=USUAL_SUFFIXES
            )
        ) from error
    # On damaged bytes Pillow's decoders and its EXIF reader raise almost anything: OSError,
    # SyntaxError, struct.error, TypeError, KeyError, ... A single odd image among 100,000 must not
    # end a run with a traceback.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ImageError(
            "{name}: the image is damaged ({reason}).".format(name=name, reason=reason)
        ) from error


def _from_array(array: NDArray[Any]) -> Image.Image:
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if array.dtype != np.uint8 or not is_image:
        raise ImageError(
            "an array must be uint8 of shape (height, width) or (height, width, 1, 3 or 4 "
            "channels); found {dtype} {shape}.".format(dtype=array.dtype, shape=array.shape)
        )
    return Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array)


def _eight_bit(pillow_image: Image.Image) -> Image.Image:
    """Return an image of any mode as L or RGB."""
    mode = pillow_image.mode
    if mode in ("L", "RGB"):
        return pillow_image
    if mode.startswith("I"):
        # "I;16", or "I" from older versions of Pillow. The scale does not depend on the content.
        values = np.clip(np.asarray(pillow_image), 0, 65535) >> 8
        return Image.fromarray(values.astype(np.uint8))
    if mode == "F":
        floats = np.nan_to_num(np.asarray(pillow_image, dtype=np.float64))
        white = 255.0 if floats.max(initial=0) > 1 else 1.0
        return Image.fromarray(np.clip(floats * (255.0 / white), 0, 255).astype(np.uint8))
    if mode == "1":
        return pillow_image.convert("L")
    if "transparency" in pillow_image.info or mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        rgba = pillow_image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return flat.convert("L" if mode in ("LA", "La") else "RGB")
    return pillow_image.convert("RGB")
