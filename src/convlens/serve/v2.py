"""The Open Inference Protocol, version 2: routes for programs that speak it already.

The names of the routes, and what they answer, are those of the specification, see
`convlens.serve.v2_models`.
"""

import asyncio
import io
import json
import re
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from convlens.classifier.prediction import Prediction
from convlens.errors import DataError, ImageError
from convlens.language import _
from convlens.serve.body import refuse_compression
from convlens.serve.limits import Limits, Refusal
from convlens.serve.model import Served
from convlens.serve.queue import Queue
from convlens.serve.v2_answer import write_answer
from convlens.serve.v2_models import (
    VERSION,
    InferenceAnswer,
    Live,
    ModelMetadata,
    ModelReady,
    Problem,
    Ready,
    ServerMetadata,
    Tensor,
)
from convlens.serve.v2_request import Inference, read_request

LARGE = 1_000_000  # bytes of a request from which on it is read beside the event loop
# The names of the specification, and openvino_ir, of formats whose own names it does not use.
PLATFORMS = {
    "onnx": "onnx_onnxv1",
    "openvino": "openvino_ir",
    "saved_model": "tensorflow_savedmodel",
    "web": "onnx_onnxv1",
}
HEADER = "Inference-Header-Content-Length"


# not translated: programs read the description of the interface
UNKNOWN: dict[int | str, Any] = {404: {"model": Problem, "description": "unknown name or version"}}
# not translated: as above
STOPPING: dict[int | str, Any] = {503: {"model": Problem, "description": "the server is stopping"}}


def model_name(name: str) -> str:
    """Return the name of a run as it stands in paths, without signs that mean something there.

    >>> model_name("cats/dogs (2)")
    'cats-dogs-2'
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "network"


def create_router(queue: Queue, limits: Limits) -> APIRouter:
    """Return the routes of the protocol for a network."""
    name = model_name(queue.served.name)
    router = APIRouter(tags=["Open Inference Protocol"])  # not translated: its name
    _add_server(router, queue)
    known_name = Annotated[str, Path(json_schema_extra={"enum": [name]})]
    known_version = Annotated[str, Path(json_schema_extra={"enum": [VERSION]})]

    async def check_name(model: known_name) -> None:
        if model != name:
            raise Refusal(
                404,
                _("there is no model {found!r}; this server has {known!r}.").format(
                    found=model[:100], known=name
                ),
            )

    async def check_version(version: known_version) -> None:
        if version != VERSION:
            raise Refusal(
                404,
                _("there is no version {found!r} of this model; there is {known!r}.").format(
                    found=version[:100], known=VERSION
                ),
            )

    paths = {
        "/v2/models/{model}": [Depends(check_name)],
        "/v2/models/{model}/versions/{version}": [Depends(check_name), Depends(check_version)],
    }
    for path, checks in paths.items():
        _add_model(router, path, checks, queue)
        _add_infer(router, path, checks, queue, limits)
    return router


def _add_server(router: APIRouter, queue: Queue) -> None:
    @router.get("/v2/", include_in_schema=False)
    @router.get("/v2")
    async def server() -> ServerMetadata:
        """Say what the server is."""
        return ServerMetadata(
            name="convlens", version=version("convlens"), extensions=["binary_tensor_data"]
        )

    @router.get("/v2/health/live")
    async def live() -> Live:
        """Say that the server runs."""
        return Live(live=True)

    @router.get("/v2/health/ready", responses=STOPPING)
    async def ready() -> Ready:
        """Say whether the server accepts requests."""
        _check_open(queue)
        return Ready(live=True, ready=True)


def _check_open(queue: Queue) -> None:
    if not queue.is_open:
        raise Refusal(503, _("the server is stopping."))


def _add_model(router: APIRouter, path: str, checks: list[Any], queue: Queue) -> None:
    @router.get(path, dependencies=checks, responses=UNKNOWN)
    async def metadata() -> ModelMetadata:
        """Say what the network takes and gives."""
        return _metadata(queue.served)

    @router.get(path + "/ready", dependencies=checks, responses=UNKNOWN | STOPPING)
    async def model_ready() -> ModelReady:
        """Say whether the network accepts requests."""
        _check_open(queue)
        return ModelReady(name=model_name(queue.served.name), ready=True)


def _metadata(served: Served) -> ModelMetadata:
    facts = served.predictor.network.facts
    classes = len(served.predictor.class_names)
    pixels = [-1, *served.predictor.preprocessing.shape]
    properties = {
        name: json.dumps(facts[name], ensure_ascii=False)
        for name in ("class_names", "preprocessing", "threshold")
    }
    return ModelMetadata(
        name=model_name(served.name),
        versions=[VERSION],
        platform=PLATFORMS.get(facts["format"], facts["format"]),
        inputs=[Tensor(name="images", datatype="BYTES", shape=[-1])],
        outputs=[
            Tensor(name="probabilities", datatype="FP32", shape=[-1, classes]),
            Tensor(name="label", datatype="BYTES", shape=[-1]),
            Tensor(name="known", datatype="BOOL", shape=[-1]),
        ],
        properties=properties | {"images_as_uint8": json.dumps(pixels)},
    )


def _add_infer(
    router: APIRouter, path: str, checks: list[Any], queue: Queue, limits: Limits
) -> None:
    reading = asyncio.Semaphore(1)

    @router.post(
        path + "/infer",
        dependencies=checks,
        response_model=InferenceAnswer,
        responses=UNKNOWN,
    )
    async def infer(request: Request) -> Response:
        """Classify images: files as BYTES (base64 in JSON), or pixels as UINT8."""
        refuse_compression(request)
        queue.check_room()
        # `request.body()` would keep it until the request is answered.
        body = b"".join([chunk async for chunk in request.stream()])
        asked = (body, request.headers.get(HEADER), queue.served.predictor.preprocessing.shape)
        try:
            if len(body) < LARGE:
                inference = read_request(*asked, limits.max_queue)
            else:
                # One at a time, because numbers in JSON take many times their size in memory.
                async with reading:
                    inference = await asyncio.to_thread(read_request, *asked, limits.max_queue)
            del body, asked
            predictions = await _classify(queue, inference)
        except DataError as error:
            raise Refusal(400, str(error)) from error
        content, length = write_answer(inference, predictions, model_name(queue.served.name))
        if length is None:
            return Response(content, media_type="application/json")
        return Response(
            content, media_type="application/octet-stream", headers={HEADER: str(length)}
        )


async def _classify(queue: Queue, inference: Inference) -> list[Prediction]:
    """Return a prediction for each image.

    Raises:
        ImageError: If one of them cannot be read.
    """
    if isinstance(inference.images, np.ndarray):
        rows = await queue.compute(inference.images)
        return [queue.served.predictor.prediction("", row) for row in rows]
    files = [io.BytesIO(content) for content in inference.images]
    for index, file in enumerate(files):
        file.name = _("image {index}").format(index=index)
    predictions = []
    for answer in await queue.classify(files):
        if isinstance(answer, ImageError):
            raise ImageError(*answer.args)  # a local one would keep the images with its traceback
        predictions.append(answer.prediction)
    return predictions
