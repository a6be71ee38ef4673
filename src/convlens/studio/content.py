"""Content: the bytes that somebody uploads, looked at before they become a file."""

import io

from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.image_file import MAX_PIXELS
from convlens.language import _
from convlens.serve.untrusted import is_large
from convlens.studio.names import image_name
from convlens.studio.problem import TOO_LARGE, Problem

MOST_BYTES = 50_000_000  # of an image
MOST_IMAGES = 200_000  # of a workspace
LIMITS = {"image_bytes": MOST_BYTES, "image_pixels": MAX_PIXELS, "images": MOST_IMAGES}


def checked_name(given: str, content: bytes) -> str:
    """Return the name under which an image is kept, after a look at its header.

    Args:
        given: The name that it came with.
        content: The bytes of the file.

    Raises:
        Problem: If it is too large, no image that `train` reads, or one that must not be decoded.
    """
    shown = given.rpartition("/")[2][:100] or "image"
    if len(content) > MOST_BYTES:
        raise too_large(shown)
    stream = io.BytesIO(content)
    stream.name = shown
    try:
        header = read_header(stream)
        is_large(header, stream)
    except ImageError as error:
        raise Problem(error.args[0], field="name") from error
    return image_name(given, header.format)


def too_large(name: str) -> Problem:
    """Return the refusal of an image with too many bytes."""
    return Problem(
        _("{name}: an image may have {most:g} MB at most; this one has more.").format(
            name=name, most=MOST_BYTES / 1e6
        ),
        TOO_LARGE,
        "name",
    )
