"""API: what the page asks for the state, the classes and the images of a workspace."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.language import _
from convlens.studio import changes, findings, trash
from convlens.studio.asking import query_of, require_known, whole_number
from convlens.studio.content import LIMITS, MOST_BYTES
from convlens.studio.detail import detail
from convlens.studio.history import Step
from convlens.studio.json_answer import JSONResponse
from convlens.studio.listing import Item, short_digest
from convlens.studio.studio import Content, Studio, answer, read_body, read_content, studio_of
from convlens.studio.thumbs import LARGE, SIDES, Drawn
from convlens.studio.unzip import MOST_ZIP
from convlens.studio.views import undo_and_redo

WAIT = 20.0  # seconds that a page waits for a change at most
PAUSE = 0.1  # seconds between two looks for one
MOST_NUMBER = 10**9
MOST_ROWS = 5000  # of an answer


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/state", _state),
        Route("/api/changes", _changes),
        Route("/api/undo", _undo, methods=["POST"]),
        Route("/api/redo", _redo, methods=["POST"]),
        Route("/api/classes", _create_class, methods=["POST"]),
        Route("/api/classes/{id}", _rename_class, methods=["PATCH"]),
        Route("/api/classes/{id}", _delete_class, methods=["DELETE"]),
        Route("/api/classes/{id}/images", _add_image, methods=["POST"]),
        Route("/api/images", _images),
        Route("/api/images/{id}", _image),
        Route("/api/relabel", _relabel, methods=["POST"]),
        Route("/api/exclude", _exclude, methods=["POST"]),
        Route("/api/restore", _restore, methods=["POST"]),
        Route("/api/remove", _remove, methods=["POST"]),
        Route("/api/trash/empty", _empty_trash, methods=["POST"]),
        Route("/images/{id}/thumb", _thumb),
        Route("/images/{id}/full", _full),
    ]


def changed(studio: Studio, more: Mapping[str, Any]) -> Content:
    """Return the answer to a change."""
    return {"version": studio.workspace.version, **undo_and_redo(studio.workspace), **more}


async def _state(request: Request) -> Response:
    key = request.app.state.access.image_key

    def work(studio: Studio) -> Content:
        studio.refresh()
        return {
            **studio.views.state(),
            "image_key": key,
            "audit": studio.auditing.status(),
            "told": studio.told,
            "imports": studio.imports.waiting(),
            "limits": {**LIMITS, "zip_bytes": MOST_ZIP},
        }

    return await answer(request, work)


async def _changes(request: Request) -> Response:
    """Answer when something has changed, or after some seconds."""
    studio = studio_of(request)
    given = dict(request.query_params)
    since = whole_number(given, "since", studio.workspace.version, MOST_NUMBER)
    told = whole_number(given, "told", studio.told, MOST_NUMBER)
    end = time.monotonic() + WAIT
    while time.monotonic() < end and not studio.ended.is_set():
        await run_in_threadpool(studio.refresh)
        if (studio.workspace.version, studio.told) != (since, told):
            break
        await asyncio.sleep(PAUSE)

    def work(studio: Studio) -> Content:
        return {
            "version": studio.workspace.version,
            "session": studio.workspace.session,
            "told": studio.told,
            "audit": studio.auditing.status(),
        }

    return await answer(request, work)


async def _undo(request: Request) -> Response:
    return await _back(request, lambda studio: studio.workspace.undo(), _("undone: {step}"))


async def _redo(request: Request) -> Response:
    return await _back(request, lambda studio: studio.workspace.redo(), _("done again: {step}"))


async def _back(request: Request, go: Callable[[Studio], Step], said: str) -> Response:
    def work(studio: Studio) -> Content:
        step = go(studio)
        return changed(studio, {"text": said.format(step=step.text)})

    return await answer(request, work)


async def _create_class(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        name = changes.create_class(studio.workspace, content.get("name"))
        return changed(studio, {"class": _class(studio, name)})

    return await answer(request, work, 201)


async def _rename_class(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        name = studio.workspace.class_of(request.path_params["id"])
        new = changes.rename_class(studio.workspace, name, content.get("name"))
        return changed(studio, {"class": _class(studio, new)})

    return await answer(request, work)


async def _delete_class(request: Request) -> Response:
    given = dict(request.query_params)
    images = whole_number(given, "images", 0, MOST_NUMBER)

    def work(studio: Studio) -> Content:
        name = studio.workspace.class_of(request.path_params["id"])
        changes.delete_class(studio.workspace, name, images)
        return changed(studio, {})

    return await answer(request, work)


def _class(studio: Studio, name: str) -> Content:
    found: Content = next(
        one for one in studio.views.classes() if one["id"] == changes.class_id(name)
    )
    return found


async def _add_image(request: Request) -> Response:
    given = request.query_params.get("name", "")
    group = request.query_params.get("group", "")[:100]
    content = await read_body(request, MOST_BYTES)
    studio = studio_of(request)

    def work() -> tuple[Item, bool]:
        with studio.workspace.lock:
            name = studio.workspace.class_of(request.path_params["id"])
        return studio.workspace.add_image(name, given, content, group)

    item, already = await run_in_threadpool(work)
    image = {"id": item.id, "name": item.file}
    status = 200 if already else 201
    return JSONResponse(
        {"version": studio.workspace.version, "image": image, "already": already}, status
    )


async def _images(request: Request) -> Response:
    given = dict(request.query_params)
    offset = whole_number(given, "offset", 0, MOST_NUMBER)
    limit = whole_number(given, "limit", 2000, MOST_ROWS)

    def work(studio: Studio) -> Content:
        ids = None
        if given.get("finding"):
            ids = findings.ids_of(studio.workspace, studio.auditing, given["finding"])
        return studio.views.rows(query_of(studio.workspace, given, ids), offset, limit)

    return await answer(request, work)


async def _image(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        (item,) = studio.workspace.items([request.path_params["id"]])
        numbers = findings.by_image(studio.auditing, item)
        return {**detail(studio.workspace, item), "findings": numbers}

    return await answer(request, work)


async def _relabel(request: Request) -> Response:
    def change(studio: Studio, items: list[Item], content: Content) -> dict[str, int]:
        name = studio.workspace.class_of(content.get("class"))
        return changes.relabel(studio.workspace, items, name, changes.why_of(content))

    return await _change(request, change)


async def _exclude(request: Request) -> Response:
    return await _change(
        request,
        lambda studio, items, content: changes.exclude(
            studio.workspace, items, changes.why_of(content)
        ),
    )


async def _restore(request: Request) -> Response:
    return await _change(
        request, lambda studio, items, _content: changes.restore(studio.workspace, items)
    )


async def _remove(request: Request) -> Response:
    return await _change(
        request, lambda studio, items, _content: changes.remove(studio.workspace, items)
    )


async def _change(
    request: Request, change: Callable[[Studio, list[Item], Content], dict[str, int]]
) -> Response:
    """Answer a request that changes images."""
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        items = studio.workspace.items(content.get("images"))
        return changed(studio, change(studio, items, content))

    return await answer(request, work)


async def _empty_trash(request: Request) -> Response:
    """Delete what is in the trash, if that is as much as somebody was asked about."""
    given = dict(request.query_params)
    known = whole_number(given, "images", 0, MOST_NUMBER) if "images" in given else None

    def work(studio: Studio) -> Content:
        return changed(studio, {"images": trash.empty(studio, known)})

    return await answer(request, work)


async def _thumb(request: Request) -> Response:
    given = dict(request.query_params)
    side = whole_number(given, "size", SIDES[0], SIDES[-1])
    require_known("size", side, SIDES)
    studio = studio_of(request)
    (item,) = studio.workspace.items([request.path_params["id"]])
    return await _drawn(request, item, lambda: studio.thumbs.of(item, side))


async def _full(request: Request) -> Response:
    studio = studio_of(request)
    (item,) = studio.workspace.items([request.path_params["id"]])
    pixels = studio.workspace.listing.content(item)
    return await _drawn(request, item, lambda: studio.thumbs.draw(pixels, LARGE))


async def _drawn(request: Request, item: Item, draw: Callable[[], Drawn]) -> Response:
    """Return an image, or that the browser has it already.

    The browser must ask each time, as another image may have the same name by then.
    """
    stamp = await run_in_threadpool(studio_of(request).thumbs.stamp, item)
    # not translated: HTTP
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{short_digest(stamp)}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    content, kind = await run_in_threadpool(draw)
    return Response(content, media_type=kind, headers=headers)
