"""Image files: open files, bytes and streams with Pillow, and name what is wrong with them."""

import ctypes
import io
import logging
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import cv2
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, _imaging

from convlens.errors import DataError, ImageError
from convlens.language import N_, _, listed, sentences
from convlens.reasons import system_reason

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
DAMAGED = N_("{name}: the image is damaged ({reason}).")
CONVERT = N_(
    "Convert images of other kinds to JPEG or PNG first (ImageMagick does it: magick mogrify "
    "-format jpg *.heic)."
)
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


@contextmanager
def opened(image: ImageLike) -> Iterator[tuple[Image.Image, Path | io.BytesIO]]:
    """Yield an image as a Pillow image, not yet decoded, and its file.

    Args:
        image: A path, bytes or a binary stream.

    Raises:
        ImageError: If the file cannot be opened, is too large, or proves damaged meanwhile.
    """
    name = name_of(image) or _("the bytes")
    with image_errors(name):
        file: Path | io.BytesIO
        if isinstance(image, str | Path) and not _is_pipe(Path(image)):
            file = Path(image)
            size = file.stat().st_size
        else:
            file = content_of(image)
            size = len(file.getvalue())
        if size == 0:
            raise ImageError(
                _("{name}: an image must have content; found 0 bytes.").format(name=name)
            )
        try:
            pillow_image = Image.open(file)
        except Image.DecompressionBombError as error:
            # Pillow refuses images above 179 million pixels itself; below that it only warns.
            number = re.search(r"\d+(?= pixels)", str(error))
            found: str = _("more")
            if number:
                found = _("{number:,.0f} million").format(number=int(number[0]) / 1e6)
            raise _too_large(name, found) from error
        with pillow_image:
            if pillow_image.width * pillow_image.height > MAX_PIXELS:
                found = "{} x {}".format(pillow_image.width, pillow_image.height)
                raise _too_large(name, found)
            yield pillow_image, file


def _too_large(name: str, found: str) -> ImageError:
    return ImageError(
        _(
            "{name}: an image may have {limit} million pixels at most; found {found}. "
            "Make it smaller first."
        ).format(name=name, limit=MAX_PIXELS // 10**6, found=found)
    )


def usual_suffixes() -> str:
    """Return the suffixes of the usual images, for messages."""
    return _("{suffixes} and others").format(suffixes=listed(IMAGE_SUFFIXES[:8]))


@contextmanager
def image_errors(name: str) -> Iterator[None]:
    """Turn whatever is raised inside into an ImageError that names the image."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(_("{name}: there is no such file.").format(name=name)) from error
    except IsADirectoryError as error:
        raise ImageError(
            _("{name}: this is a folder; name the images in it.").format(name=name)
        ) from error
    except UnidentifiedImageError as error:
        message = _("{name}: this is not an image that can be read ({suffixes}).")
        is_heic = str(name).lower().endswith((".heic", ".heif"))
        raise ImageError(
            sentences(
                message.format(name=name, suffixes=usual_suffixes()), _(CONVERT) if is_heic else ""
            )
        ) from error
    # On damaged bytes Pillow's decoders and its EXIF reader raise almost anything: OSError,
    # SyntaxError, struct.error, TypeError, KeyError, ... A single odd image among 100,000 must not
    # end a run with a traceback.
    except Exception as error:
        reason = system_reason(error) or type(error).__name__
        if isinstance(error, OSError) and error.errno is not None:  # The system refuses the file.
            said = _("{path}: this cannot be read ({reason}).").format(path=name, reason=reason)
            raise ImageError(said) from error
        raise ImageError(_(DAMAGED).format(name=name, reason=reason)) from error


def none_readable(count: int, problem: str = "") -> DataError:
    """Return the error of images of which none can be read.

    Args:
        count: The number of images.
        problem: What is wrong with the first one; empty where this was said before.
    """
    # Chinese has no plural, so that `ngettext` would count a single image, too.
    if count == 1 and problem:
        message = _("the image cannot be read: {problem}")
    elif count == 1:
        message = _("the image cannot be read.")
    elif problem:
        message = _("none of the {count:,} images can be read; the first: {problem}")
    else:
        message = _("none of the {count:,} images can be read.")
    return DataError(message.format(count=count, problem=problem))


def name_of(image: object) -> str | None:
    """Return the name of a file or of an open file, or None for images without a name."""
    name = image if isinstance(image, str | Path) else getattr(image, "name", None)
    return str(name) if isinstance(name, str | Path) else None


def readable(image: ImageLike) -> ImageLike:
    """Return an image that can be read again: what a stream or a pipe holds, else the image."""
    with suppress(OSError, ValueError):  # which is said when it is opened
        if hasattr(image, "read") or (isinstance(image, str | Path) and _is_pipe(Path(image))):
            return content_of(image)
    return image


def _is_pipe(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def content_of(image: object) -> io.BytesIO:
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
            _(
                "an image is a file, bytes, a stream, a Pillow image or an array; found {type}"
            ).format(type=type(image).__name__)
        )
    name = name_of(image)
    return io.BytesIO(content) if name is None else named(content, name)


def named(content: bytes, name: str) -> io.BytesIO:
    """Return bytes as a stream that messages call by the name of their file."""
    stream = io.BytesIO(content)
    stream.name = name
    return stream


def tolerant(read: Callable[[ImageLike], T], image: ImageLike) -> T:
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
        stream = content_of(image)
    except (OSError, TypeError):  # which is said when it is opened
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
    return named(b"".join(kept), name_of(image) or _("the bytes"))
