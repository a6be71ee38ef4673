"""Docs: the page of the interface at `/docs`, whose files are part of convlens.

No browser asks another server for them. They are what the wheel holds of swagger-ui-dist.
"""

import html
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, Response

from convlens.errors import BackendError
from convlens.serve.limits import Refusal
from convlens.vendor import package_folder

FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; "  # not translated: a browser reads it
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


def add_docs(app: FastAPI) -> None:
    """Add the page and its files."""

    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        """Show the interface."""
        _folder()
        # Relative addresses work behind a proxy that gives the server a path of its own, too.
        script, style, icon = (f"docs/{name}" for name in FILES)
        shown = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=html.escape(app.title),
            swagger_js_url=script,
            swagger_css_url=style,
            swagger_favicon_url=icon,
            swagger_ui_parameters={"validatorUrl": None},  # which would be another server
        )
        shown.headers["Content-Security-Policy"] = POLICY
        return shown

    for name, kind in FILES.items():
        _add_file(app, name, kind)


def _add_file(app: FastAPI, name: str, kind: str) -> None:
    @app.get(f"/docs/{name}", include_in_schema=False)
    async def file() -> Response:
        """Give a file of the page."""
        return FileResponse(_folder() / name, media_type=kind)


def _folder() -> Path:
    try:
        return package_folder("swagger-ui-dist")
    except BackendError as error:
        raise Refusal(404, str(error)) from error
