"""Decode: open images of any kind and return their pixels.

Metadata never decides about pixels: an image whose EXIF data is broken is read as if it had none.
"""

import ctypes
import io
import logging
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, _imaging

from convlens.errors import ImageError

ImageLike = str | Path | bytes | IO[bytes] | Image.Image | NDArray[Any]
"""What `open_image` opens: a file, its bytes, a binary stream, a Pillow image, or an array."""


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
CONVERT = (
    "Convert images of other kinds to JPEG or PNG first (ImageMagick does it: magick mogrify "
    "-format jpg *.heic)."
)
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
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
PNG_OPTIONS = (b"tRNS", b"eXIf")  # what changes the image, too, if it is whole
T = TypeVar("T")


def _silence_decoders() -> None:
    """Keep Pillow, libtiff and OpenCV from writing about damaged files to the terminal."""
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # The library of Pillow's decoders finds the symbols of the libtiff that it is linked with.
    # Where libtiff is a part of it, as on Windows, there are none.
    decoders = ctypes.CDLL(_imaging.__file__)
    for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
        with suppress(AttributeError):
            getattr(decoders, name)(None)


with suppress(OSError):
    _silence_decoders()


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
    """

    values: Image.Image | NDArray[Any]
    alpha: Image.Image | None = None
    orientation: int = 1
    has_frames: bool = False


def read_header(path: Path) -> Header:
    """Return what the first bytes of an image file say, without decoding it.

    Raises:
        ImageError: If the header cannot be read, see `convlens.preprocess.read_image`.
    """
    return _tolerant(_read_header, path)


def _read_header(image: ImageLike) -> Header:
    with opened(image) as (pillow_image, _):
        # For a PNG without EXIF, getexif() decodes the whole image, hence the look at its text.
        # Pillow reports the size of a TIFF upright already.
        has_orientation = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}
        is_turned = (
            not has_orientation.isdisjoint(pillow_image.info)
            and pillow_image.format != "TIFF"
            and _orientation(pillow_image) in (5, 6, 7, 8)
        )
        width, height = pillow_image.size
        size = (height, width) if is_turned else (width, height)
        return Header(size, pillow_image.mode, str(pillow_image.format))


def readable(image: ImageLike) -> ImageLike:
    """Return an image that can be read again: what a stream or a pipe holds, else the image."""
    with suppress(OSError, ValueError):  # which is said when it is opened
        if hasattr(image, "read") or (isinstance(image, str | Path) and _is_pipe(Path(image))):
            return _content(image)
    return image


def _is_pipe(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _content(image: object) -> io.BytesIO:
    """Return the bytes of an image, under the name of its file.

    Raises:
        TypeError: If it is nothing that holds bytes.
    """
    if isinstance(image, str | Path):
        content = Path(image).read_bytes()
    elif isinstance(image, bytes | bytearray | memoryview):
        content = bytes(image)
    elif (read := getattr(image, "read", None)) is not None:
        # As Pillow does: whoever has just written a stream is at its end.
        with suppress(AttributeError, OSError):
            image.seek(0)  # type: ignore[attr-defined]
        content = read()
    else:
        raise TypeError(
            "an image is a file, bytes, a stream, a Pillow image or an array; found {type}".format(
                type=type(image).__name__
            )
        )
    stream = io.BytesIO(content)
    if (name := name_of(image)) is not None:
        stream.name = name
    return stream


def name_of(image: object) -> str | None:
    """Return the name of a file or of an open file, or None for images without a name."""
    name = image if isinstance(image, str | Path) else getattr(image, "name", None)
    return str(name) if isinstance(name, str | Path) else None


def decode(image: ImageLike, reduce_to: tuple[int, int] | None = None) -> Pixels:
    """Return the pixels of an image; see `convlens.preprocess.read_image`."""
    if isinstance(image, np.ndarray):
        return Pixels(_from_array(image))
    if isinstance(image, Image.Image):
        with image_errors("the Pillow image"):
            return _decode_pillow(image)
    return _tolerant(partial(_decode_file, reduce_to=reduce_to), readable(image))


def _decode_file(image: ImageLike, reduce_to: tuple[int, int] | None) -> Pixels:
    with opened(image) as (pillow_image, file):
        if reduce_to is not None:
            # Twice the size leaves the final resize something to average. The draft is a square
            # because EXIF may exchange width and height.
            side = 2 * max(reduce_to)
            pillow_image.draft(None, (side, side))
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
    # Looking for frames may change the image.
    original = image
    image = image.copy() if hasattr(image, "n_frames") else image
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
    return Pixels(values, alpha, orientation, _has_frames(original))


def _tolerant(read: Callable[[ImageLike], T], image: ImageLike) -> T:
    """Return what is read of an image; of a PNG without its metadata if this is broken."""
    try:
        return read(image)
    except ImageError:
        plain = _without_metadata(image)
        if plain is None:
            raise
        return read(plain)


def _without_metadata(image: ImageLike) -> io.BytesIO | None:
    """Return a PNG file with what decides about pixels only; None if it is nothing else.

    Pillow refuses whole images because of a text or a profile that is damaged.
    """
    try:
        stream = _content(image)
    except OSError:
        return None
    content = stream.getvalue()
    if not content.startswith(PNG_START):
        return None
    kept = [PNG_START]
    start = len(PNG_START)
    while start < len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        kind = content[start + 4 : start + 8]
        checksum = zlib.crc32(content[start + 4 : end - 4]).to_bytes(4, "big")
        if kind in PNG_PIXELS or (kind in PNG_OPTIONS and content[end - 4 : end] == checksum):
            kept.append(content[start:end])
        start = end
    if len(b"".join(kept)) == len(content):
        return None
    plain = io.BytesIO(b"".join(kept))
    plain.name = name_of(image) or "the bytes"
    return plain


def is_deep_file(image: ImageLike) -> bool:
    """Return whether the pixels of a file have more than 8 bits.

    Raises:
        ImageError: If the file cannot be opened.
    """

    def read(image: ImageLike) -> bool:
        with opened(image) as (pillow_image, _):
            return is_deep(pillow_image)

    return _tolerant(read, image)


def is_deep(image: Image.Image) -> bool:
    """Return whether the pixels of a Pillow image have more than 8 bits, before it is decoded."""
    return image.mode.startswith(("I", "F")) or _has_colours_of_16_bits(image)


def may_be_deep(path: Path) -> bool:
    """Return False if the first bytes of a file say that its pixels have 8 bits."""
    try:
        with path.open("rb") as file:
            start = file.read(25)
    except OSError:
        return False
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


@contextmanager
def opened(image: ImageLike) -> Iterator[tuple[Image.Image, Path | io.BytesIO]]:
    """Yield an image as a Pillow image, not yet decoded, and its file.

    Args:
        image: A path, bytes or a binary stream.

    Raises:
        ImageError: If the file cannot be opened, is too large, or proves damaged meanwhile.
    """
    name = name_of(image) or "the bytes"
    with image_errors(name):
        file: Path | io.BytesIO
        if isinstance(image, str | Path) and not _is_pipe(Path(image)):
            file = Path(image)
            size = file.stat().st_size
        else:
            file = _content(image)
            size = len(file.getvalue())
        if size == 0:
            raise ImageError("{name}: an image must have content; found 0 bytes.".format(name=name))
        try:
            pillow_image = Image.open(file)
        except Image.DecompressionBombError as error:
            # Pillow refuses images above 179 million pixels itself; below that it only warns.
            number = re.search(r"\d+(?= pixels)", str(error))
            found = "{:,.0f} million".format(int(number[0]) / 1e6) if number else "more"
            raise _too_large(name, found) from error
        with pillow_image:
            if pillow_image.width * pillow_image.height > MAX_PIXELS:
                found = "{} x {}".format(pillow_image.width, pillow_image.height)
                raise _too_large(name, found)
            yield pillow_image, file


def _too_large(name: str, found: str) -> ImageError:
    return ImageError(
        "{name}: an image may have {limit} million pixels at most; found {found}. "
        "Make it smaller first.".format(name=name, limit=MAX_PIXELS // 10**6, found=found)
    )


@contextmanager
def image_errors(name: str) -> Iterator[None]:
    """Turn whatever is raised inside into an ImageError that names the image."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError("{name}: there is no such file.".format(name=name)) from error
    except IsADirectoryError as error:
        raise ImageError(
            "{name}: this is a folder; name the images in it.".format(name=name)
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "{name}: this is not an image that can be read ({suffixes}).{advice}".format(
                name=name,
                suffixes=USUAL_SUFFIXES,
                advice=f" {CONVERT}" if str(name).lower().endswith((".heic", ".heif")) else "",
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


def _from_array(array: NDArray[Any]) -> Image.Image | NDArray[Any]:
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if array.dtype.kind not in "buif" or not is_image or 0 in array.shape:
        raise ImageError(
            "an array must hold numbers of shape (height, width) or (height, width, 1, 3 or 4 "
            "channels); found {dtype} {shape}.".format(dtype=array.dtype, shape=array.shape)
        )
    plain = array[..., 0] if array.shape[2:] == (1,) else array
    return Image.fromarray(plain) if array.dtype == np.uint8 else plain
