"""Requests of the Open Inference Protocol: the images in them, and what is asked for.

A request is JSON, or JSON and after it the bytes of the tensors. Nothing that it says of itself is
believed: sizes are compared with what is there before anything is made of them.
"""

import binascii
import math
import reprlib
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from convlens.errors import DataError
from convlens.language import _
from convlens.preprocess import ImageArray
from convlens.serve.v2_models import OUTPUTS, PREFIX, InferenceRequest, InputTensor

# Parameters of other servers that would change what an answer means; they are refused, not ignored.
REFUSED = ("classification", "shared_memory_region")
# In JSON. Python is busy with each of them, and a few bytes become a hundred in memory. At least
# one image of the network is always taken.
MOST_VALUES = 1_000_000


class Wanted(NamedTuple):
    """An output that is asked for.

    Attributes:
        name: One of OUTPUTS.
        is_binary: Whether it comes behind the JSON.
    """

    name: str
    is_binary: bool


@dataclass(frozen=True, eq=False)
class Inference:
    """What a request asks for.

    Attributes:
        id: The text that the answer repeats, or None.
        images: The content of image files, or (n, height, width, channels) uint8 pixels.
        outputs: What the answer holds, in this order.
    """

    id: str | None
    images: list[bytes] | ImageArray
    outputs: tuple[Wanted, ...]


def read_request(
    body: bytes, header_length: str | None, shape: tuple[int, int, int], most: int
) -> Inference:
    """Return what a request asks for.

    Args:
        body: The body of the request.
        header_length: The value of Inference-Header-Content-Length, or None.
        shape: (height, width, channels) of the network.
        most: How many images a request may have.

    Raises:
        DataError: If the request is not one of the protocol.
    """
    length = _length(header_length, len(body))
    head = body[:length]
    _check_size(head, max(MOST_VALUES, math.prod(shape)))
    try:
        request = InferenceRequest.model_validate_json(head)
    except ValidationError as error:
        raise DataError(_reason(error)) from error
    given = request.inputs[0]
    _refuse(given.parameters)
    for output in request.outputs or ():
        _refuse(output.parameters)
    size = given.parameters.binary_data_size if given.parameters else None
    rest = memoryview(body)[length:]
    if len(rest) != (size or 0):
        raise DataError(
            _(
                "the bytes behind the JSON must be as many as binary_data_size says; found {found} "
                "bytes, where {size} were announced. Inference-Header-Content-Length is the length "
                "of the JSON."
            ).format(found=len(rest), size=size or 0)
        )
    if (size is None) == (given.data is None):
        raise DataError(
            _("the input images must have either data or the parameter binary_data_size.")
        )
    count = _count(given, shape, most)
    images: list[bytes] | ImageArray
    if given.datatype == "UINT8":
        images = _pixels(given, rest, (count, *shape))
    elif given.data is None:
        images = _files(rest, count)
    else:
        images = _files_in_json(given.data, given.shape)
    return Inference(request.id, images, _wanted(request))


def _length(header_length: str | None, most: int) -> int:
    """Return the number of bytes of the JSON."""
    if header_length is None:
        return most
    # An integer in Python may have a sign, underscores and the digits of any script.
    is_number = header_length.isascii() and header_length.isdigit() and len(header_length) < 20
    if not is_number or int(header_length) > most:
        raise DataError(
            _(
                "Inference-Header-Content-Length must be a number of bytes of the body, which has "
                "{most}; found {found}."
            ).format(most=most, found=reprlib.repr(header_length))
        )
    return int(header_length)


def _check_size(head: bytes, most: int) -> None:
    """Raise DataError if the JSON has so many values that reading it would stop the server."""
    # Each value follows one of these signs. Nested pixels of one channel have two for each value.
    signs = sum(map(head.count, (b",", b"[", b"{")))
    if signs > 3 * most:
        raise DataError(
            _(
                "the JSON may have about {most:,} values; found more. Send the tensor behind the "
                "JSON, with binary_data_size, or image files as BYTES."
            ).format(most=most)
        )


