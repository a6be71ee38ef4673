"""Body: the images in the body of a request, which never reach the disk."""

import io
import logging

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from convlens.language import _
from convlens.serve.limits import Refusal

MULTIPART = "multipart/form-data"
RAW = ("image/", "application/octet-stream")
SPARE = 20  # parts of a multipart body besides its images

_logger = logging.getLogger("python_multipart")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


def is_multipart(request: Request) -> bool:
    """Return whether the body of a request has parts."""
    return request.headers.get("content-type", "").lower().startswith(MULTIPART)


def refuse_compression(request: Request) -> None:
    """Raise Refusal if the body of a request is compressed, because it may become any size."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, _("the body must not be compressed (no Content-Encoding)."))


async def read_images(request: Request, most: int) -> list[io.BytesIO]:
    """Return the encoded images of a request, under the names that the client gave them.

    Args:
        request: The request.
        most: The most images.

    Raises:
        Refusal: If there is no image, if there are too many, or if the body is something else.
        ClientDisconnect: If the client has gone.
    """
    refuse_compression(request)
    kind = request.headers.get("content-type", "application/octet-stream").lower().strip()
    if kind.startswith(MULTIPART):
        return await _read_parts(request, most)
    if not kind.startswith(RAW):
        raise Refusal(
            415,
            _(
                "the body must be an image (Content-Type: image/... or application/octet-stream) "
                "or images as multipart/form-data; found {kind}."
            ).format(kind=kind[:100]),
        )
    return [io.BytesIO(await request.body())]


async def _read_parts(request: Request, most: int) -> list[io.BytesIO]:
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary")
    parts = Parts(most)
    try:
        parser = MultipartParser(boundary or b"", parts.callbacks())  # type: ignore[arg-type]
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Refusal(400, _("the multipart body is damaged.")) from error
    if not boundary or not parts.is_whole:
        raise Refusal(400, _("the multipart body is damaged."))
    if not parts.images:
        raise Refusal(422, _("the request has no image: send at least one file."))
    return parts.images


class Parts:
    """Collects the images among the parts of a multipart body.

    Attributes:
        images: The images so far. A part without a file name is none, such as a field of a form.
        is_whole: Whether the last boundary was read.
    """

    def __init__(self, most: int) -> None:
        self.images: list[io.BytesIO] = []
        self.is_whole = False
        self._most = most
        self._number = 0
        self._name = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._image: io.BytesIO | None = None

    def callbacks(self) -> dict[str, object]:
        """Return what a MultipartParser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._number += 1
        if self._number > self._most + SPARE:
            self._refuse()
        self._headers = {}
        self._image = None

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = b""
        self._value = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._headers.get(b"content-disposition"))[1]
        if b"filename" not in options:
            return
        if len(self.images) == self._most:
            self._refuse()
        self._image = io.BytesIO()
        self._image.name = options[b"filename"].decode(errors="replace")
        self.images.append(self._image)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._image is not None:
            self._image.write(data[start:end])

    def _end(self) -> None:
        self.is_whole = True

    def _refuse(self) -> None:
        raise Refusal(413, _("a request may have {most} images at most.").format(most=self._most))
