"""Problem: a request that is refused, with the line that says why and the field that is wrong."""

import re
from typing import Any

from convlens.errors import (
    BackendError,
    ConfigError,
    ConvlensError,
    DataError,
    RunError,
    StorageError,
)
from convlens.image_file import DAMAGED
from convlens.language import Message, _, again
from convlens.studio.json_answer import JSONResponse
from convlens.text import printable

GONE = 409  # what the request names is there no more, or something would be lost
TOO_LARGE = 413
WRONG = 422
FULL = 507
STATUS = {
    BackendError: WRONG,
    StorageError: FULL,
    DataError: WRONG,
    ConfigError: WRONG,
    RunError: GONE,
}


class Problem(DataError):  # noqa: N818 - nothing of convlens is wrong
    """A request that is refused.

    Attributes:
        status: The status of the answer.
        field: The field of the request that is wrong, at which the page shows the line; or None.
        more: What the answer says besides.
    """

    def __init__(
        self, text: str, status: int = WRONG, field: str | None = None, **more: Any
    ) -> None:
        super().__init__(text)
        self.status = status
        self.field = field
        self.more = more


def on_page(text: str, source: str, kind: str = "") -> str:
    """Return a message on images for a page that shows these images, and needs no path for that.

    Args:
        text: The message.
        source: What it begins with, the path of the images.
        kind: How the labels were found, which it may say in parentheses.
    """
    said = without_source(text, source)
    if kind:
        said = re.sub(rf" ?[(（]{re.escape(kind)}[)）]", "", said)
    return said[:1].upper() + said[1:]


def without_source(text: str, source: str) -> str:
    """Return a text on images without the name of their source at its beginning."""
    return re.sub(rf"^{re.escape(source)}[:：] *", "", printable(text))


def said_of(error: ConvlensError) -> str:
    """Return what an error says, without the words of a decoder, which are English."""
    text = error.args[0]
    if isinstance(text, Message) and text.template == DAMAGED and text.fields:
        return _("{name}: the image is cut off or damaged.").format(name=text.fields["name"])
    return str(again(text))


def refusal(error: ConvlensError) -> JSONResponse:
    """Return the answer that tells of an error."""
    if isinstance(error, Problem):
        status, field, more = error.status, error.field, error.more
    else:
        known = (status for kind, status in STATUS.items() if isinstance(error, kind))
        status, field, more = next(known, 500), None, {}
    return JSONResponse({"message": said_of(error), "field": field, **more}, status)
