"""API of the room Try: what the classifier of a run says of an image, why, and what is near."""

import asyncio
import secrets
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.run import Run
from convlens.studio.asking import whole_number
from convlens.studio.auditing import images_of
from convlens.studio.content import MOST_BYTES, checked_name
from convlens.studio.json_answer import JSONResponse
from convlens.studio.studio import Content, Studio, read_body, read_content, studio_of

NEAREST = 6  # training images that are shown
MOST_NEAREST = 50


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/try/open", _open, methods=["POST"]),
        Route("/api/try/status", _status),
        Route("/api/try", _answer, methods=["POST"]),
        Route("/api/try/why", _why, methods=["POST"]),
        Route("/api/try/neighbours", _neighbours, methods=["POST"]),
    ]


async def _open(request: Request) -> Response:
    """Open the classifier of a run."""
    content = await read_content(request)
    studio = studio_of(request)

    def work() -> Content:
        folder = studio.runs.find_classifier(content.get("run"))
        again, insist = (content.get(name) is True for name in ("again", "insist"))
        studio.trying.open(folder, again=again, insist=insist)
        return studio.trying.status(folder)

    return JSONResponse(await run_in_threadpool(work))


async def _status(request: Request) -> Response:
    studio = studio_of(request)

    def work() -> Content:
        return studio.trying.status(studio.runs.find(request.query_params.get("run")))

    return JSONResponse(await run_in_threadpool(work))


async def _answer(request: Request) -> Response:
    return await _asked(request, {"do": "answer"})


async def _why(request: Request) -> Response:
    given = request.query_params
    asked = {name: given.get(name, "")[:1000] for name in ("class", "against")}
    return await _asked(request, {"do": "why", **asked})


async def _neighbours(request: Request) -> Response:
    count = whole_number(dict(request.query_params), "count", NEAREST, MOST_NEAREST)
    return await _asked(request, {"do": "neighbours", "count": count})


async def _asked(request: Request, asked: dict[str, Any]) -> Response:
    """Answer a request whose body is the bytes of an image.

    A page that asks something else meanwhile breaks the connection, which cancels this.
    """
    content = await read_body(request, MOST_BYTES)
    studio = studio_of(request)
    given = request.query_params
    word = secrets.token_hex(8)

    def work() -> Content:
        folder = studio.runs.find_classifier(given.get("run"))
        name = checked_name(given.get("name", "image"), content)
        more: dict[str, Any] = {}
        own = False
        if asked["do"] == "neighbours":
            own = studio.scores.is_of_workspace(Run(folder).data)
            more = _present(studio) if own else {"images": None, "version": 0}
        found = studio.trying.ask(folder, {**asked, **more, "name": name, "word": word}, content)
        return _with_ids(studio, found) if own else found

    try:
        return JSONResponse(await run_in_threadpool(work))
    except asyncio.CancelledError:
        asyncio.get_running_loop().run_in_executor(None, studio.trying.forget, word)
        raise


def _present(studio: Studio) -> dict[str, Any]:
    """Return where the images of the workspace lie now, in case they are not those of the run."""
    with studio.workspace.lock:
        return {"images": images_of(studio.workspace), "version": studio.workspace.version}


def _with_ids(studio: Studio, found: Content) -> Content:
    """Return near training images with the ids of those that the workspace has."""
    known = studio.workspace.listing.by_file
    for row in found["rows"]:
        item = known.get(row.pop("file"))
        row["id"] = None if item is None else item.id
    return found
