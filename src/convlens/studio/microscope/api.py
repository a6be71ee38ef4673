"""API of the microscope: networks by hand, images in trained ones, and their way to a class."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.studio.content import MOST_BYTES
from convlens.studio.framed import framed
from convlens.studio.json_answer import JSONResponse
from convlens.studio.microscope.asked import time_of_request
from convlens.studio.microscope.own_picture import content_of
from convlens.studio.studio import Content, Studio, read_body, read_content, studio_of
from convlens.studio.thumbs import LARGE


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/microscope/network", _network, methods=["POST"]),
        Route("/api/microscope/valley", _valley, methods=["POST"]),
        Route("/api/microscope/images", _add, methods=["POST"]),
        Route("/api/microscope/images/{id}", _add_own, methods=["POST"]),
        Route("/api/microscope/page", _page, methods=["POST"]),
        Route("/api/microscope/time", _time, methods=["POST"]),
        Route("/api/microscope", _status),
        Route("/api/microscope", _stop, methods=["DELETE"]),
        Route("/images/microscope/{id}", _picture),
        Route("/images/microscope/page/{key}", _page_file),
    ]


async def _compute(request: Request, work: Callable[[Content], Content]) -> Response:
    """Return what some work gives for the content of a request, in a thread."""
    content = await read_content(request)
    return JSONResponse(await run_in_threadpool(work, content))


async def _network(request: Request) -> Response:
    # scipy, which it needs, is loaded when the room is opened, not when the studio starts.
    from convlens.studio.microscope.by_hand import look_at_network

    return await _compute(request, look_at_network)


async def _valley(request: Request) -> Response:
    from convlens.studio.microscope.by_hand import go_down_valley

    return await _compute(request, go_down_valley)


async def _do(request: Request, work: Callable[[Studio], Content], status: int = 200) -> Response:
    """Return what some work gives, in a thread, without the lock of the images."""
    return JSONResponse(await run_in_threadpool(work, studio_of(request)), status)


async def _add(request: Request) -> Response:
    content = await read_body(request, MOST_BYTES)
    name = request.query_params.get("name", "image")
    return await _do(request, lambda studio: studio.looking.pictures.add(name, content), 201)


async def _add_own(request: Request) -> Response:
    """Put an image of the workspace under the microscope."""

    def work(studio: Studio) -> Content:
        with studio.workspace.lock:
            (item,) = studio.workspace.items([request.path_params["id"]])
            name, content = content_of(studio.workspace, item)
        return studio.looking.pictures.add(name, content)

    return await _do(request, work, 201)


async def _picture(request: Request) -> Response:
    studio = studio_of(request)
    path = studio.looking.pictures.find(request.path_params["id"])
    content, kind = await run_in_threadpool(studio.thumbs.draw, path, LARGE)
    headers = {"Cache-Control": "private, no-cache"}  # not translated: HTTP
    return Response(content, media_type=kind, headers=headers)


async def _status(request: Request) -> Response:
    return JSONResponse(studio_of(request).looking.status())


async def _stop(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.looking.stop()
        return studio.looking.status()

    return await _do(request, work)


async def _page(request: Request) -> Response:
    """Answer with the name of a page, once it is written."""
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        run = studio.runs.find_classifier(content.get("run"))
        return studio.looking.page(run, content.get("image"))

    return await _do(request, work)


async def _page_file(request: Request) -> Response:
    path = studio_of(request).looking.page_file(request.path_params["key"])
    return await run_in_threadpool(framed, path)


async def _time(request: Request) -> Response:
    """Answer what the states of a training say of an image, a layer or a weight."""
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        run = studio.runs.find_classifier(content.get("run"))
        return studio.looking.time(run, content.get("image"), time_of_request(content))

    return await _do(request, work)
