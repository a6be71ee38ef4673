"""Content: the bytes that somebody uploads, looked at before they become a file."""

import io

from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.image_file import MAX_PIXELS, usual_suffixes
from convlens.language import _
from convlens.studio.names import FORMATS, image_name
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
        Problem: If it is too large, or no image that `train` reads.
    """
    shown = given.rpartition("/")[2][:100] or "image"
    if len(content) > MOST_BYTES:
        raise too_large(shown)
    stream = io.BytesIO(content)
    stream.name = shown
    try:
        kind = read_header(stream).format
    except ImageError as error:
        raise Problem(str(error.args[0]), field="name") from error
    if kind not in FORMATS:
        raise Problem(
            _("{name}: this is not an image that can be read ({suffixes}).").format(
                name=shown, suffixes=usual_suffixes()
            ),
            field="name",
        )
    return image_name(given, kind)


def too_large(name: str) -> Problem:
    """Return the refusal of an image with too many bytes."""
    return Problem(
        _("{name}: an image may have {most:g} MB at most; this one has more.").format(
            name=name, most=MOST_BYTES / 1e6
        ),
        TOO_LARGE,
        "name",
    )
