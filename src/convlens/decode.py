"""Decode: open images of any kind and return their pixels.

Every image is decoded as a whole, as other programs do it; see docs/decisions/decoding.md.
Metadata never decides about pixels: an image whose EXIF data is broken is read as if it had none.
"""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.errors import ImageError
from convlens.file_facts import FileFacts, file_facts
from convlens.image_file import PNG_START, ImageLike, image_errors, opened, readable, tolerant
from convlens.language import _

ORIENTATION = 0x0112  # the EXIF tag; the values 5 to 8 exchange width and height
# How the values of that tag turn an image upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
GREY_STEPS = {"L;2": 85, "L;4": 17}  # between two levels of grey, by the stored mode
# The first bytes of files that are never deep: JPEG, GIF, WebP and BMP.
EIGHT_BIT_STARTS = (b"\xff\xd8", b"GIF8", b"RIFF", b"BM")
Check = Callable[[Image.Image], None]
"""What looks at a file that Pillow has opened and not yet decoded, and may raise an ImageError."""


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
        """Whether `convlens.preprocess.open_image` returns this image in grey."""
        return self.mode in ("1", "L", "LA", "La") or self.mode.startswith(("I", "F"))


class Pixels(NamedTuple):
    """A decoded image.

    Attributes:
        values: The Pillow image, or the values of a deep image.
        alpha: The opacity of a deep image, or None.
        orientation: How the image lies, as EXIF counts it.
        has_frames: Whether there are more pages or frames.
        facts: What the file says of itself.
    """

    values: Image.Image | NDArray[Any]
    alpha: Image.Image | None = None
    orientation: int = 1
    has_frames: bool = False
    facts: FileFacts = FileFacts()


def read_header(image: ImageLike) -> Header:
    """Return what the first bytes of an image say, without decoding it.

    Raises:
        ImageError: If the header cannot be read, see `convlens.preprocess.read_image`.
    """
    return tolerant(_read_header, image)


def _read_header(image: ImageLike) -> Header:
    with opened(image) as (pillow_image, _):
        # For a PNG without EXIF, getexif() decodes the whole image, hence the look at its text.
        # Pillow reports the size of a TIFF upright already.
        # not translated: keys of Pillow
        has_orientation = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}
        is_turned = (
            not has_orientation.isdisjoint(pillow_image.info)
            and pillow_image.format != "TIFF"
            and _orientation(pillow_image) in (5, 6, 7, 8)
        )
        width, height = pillow_image.size
        size = (height, width) if is_turned else (width, height)
        return Header(size, pillow_image.mode, str(pillow_image.format))


def decode(image: ImageLike, check: Check | None = None) -> Pixels:
    """Return the pixels of an image; see `convlens.preprocess.read_image`."""
    if isinstance(image, np.ndarray):
        pixels = _from_array(image)
        mode = pixels.mode if isinstance(pixels, Image.Image) else str(pixels.dtype)
        return Pixels(pixels, facts=FileFacts(mode, "array"))
    if isinstance(image, Image.Image):
        with image_errors(_("the Pillow image")):
            return _decode_pillow(image)
    return tolerant(partial(_decode_file, check=check), readable(image))


def _decode_file(image: ImageLike, check: Check | None) -> Pixels:
    with opened(image) as (pillow_image, file):
        if check is not None:
            check(pillow_image)
        return _decode_pillow(pillow_image, file)


def _decode_pillow(image: Image.Image, file: Path | io.BytesIO | None = None) -> Pixels:
    """Return the pixels of a Pillow image.

    Args:
        image: The image, decoded or not.
        file: Where it comes from. Pillow keeps only 8 of 16 bits of colours; OpenCV keeps all.
    """
    raw_mode = _raw_mode(image)
    has_colours_of_16_bits = _has_colours_of_16_bits(image)
    image.load()
    orientation = _orientation(image)
    facts = file_facts(image)
    # Looking for frames may change the image, and the image of a caller stays as it is.
    original = image
    image = image.copy() if file is None or hasattr(image, "n_frames") else image
    values: Image.Image | NDArray[Any] = image
    alpha = None
    key = image.info.get("transparency")
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if isinstance(key, int):
            alpha = Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
    elif has_colours_of_16_bits and file is not None:
        values, alpha = _sixteen_bits(image, file)
    elif isinstance(key, int) and raw_mode in GREY_STEPS:
        image.info["transparency"] = key * GREY_STEPS[raw_mode]
    return Pixels(values, alpha, orientation, _has_frames(original), facts)