def _reason(error: ValidationError) -> str:
    """Return where a request differs from the protocol, in one sentence."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]]
    place = "".join(steps).lstrip(".")[:100] or _("the body")
    return _("the request must be one of the Open Inference Protocol; {place}: {reason}.").format(
        place=place, reason=first["msg"].rstrip(".")
    )


def _refuse(parameters: Any) -> None:
    for name in REFUSED:
        if parameters is not None and name in (parameters.model_extra or ()):
            raise DataError(
                _("the parameter {name} is not supported; leave it out.").format(name=name)
            )


def _count(given: InputTensor, shape: tuple[int, int, int], most: int) -> int:
    """Return the number of images, after a look at the shape alone."""
    found = tuple(given.shape)
    if given.datatype == "BYTES":
        fits = len(found) == 1 or (len(found) == 2 and found[1] == 1)
        expected = "[n]"
    else:
        fits = len(found) == 4 and found[1:] == shape
        expected = "[n, {}, {}, {}]".format(*shape)
    if not fits:
        raise DataError(
            _("the shape of {datatype} images must be {expected}; found {found}.").format(
                datatype=given.datatype, expected=expected, found=reprlib.repr(given.shape)
            )
        )
    if not 1 <= found[0] <= most:
        raise DataError(
            _("a request must have 1 to {most} images; its shape says {found}.").format(
                most=most, found=found[0]
            )
        )
    return found[0]


def _flat(data: list[Any], shape: Sequence[int]) -> list[Any]:
    """Return the elements of a tensor in JSON, which is nested as its shape says, or flat."""
    is_whole = True
    if data and isinstance(data[0], list):
        for size in shape[1:]:
            is_whole = all(isinstance(row, list) and len(row) == size for row in data)
            if not is_whole:
                break
            data = list(chain.from_iterable(data))
    if not is_whole or len(data) != math.prod(shape):
        raise DataError(
            _(
                "the data must have {number} values, nested as the shape {shape} says or flat; "
                "they are not."
            ).format(number=math.prod(shape), shape=list(shape))
        )
    return data


def _pixels(given: InputTensor, rest: memoryview, shape: tuple[int, ...]) -> ImageArray:
    """Return the pixels of a request as uint8 of a shape."""
    number = math.prod(shape)
    if given.data is None:
        if len(rest) != number:
            raise DataError(
                _("UINT8 images of the shape {shape} have {number} bytes; found {found}.").format(
                    shape=list(shape), number=number, found=len(rest)
                )
            )
        return np.frombuffer(rest, np.uint8).reshape(shape)
    values = _flat(given.data, shape)
    for value in values:
        if type(value) is not int or not 0 <= value <= 255:  # `true` is no pixel
            raise DataError(
                _("UINT8 values must be whole numbers from 0 to 255; found {found}.").format(
                    found=reprlib.repr(value)
                )
            )
    return np.frombuffer(bytes(values), np.uint8).reshape(shape)


def _files_in_json(data: list[Any], shape: Sequence[int]) -> list[bytes]:
    """Return the image files that a request has in base64."""
    files = []
    for index, text in enumerate(_flat(data, shape)):
        try:
            files.append(b64decode(text, validate=True))
        except (binascii.Error, TypeError, ValueError) as error:
            raise DataError(
                _(
                    "BYTES images in JSON must be files in base64; found {found} as image {index}."
                ).format(found=reprlib.repr(text), index=index)
            ) from error
    return files


def _files(rest: memoryview, count: int) -> list[bytes]:
    """Return the image files behind the JSON, each with its length before it."""
    files: list[bytes] = []
    start = 0
    while start < len(rest) and len(files) < count:
        content = start + PREFIX.size
        if content > len(rest):
            break
        end = content + PREFIX.unpack_from(rest, start)[0]
        if end > len(rest):
            break
        files.append(bytes(rest[content:end]))
        start = end
    if start != len(rest) or len(files) != count:
        raise DataError(
            _(
                "BYTES images behind the JSON must be {count} files, each after its length in four "
                "bytes (little-endian); found {found} whole files and {rest} bytes after them."
            ).format(count=count, found=len(files), rest=len(rest) - start)
        )
    return files


def _wanted(request: InferenceRequest) -> tuple[Wanted, ...]:
    """Return the outputs that a request asks for; all of them if it names none."""
    is_binary = bool(request.parameters and request.parameters.binary_data_output)
    if not request.outputs:
        return tuple(Wanted(name, is_binary) for name in OUTPUTS)
    wanted = []
    for output in request.outputs:
        own = output.parameters.binary_data if output.parameters else None
        wanted.append(Wanted(output.name, is_binary if own is None else own))
    if len({one.name for one in wanted}) < len(wanted):
        raise DataError(_("an output can be asked for once only; leave out the second one."))
    return tuple(wanted)
