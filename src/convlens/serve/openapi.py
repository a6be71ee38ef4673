"""OpenAPI: what `/openapi.json` says beyond what FastAPI finds out by itself.

FastAPI knows the answers, whose models are named at the routes. It does not know the bodies, which
are read by hand, and what every route has in common: a token, limits, and one form of errors.
"""

import base64
import io
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from PIL import Image
from pydantic import BaseModel, ConfigDict

from convlens.serve.v2_models import InferenceRequest, Problem

FILE = {"type": "string", "format": "binary"}
# What any route may answer, apart from what it is asked for. Programs read these descriptions.
COMMON = {
    "408": "the request was sent too slowly",  # not translated: see above
    "413": "the request is too large",  # not translated: as above
}
FAILURES = {
    "400": "the request is malformed",  # not translated: as above
    "415": "the body is of another kind",  # not translated: as above
    "503": "too many images wait, or the server is stopping",  # not translated: as above
}


class Described(BaseModel):
    """What is said of an image."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    image: str
    """The name of the file that the client gave; empty for an image that is the body itself."""
    label: str
    probability: float
    known: bool
    """Whether the probability reaches the threshold; if it does not, it is "none of these"."""
    probabilities: dict[str, float]
    milliseconds: float
    """The time that the image waited, was decoded and was computed."""


def describe(app: FastAPI, *, has_token: bool) -> None:
    """Let an application describe itself in full."""

    @cache
    def description() -> dict[str, Any]:
        found = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = found["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for model in (InferenceRequest, Described, Problem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas[model.__name__] = schema
        for path, operations in found["paths"].items():
            for operation in operations.values():
                _complete(path, operation, has_token=has_token)
        if has_token:
            found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        return found

    app.openapi = description  # type: ignore[method-assign]


def _complete(path: str, operation: dict[str, Any], *, has_token: bool) -> None:
    """Complete what is said of a route."""
    operation.setdefault("tags", ["convlens"])
    answers = operation["responses"]
    answers.pop("422", None)  # of FastAPI; no parameter of a path can be invalid
    failures = dict(COMMON)
    if path == "/predict":
        failures |= FAILURES | {"422": "no image can be read"}  # not translated: as above
        operation["requestBody"] = _body_of_images()
        answers["200"]["content"] = {"application/json": {"schema": _answers_schema()}}
    elif path.endswith("/infer"):
        failures |= FAILURES
        operation["requestBody"] = _body_of_tensors()
        answers["200"]["content"]["application/octet-stream"] = {"schema": FILE}
    if has_token and not path.startswith("/v2/health"):
        failures["401"] = "the token is missing or wrong"  # not translated: as above
        operation["security"] = [{"token": []}]
    for status, text in failures.items():
        content = {"application/json": {"schema": _reference(Problem)}}
        answers.setdefault(status, {"description": text, "content": content})


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _answers_schema() -> dict[str, Any]:
    """Return what `/predict` answers: one description, or a list of them for several parts."""
    items = {"anyOf": [_reference(Described), _reference(Problem)]}
    return {"anyOf": [_reference(Described), {"type": "array", "items": items}]}


def _body_of_images() -> dict[str, Any]:
    parts = {
        "type": "object",
        "properties": {"images": {"type": "array", "items": FILE, "minItems": 1}},
        "required": ["images"],
    }
    kinds = ("image/jpeg", "image/png", "application/octet-stream")
    content = {kind: {"schema": FILE} for kind in kinds}
    return {"required": True, "content": content | {"multipart/form-data": {"schema": parts}}}


def _body_of_tensors() -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "orange").save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    images = {"name": "images", "datatype": "BYTES", "shape": [1], "data": [text]}
    example = {"inputs": [images], "outputs": [{"name": "probabilities"}]}
    json_body = {"schema": _reference(InferenceRequest), "example": example}
    content = {"application/json": json_body, "application/octet-stream": {"schema": FILE}}
    return {"required": True, "content": content}
