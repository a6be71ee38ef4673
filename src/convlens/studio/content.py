"""Content: the bytes that somebody uploads, looked at before they become a file."""

import io
import os
import threading
from pathlib import Path

from convlens.decode import decode, read_header
from convlens.errors import ImageError
from convlens.files import numbered
from convlens.image_file import MAX_PIXELS
from convlens.language import _
from convlens.serve.untrusted import is_large
from convlens.studio.names import image_name
from convlens.studio.problem import TOO_LARGE, Problem, said_of

MOST_BYTES = 50_000_000  # of an image
MOST_IMAGES = 200_000  # of a workspace
LIMITS = {"image_bytes": MOST_BYTES, "image_pixels": MAX_PIXELS, "images": MOST_IMAGES}

_one_at_a_time = threading.Lock()


def checked_name(given: str, content: bytes) -> str:
    """Return the name under which an image is kept, after a look at its header.

    Args:
        given: The name that it came with.
        content: The bytes of the file.

    Raises:
        Problem: If it is too large, no image that `train` reads, cut off at its end, or one that
            must not be decoded.
    """
    shown = given.rpartition("/")[2][:100] or "image"
    if len(content) > MOST_BYTES:
        raise too_large(shown)
    stream = io.BytesIO(content)
    stream.name = shown
    try:
        header = read_header(stream)
        is_large(header, stream)
        if not seems_whole(header.format, content):
            with _one_at_a_time:  # of large images, few fit into the memory
                decode(stream)
    except ImageError as error:
        raise Problem(said_of(error), field="name") from error
    return image_name(given, header.format)


def seems_whole(kind: str, content: bytes) -> bool:
    """Return whether a file has the end of its image; only one that seems not to is decoded.

    Args:
        kind: Pillow's name of its format.
        content: The file.
    """
    if kind in ("JPEG", "MPO"):
        # The data of an image begins after its last header, and cannot have this marker in it.
        return content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")
    if kind == "PNG":
        return b"IEND\xaeB`\x82" in content
    if kind == "WEBP":
        return len(content) >= 8 + int.from_bytes(content[4:8], "little")
    return False


def holds(path: Path, content: bytes) -> bool:
    """Return whether a file has some bytes."""
    try:
        is_alike = path.is_file() and path.stat().st_size == len(content)
        return is_alike and path.read_bytes() == content
    except OSError:
        return False


def free_place(path: Path, content: bytes) -> Path:
    """Return a path that is free, or has these bytes already.

    Some file systems do not tell capital letters from small ones.
    """
    return next(
        tried
        for tried in numbered(path, path.suffix)
        if not os.path.lexists(tried) or holds(tried, content)
    )


def too_large(name: str) -> Problem:
    """Return the refusal of an image with too many bytes."""
    return Problem(
        _("{name}: an image may have {most:g} MB at most; this one has more.").format(
            name=name, most=MOST_BYTES / 1e6
        ),
        TOO_LARGE,
        "name",
    )