def is_deep_file(image: ImageLike) -> bool:
    """Return whether the pixels of a file have more than 8 bits.

    Raises:
        ImageError: If the file cannot be opened.
    """

    def read(image: ImageLike) -> bool:
        with opened(image) as (pillow_image, _):
            return is_deep(pillow_image)

    return tolerant(read, image)


def is_deep(image: Image.Image) -> bool:
    """Return whether the pixels of a Pillow image have more than 8 bits, before it is decoded."""
    return image.mode.startswith(("I", "F")) or _has_colours_of_16_bits(image)


def may_be_deep(path: Path) -> bool:
    """Return False if the first bytes of a file say that its pixels have 8 bits."""
    try:
        with path.open("rb") as file:
            return may_begin_deep(file.read(25))
    except OSError:
        return False


def may_begin_deep(start: bytes) -> bool:
    """Return False if the first 25 bytes of an image say that its pixels have 8 bits."""
    if start.startswith(PNG_START):
        return start[24:] == bytes([16])
    return not start.startswith(EIGHT_BIT_STARTS)


def _has_colours_of_16_bits(image: Image.Image) -> bool:
    return image.format in ("PNG", "TIFF") and (
        image.mode in ("RGB", "RGBA", "LA") and ";16" in _raw_mode(image)
    )


def _raw_mode(image: Image.Image) -> str:
    """Return how the pixels are stored; an empty text if they are decoded already."""
    tiles = getattr(image, "tile", None)
    arguments: Any = tiles[0].args if tiles else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _orientation(image: Image.Image) -> int:
    """Return how the image lies; 1 (upright) if its metadata is broken."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:
        return 1


def _has_frames(image: Image.Image) -> bool:
    """Return whether there are more pages or frames; False if what follows cannot be read."""
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:
        return False


def _sixteen_bits(
    image: Image.Image, file: Path | io.BytesIO
) -> tuple[Image.Image | NDArray[Any], Image.Image | None]:
    """Return the values and the opacity of an image of 16 bits in several channels.

    Args:
        image: The image as Pillow decodes it, with the upper 8 bits.
        file: Its file.
    """
    content = file.read_bytes() if isinstance(file, Path) else file.getvalue()
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        found = None
    upper = np.asarray(image.convert("RGB"))
    if found is None or found.dtype != np.uint16 or found.shape[:2] != upper.shape[:2]:
        return image, None
    values = found[..., 2::-1] if found.ndim == 3 else np.dstack([found] * 3)
    if not np.array_equal(values >> 8, upper):
        return image, None
    alpha = image.getchannel("A") if "A" in image.mode else None
    if isinstance(key := image.info.get("transparency"), tuple):
        alpha = Image.fromarray(np.where((values == key).all(-1), 0, 255).astype(np.uint8))
    return values[..., 0] if image.mode == "LA" else values, alpha


def _from_array(array: NDArray[Any]) -> Image.Image | NDArray[Any]:
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if array.dtype.kind not in "buif" or not is_image or 0 in array.shape:
        raise ImageError(
            _(
                "an array must hold numbers of shape (height, width) or (height, width, 1, 3 or 4 "
                "channels); found {dtype} {shape}."
            ).format(dtype=array.dtype, shape=array.shape)
        )
    plain = array[..., 0] if array.shape[2:] == (1,) else array
    return Image.fromarray(plain) if array.dtype == np.uint8 else plain
