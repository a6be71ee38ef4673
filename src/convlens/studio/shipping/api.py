"""API of shipping: exports with their proofs, the server, the page for phones, the archive."""

import os
import secrets
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from convlens.errors import DataError
from convlens.export.target import ALL, FORMATS, Target
from convlens.files import storage_errors
from convlens.language import _
from convlens.serve.server import say_error
from convlens.studio.asking import require_known
from convlens.studio.json_answer import JSONResponse
from convlens.studio.opening import open_places
from convlens.studio.shipping.archive import Plan, parts, plan_folder, plan_workspace
from convlens.studio.shipping.unpack import unpack_workspace
from convlens.studio.studio import Content, Studio, read_content, receive, studio_of
from convlens.studio.unzip import MOST_UNPACKED
from convlens.text import printable


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/ship", _status),
        Route("/api/ship/serving", _serving),
        Route("/api/ship/command", _command, methods=["POST"]),
        Route("/api/ship/exports", _export, methods=["POST"]),
        Route("/api/ship/exports", _stop_export, methods=["DELETE"]),
        Route("/api/ship/exports/{name}", _remove, methods=["DELETE"]),
        Route("/api/ship/exports/{name}/zip", _zip_export, methods=["POST"]),
        Route("/api/ship/exports/{name}/serve", _serve, methods=["POST"]),
        Route("/api/ship/exports/{name}/phone", _show, methods=["POST"]),
        Route("/api/ship/serving", _stop_serving, methods=["DELETE"]),
        Route("/api/ship/phone", _stop_showing, methods=["DELETE"]),
        Route("/api/ship/invitation", _invite, methods=["POST"]),
        Route("/api/ship/workspace", _workspace),
        Route("/api/ship/workspace/zip", _zip_workspace, methods=["POST"]),
        Route("/api/ship/open", _open, methods=["POST"]),
        Route("/download/{word}/{name}", _download),
    ]


async def _do(request: Request, work: Callable[[Studio], Content], status: int = 200) -> Response:
    """Return what some work gives, in a thread, without the lock of the images."""
    return JSONResponse(await run_in_threadpool(work, studio_of(request)), status)


async def _status(request: Request) -> Response:
    return await _do(request, lambda studio: studio.shipping.status())


async def _serving(request: Request) -> Response:
    return await _do(request, lambda studio: studio.shipping.serving.status())


def _target(content: Content) -> Target:
    """Return what a request wants to export to.

    Raises:
        Problem: If there is no such format or precision.
    """
    to = content.get("to")
    precision = content.get("precision", "float32")
    require_known("to", to, tuple(FORMATS))
    require_known("precision", precision, ALL)
    any_size = content.get("any_size") is True
    return Target(str(to), str(precision), any_size, content.get("accept_loss") is True)


async def _command(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        run = studio.runs.find_classifier(content.get("run"))
        return {"command": studio.shipping.command(run, _target(content))}

    return await _do(request, work)


async def _export(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        run = studio.runs.find_classifier(content.get("run"))
        studio.shipping.exporting.start(run, _target(content))
        return studio.shipping.exporting.status()

    return await _do(request, work, 202)


async def _stop_export(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.shipping.exporting.stop()
        return studio.shipping.exporting.status()

    return await _do(request, work)


async def _remove(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.shipping.remove(request.path_params["name"])
        return {}

    return await _do(request, work)


async def _serve(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        shipping = studio.shipping
        shipping.serving.start(shipping.exports.find(request.path_params["name"]))
        return shipping.serving.status()

    return await _do(request, work, 202)


async def _stop_serving(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.shipping.serving.stop()
        return studio.shipping.serving.status()

    return await _do(request, work)


async def _show(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        shipping = studio.shipping
        folder = shipping.exports.find(request.path_params["name"])
        shipping.phone.start(folder, https=content.get("https") is True)
        return shipping.phone.status()

    return await _do(request, work, 202)


async def _stop_showing(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.shipping.phone.stop()
        return studio.shipping.phone.status()

    return await _do(request, work)


async def _invite(request: Request) -> Response:
    token = request.app.state.access.token
    return await _do(request, lambda studio: studio.shipping.invitation(token))


async def _workspace(request: Request) -> Response:
    """Say what an archive of the workspace will hold."""
    return await _do(request, lambda studio: plan_workspace(studio.shipping.places).to_dict())


async def _zip_workspace(request: Request) -> Response:
    return await _offer(request, lambda studio: plan_workspace(studio.shipping.places))


async def _zip_export(request: Request) -> Response:
    name = request.path_params["name"]
    return await _offer(request, lambda studio: plan_folder(studio.shipping.exports.find(name)))


async def _offer(request: Request, plan_of: Callable[[Studio], Plan]) -> Response:
    """Return the address under which a browser saves an archive."""

    def work(studio: Studio) -> Content:
        plan = plan_of(studio)
        word = studio.shipping.downloads.offer(plan)
        return {**plan.to_dict(), "url": f"/download/{word}/{quote(plan.name, safe='')}"}

    return await _do(request, work, 201)


async def _download(request: Request) -> Response:
    asks_for_headers = request.method == "HEAD"  # as download managers do first
    word = request.path_params["word"]
    plan = studio_of(request).shipping.downloads.take(word, keep=asks_for_headers)
    name = quote(plan.name, safe="")
    headers = {
        "Content-Length": str(plan.size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",  # not translated: HTTP
    }
    content = iter(()) if asks_for_headers else parts(plan.entries)
    return _ArchiveResponse(content, media_type="application/zip", headers=headers)


class _ArchiveResponse(StreamingResponse):
    """An archive that is made while it is sent.

    If a file has changed meanwhile, the answer stays without its end, and the server breaks the
    connection: the browser has been told the size, and says that the download has failed.
    """

    async def stream_response(self, send: Send) -> None:
        """Send it; what is wrong with it is printed, since the answer has begun."""
        try:
            await super().stream_response(send)
        except DataError as error:
            say_error(str(error.args[0]))


async def _open(request: Request) -> Response:
    """Unpack a workspace that was saved as a zip beside this one."""
    shipping = studio_of(request).shipping
    given = request.query_params.get("name", "").replace("\\", "/").rpartition("/")[2]
    name = given.replace("\0", "")[-100:] or "studio.zip"
    archive = shipping.places.imports / f".{secrets.token_hex(4)}.received"
    try:
        with storage_errors(archive, _("the archive")), archive.open("xb") as file:
            await receive(request, MOST_UNPACKED, file.write)

        def work() -> Content:
            return _opened(unpack_workspace(archive, shipping.places.root.parent, name))

        return JSONResponse(await run_in_threadpool(work), 201)
    finally:
        archive.unlink(missing_ok=True)


def _opened(folder: Path) -> Content:
    """Return where a workspace was unpacked, and what opens it."""
    source = open_places(os.fspath(folder)).source
    command = shlex.join(["convlens", "studio", os.fspath(folder)])
    return {
        "folder": printable(folder),
        "command": printable(command),
        "source": None if source is None else printable(source),
    }
