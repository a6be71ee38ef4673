"""Metrics: what Prometheus reads at `GET /metrics`. Each application has a registry of its own.

The labels are routes, status codes and reasons that the server itself has. Nothing that a client
sends becomes a label, so that no client can fill the memory with them.
"""

import asyncio
import re
import time
from functools import cached_property

from fastapi import FastAPI
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.responses import PlainTextResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convlens.serve.queue import Queue

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
# The reasons of refusals that have to do with the load and not with the content of a request.
REJECTIONS = {401: "token", 408: "slow", 413: "size", 503: "queue"}
OTHER = "other"  # the route of paths that do not exist
GONE = 499  # the status, which nobody reads, of a request whose client has gone


class Metrics:
    """The numbers of a server.

    Attributes:
        registry: The registry of the numbers.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "convlens_requests",
            "Requests that were answered",  # not translated: Prometheus reads it
            ["route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "convlens_request_seconds",
            "Time from the headers of a request to the end of its answer",  # not translated: same
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._rejected = Counter(
            "convlens_rejected",
            "Requests that were rejected because of a limit",  # not translated: same
            ["reason"],
            registry=self.registry,
        )
        for reason in REJECTIONS.values():
            self._rejected.labels(reason)
        self._errors = Counter(
            "convlens_errors",
            "Requests that failed because of a mistake in the server",  # not translated: same
            registry=self.registry,
        )
        self._images = Counter(
            "convlens_images",
            "Images that were classified",  # not translated: same
            registry=self.registry,
        )
        self._batches = Histogram(
            "convlens_batch_images",
            "Images that were computed together",  # not translated: same
            buckets=BATCHES,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "convlens_waiting_images",
            "Images that were accepted and not yet answered",  # not translated: same
            registry=self.registry,
        )

    def watch(self, queue: Queue) -> None:
        """Count what a queue computes, and ask it how many images wait."""
        self._waiting.set_function(lambda: queue.waiting)
        queue.computed = self._computed

    def _computed(self, images: int) -> None:
        self._images.inc()
        self._batches.observe(images)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status in REJECTIONS:
            self._rejected.labels(REJECTIONS[status]).inc()

    def failed(self) -> None:
        """Count a request that failed because of a mistake in the server."""
        self._errors.inc()


class Routes:
    """The routes of an application, for requests that are refused before its router sees them."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def find(self, path: str) -> str:
        """Return the template of a path, such as /v2/models/{model}, or OTHER."""
        found = (template for pattern, template in self._patterns if pattern.match(path))
        return next(found, OTHER)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        # The routes of included routers stand in the description only, and hidden ones do not.
        hidden = [getattr(route, "path", "") for route in self._app.routes]
        templates = dict.fromkeys([*self._app.openapi()["paths"], *filter(None, hidden)])
        return [(compile_path(template)[0], template) for template in templates]


class MetricsMiddleware:
    """Counts requests, and measures the time that they take."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Routes) -> None:
        self.app = app
        self.metrics = metrics
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500  # if an exception comes before an answer

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            status = GONE
            raise
        except Exception:
            self.metrics.failed()
            raise
        finally:
            # The template of the path, such as /v2/models/{model}; a path is what a client likes.
            route = getattr(scope.get("route"), "path", None) or self.routes.find(scope["path"])
            self.metrics.answered(route, status, time.perf_counter() - start)


def add_metrics(app: FastAPI, metrics: Metrics) -> None:
    """Add the route that Prometheus reads."""

    @app.get("/metrics", response_class=PlainTextResponse)
    async def read() -> Response:
        """Give the numbers of the server, as Prometheus reads them."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
