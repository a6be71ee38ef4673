"""Pages: the files of the page, and the texts that it shows. Nothing in them is private."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.language import _
from convlens.language_choice import using
from convlens.studio.json_answer import JSONResponse
from convlens.studio.page_texts import TEXTS
from convlens.studio.problem import Problem
from convlens.vendor import package_folder

FOLDER = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
VENDOR = {"preact.mjs": "preact", "hooks.mjs": "preact", "htm.mjs": "htm"}
# What stands inside the page and is run: the table of the names of modules.
INSIDE = re.compile(r"<script type=\"importmap\">(.*?)</script>", re.DOTALL)


def page_routes() -> list[Route]:
    """Return the routes of the page."""
    return [
        Route("/", _index),
        Route("/page/{name:path}", _file),
        Route("/vendor/{name}", _vendor),
        Route("/texts.json", _texts),
    ]


def script_digests() -> list[str]:
    """Return the digests of the scripts inside the page, as a Content-Security-Policy has them."""
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    digests = [hashlib.sha256(found.encode()).digest() for found in INSIDE.findall(page)]
    return ["sha256-" + base64.b64encode(digest).decode() for digest in digests]


def require_packages() -> None:
    """Raise BackendError if the JavaScript packages of the page were not fetched."""
    for package in VENDOR.values():
        package_folder(package)


async def _index(_request: Request) -> Response:
    return _content(FOLDER / "index.html")


async def _file(request: Request) -> Response:
    request.app.state.studio.thumbs.wait()  # a page opens, which is to be there soon
    name = request.path_params["name"]
    if name not in _files():
        _files.cache_clear()  # files may have come with a newer convlens
        if name not in _files():
            raise _nothing_here()
    return _content(FOLDER / name)


@cache
def _files() -> frozenset[str]:
    """Return the names of all files of the page, which nothing else in an address can lead out of.

    They are listed once: a page that opens asks for some sixty of them.
    """
    return frozenset(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*"))


async def _vendor(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in VENDOR:
        raise _nothing_here()
    return _content(package_folder(VENDOR[name]) / name)


async def _texts(_request: Request) -> Response:
    return JSONResponse(_all_texts(), headers={"Cache-Control": "no-cache"})


@cache
def _all_texts() -> dict[str, dict[str, str]]:
    """Return the texts of the page in all languages."""
    said = {}
    for language in ("en", "zh"):
        with using(language):
            said[language] = {key: str(_(text)) for key, text in TEXTS.items()}
    return said


def _content(path: Path) -> Response:
    kind = KINDS.get(path.suffix)
    if kind is None or not path.is_file():
        raise _nothing_here()
    headers = {"Cache-Control": "no-cache"}
    return Response(path.read_bytes(), media_type=kind, headers=headers)


def _nothing_here() -> Problem:
    return Problem(_("there is nothing at this path; / is the page."), 404)
