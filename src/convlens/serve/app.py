"""App: the FastAPI application, with `POST /predict` and what all answers have in common."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import request_response

from convlens.errors import ImageError
from convlens.image_file import name_of
from convlens.language import _
from convlens.serve.body import is_multipart, read_images
from convlens.serve.docs import add_docs
from convlens.serve.limits import (
    BodyMiddleware,
    LanguageMiddleware,
    Limits,
    Refusal,
    TokenMiddleware,
)
from convlens.serve.metrics import GONE, Metrics, MetricsMiddleware, Routes, add_metrics
from convlens.serve.model import Served
from convlens.serve.openapi import describe
from convlens.serve.queue import Answer, Queue
from convlens.serve.v2 import create_router, model_name


def create_app(served: Served, limits: Limits) -> FastAPI:
    """Return the application that serves an exported folder."""
    queue = Queue(served, limits)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        queue.close()

    app = FastAPI(
        title=served.name,
        version=version("convlens"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirection would name the host that the client names
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=lifespan,
    )
    metrics = Metrics()
    metrics.watch(queue)
    _add_predict(app, queue, limits)
    app.include_router(create_router(queue, limits))
    add_metrics(app, metrics)
    add_docs(app)
    describe(app, has_token=limits.token is not None)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)
    # The last one is the first that sees a request.
    app.add_middleware(BodyMiddleware, limits=limits)
    if limits.token is not None:
        app.add_middleware(TokenMiddleware, token=limits.token)
    app.add_middleware(LanguageMiddleware)
    app.add_middleware(MetricsMiddleware, metrics=metrics, routes=Routes(app))
    return app


def _add_predict(app: FastAPI, queue: Queue, limits: Limits) -> None:
    @app.get("/")
    async def about() -> dict[str, Any]:
        """Say what is served."""
        facts = queue.served.predictor.network.facts
        return {
            "name": queue.served.name,
            "class_names": facts["class_names"],
            "preprocessing": facts["preprocessing"],
            "threshold": facts["threshold"],
            "engine": queue.served.engine_name,
            "convlens": app.version,
            "predict": "/predict",
            "infer": "/v2/models/{name}/infer".format(name=model_name(queue.served.name)),
            "docs": "/docs",
        }

    async def predict(request: Request) -> Response:
        """Classify one image, or several."""
        queue.check_room()
        images = await read_images(request, limits.max_queue)
        answers = await queue.classify(images)
        found = [
            _described(queue, image, answer) for image, answer in zip(images, answers, strict=True)
        ]
        errors = [one["error"] for one in found if "error" in one]
        if len(errors) == len(found):
            return JSONResponse({"error": errors[0]}, 422)
        return JSONResponse(found if is_multipart(request) else found[0])

    app.router.add_api_route(
        "/predict", predict, methods=["POST"], route_class_override=_PlainRoute
    )


class _PlainRoute(APIRoute):
    """A route that FastAPI describes, but whose function it calls at once.

    There are no parameters, no dependencies and no models of answers that it would have to look for
    in each request.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **named: Any) -> None:
        super().__init__(path, endpoint, **named)
        self.app = request_response(endpoint)


def _described(queue: Queue, image: io.BytesIO, answer: Answer | ImageError) -> dict[str, Any]:
    """Return an answer, or what is wrong with an image, as plain data."""
    if isinstance(answer, ImageError):
        return {"image": name_of(image) or "", "error": str(answer)}
    prediction = answer.prediction
    names = queue.served.predictor.class_names
    return {
        "image": prediction.image,
        "label": prediction.label,
        "probability": prediction.probability,
        "known": prediction.known,
        "probabilities": dict(zip(names, prediction.probabilities.tolist(), strict=True)),
        "milliseconds": round(answer.milliseconds, 3),
    }


async def _refused(_request: Request, error: Any) -> Response:
    said = {
        404: _("there is nothing at this path; / says what is served."),
        405: _("this path takes another method."),
    }
    text = error.detail if isinstance(error, Refusal) else said.get(error.status_code, error.detail)
    return JSONResponse({"error": str(text)}, error.status_code, error.headers)


async def _not_valid(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=GONE)


async def _failed(_request: Request, _error: Exception) -> Response:
    # What went wrong is said at the terminal of the server.
    return JSONResponse({"error": str(_("the server has made a mistake."))}, 500)
