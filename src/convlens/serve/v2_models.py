"""Models of the Open Inference Protocol: what its requests and answers look like in JSON.

The specification is https://github.com/kserve/open-inference-protocol; that of binary tensors is
the "Binary Tensor Data Extension" of the Triton Inference Server. Members that are not named here
are allowed and have no effect.
"""

import struct
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = "1"  # of the network; an exported folder has no other one
OUTPUTS = ("probabilities", "label", "known")
PREFIX = struct.Struct("<I")  # the length before each element of a BYTES tensor behind the JSON

Size = Annotated[int, Field(ge=0, lt=2**63)]
Datatype = Literal["UINT8", "BYTES", "FP32", "BOOL"]


class _Strict(BaseModel):
    """A part of a request. A number is no text, and `true` is no number."""

    model_config = ConfigDict(strict=True, extra="allow", use_attribute_docstrings=True)


class InputParameters(_Strict):
    """Parameters of an input."""

    binary_data_size: Size | None = None
    """The bytes of this tensor behind the JSON."""


class InputTensor(_Strict):
    """The images of a request: files as BYTES, or pixels as UINT8."""

    name: Literal["images"]
    datatype: Literal["BYTES", "UINT8"]
    """BYTES for image files of any size, UINT8 for pixels as the network takes them."""
    shape: list[Size]
    """[n] or [n, 1] for files; [n, height, width, channels] for pixels."""
    parameters: InputParameters | None = None
    data: list[Any] | None = None
    """Files in base64, or whole numbers from 0 to 255, nested or flat."""


class OutputParameters(_Strict):
    """Parameters of a requested output."""

    binary_data: bool | None = None
    """Whether this tensor comes behind the JSON."""


class RequestedOutput(_Strict):
    """An output that is asked for."""

    name: Literal["probabilities", "label", "known"]
    parameters: OutputParameters | None = None


class RequestParameters(_Strict):
    """Parameters of a request."""

    binary_data_output: bool | None = None
    """Whether all outputs come behind the JSON."""


class InferenceRequest(_Strict):
    """A request: images, and the outputs that are asked for; all of them if none is named."""

    id: str | None = None
    """Is returned with the answer."""
    parameters: RequestParameters | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]
    outputs: list[RequestedOutput] | None = None


class Tensor(BaseModel):
    """What an input or an output looks like; -1 is the number of images."""

    name: str
    datatype: Datatype
    shape: list[int]


class OutputTensor(Tensor):
    """An output with its values; they come behind the JSON if `binary_data_size` is given."""

    parameters: dict[str, int] | None = None
    data: list[float | bool | str] | None = None


class InferenceAnswer(BaseModel):
    """The answer to a request."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class ServerMetadata(BaseModel):
    """What the server is."""

    name: str
    version: str
    extensions: list[str]


class ModelMetadata(BaseModel):
    """What the network takes and gives."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    versions: list[str]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    properties: dict[str, str]
    """Classes, preprocessing and threshold, as JSON; `images_as_uint8` is the shape of pixels."""


class Problem(BaseModel):
    """Why a request was not answered."""

    error: str


class Live(BaseModel):
    """Whether the server runs."""

    live: bool


class Ready(BaseModel):
    """Whether the server accepts requests; the specification calls it `live` here, too."""

    live: bool
    ready: bool


class ModelReady(BaseModel):
    """Whether a network accepts requests."""

    name: str
    ready: bool
