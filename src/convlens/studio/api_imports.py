"""API of imports: folders and archives of labelled images."""

import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.files import storage_errors
from convlens.language import _
from convlens.studio.api import changed
from convlens.studio.content import MOST_BYTES
from convlens.studio.import_content import said_of, said_of_all, understood
from convlens.studio.imports import keep_archive, keep_file
from convlens.studio.joining import finish_import
from convlens.studio.json_answer import JSONResponse
from convlens.studio.problem import Problem
from convlens.studio.staged import inside, is_hidden_image
from convlens.studio.studio import (
    Content,
    Studio,
    answer,
    read_body,
    read_content,
    receive,
    studio_of,
)
from convlens.studio.unzip import MOST_ZIP, Unpacked

MOST_HIDDEN = 1000  # names of images that are left out of an archive


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/imports", _begin, methods=["POST"]),
        Route("/api/imports/{id}", _drop, methods=["DELETE"]),
        Route("/api/imports/{id}/files", _file, methods=["POST"]),
        Route("/api/imports/{id}/zip", _zip, methods=["POST"]),
        Route("/api/imports/{id}/look", _look, methods=["POST"]),
        Route("/api/imports/{id}/finish", _finish, methods=["POST"]),
    ]


async def _begin(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.workspace.require_own()
        return {"id": studio.imports.begin()}

    return await answer(request, work, 201)


async def _drop(request: Request) -> Response:
    studio = studio_of(request)
    # Without the lock of the workspace, as an archive may be unpacked into it for minutes.
    await run_in_threadpool(studio.imports.drop, request.path_params["id"])
    return JSONResponse({"version": studio.workspace.version})


async def _file(request: Request) -> Response:
    one = studio_of(request).imports.of(request.path_params["id"])
    path = request.query_params.get("path", "")
    content = await read_body(request, MOST_BYTES)
    kept = await run_in_threadpool(keep_file, one, path, content)
    hidden = [] if kept or not is_hidden_image(inside(path)) else [path]
    counts = {"files": one.files, "bytes": one.bytes, "hidden": hidden}
    return JSONResponse({"kept": kept, **counts}, 201)


async def _zip(request: Request) -> Response:
    one = studio_of(request).imports.of(request.path_params["id"])
    name = request.query_params.get("name", "").replace("\0", "")[-100:] or _("the archive")
    archive = one.folder / f"received-{secrets.token_hex(4)}"
    try:
        with storage_errors(archive, _("the archive")), archive.open("xb") as file:
            await receive(request, MOST_ZIP, file.write)

        def work() -> Unpacked:
            return keep_archive(one, archive, name)

        done = await run_in_threadpool(work)
    finally:
        archive.unlink(missing_ok=True)
    if not done.files:
        raise Problem(_("{name}: there is no image in this archive.").format(name=name))
    left_out = dict(done.left_out.most_common(20))
    counts = {"files": done.files, "bytes": done.bytes, "left_out": left_out}
    return JSONResponse({**counts, "hidden": done.hidden[:MOST_HIDDEN]}, 201)


async def _look(request: Request) -> Response:
    content = await read_content(request)
    studio = studio_of(request)
    one = studio.imports.of(request.path_params["id"])

    def work() -> Content:
        if content.get("class") is not None:
            return said_of_all(one, studio.workspace.class_of(content["class"]))
        if content.get("class_name") is not None:
            return said_of_all(one, str(content["class_name"]))
        with one.lock:
            one.require_there()
            return said_of(one, understood(one))

    return JSONResponse(await run_in_threadpool(work))


async def _finish(request: Request) -> Response:
    content = await read_content(request)
    name = request.path_params["id"]
    studio = studio_of(request)

    def work() -> Content:
        # The import is locked first, as by whoever adds files to it.
        done = finish_import(studio.workspace, studio.imports, name, content)
        with studio.workspace.lock:
            return changed(studio, done.to_dict())

    return JSONResponse(await run_in_threadpool(work))
