"""Untrusted: what is refused of images that anybody may send, before they are decoded.

The pixel limit of convlens is checked first, as everywhere.
"""

import ctypes
import io
import re
from contextlib import suppress

from PIL import Image

from convlens.decode import Header
from convlens.errors import ImageError
from convlens.image_file import name_of, usual_suffixes
from convlens.language import _

# Pillow opens others as well. To decode EPS, it starts Ghostscript, which writes files.
# fmt: off
FORMATS = frozenset((
    "AVIF", "BMP", "DDS", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM",
    "PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP",
))
# fmt: on
LARGE = 16_000_000  # pixels; see `is_large`
# Each scan of a JPEG may be a few bytes and take as long as the whole image. libtiff has the same
# limit for the JPEG data in TIFF files; cameras write up to 3 scans, and other programs some 10.
MOST_SCANS = 100
MOST_SEGMENTS = 10_000
# A byte 255 that is followed by 0 or by a restart marker belongs to the data of a scan. More bytes
# 255 may stand before a marker. The pattern has only the last of them: a search for `\xff+` would
# begin again at each one, and take hours for a megabyte of them that no marker follows.
MARKER = re.compile(b"\xff([\x01-\xcf\xd8-\xfe])")
START = 0xD8
END = 0xD9
SCAN = 0xDA


def is_large(header: Header | Image.Image, image: io.BytesIO) -> bool:
    """Return whether an image is so large that only one should be decoded at a time.

    Args:
        header: What the image says of itself, or the image as Pillow has opened it.
        image: Its file.

    Raises:
        ImageError: If the image must not be decoded.
    """
    name = name_of(image) or _("the bytes")
    if header.format not in FORMATS:
        raise ImageError(
            _("{name}: this is not an image that can be read ({suffixes}).").format(
                name=name, suffixes=usual_suffixes()
            )
        )
    if header.format in ("JPEG", "MPO") and has_too_many_scans(image.getvalue()):
        raise ImageError(
            _("{name}: a JPEG may have {most} scans at most; this one has more.").format(
                name=name, most=MOST_SCANS
            )
        )
    width, height = header.size
    return width * height > LARGE


def has_too_many_scans(content: bytes) -> bool:
    """Return whether a JPEG would take far longer to decode than its size says."""
    if content.count(bytes([0xFF, SCAN])) <= MOST_SCANS:  # this is quick, and so in most images
        return False
    scans = 0
    position = 0
    for _segment in range(MOST_SEGMENTS):
        found = MARKER.search(content, position)
        if found is None or found[1][0] == END:
            return False
        position = found.end()
        if found[1][0] == START:
            continue
        if found[1][0] == SCAN:
            scans += 1
            if scans > MOST_SCANS:
                return True
        position += int.from_bytes(content[position : position + 2], "big")
    return True


def give_memory_back() -> None:
    """Give the memory of large images back to the system, which glibc does only if it is asked."""
    with suppress(AttributeError, OSError, TypeError):  # another library, or Windows
        ctypes.CDLL(None).malloc_trim(0)
