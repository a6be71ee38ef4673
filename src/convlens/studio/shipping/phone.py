"""Phone: the page of an export for the web, shown to the network until somebody stops it.

The page is a folder of files that anybody may have. It gets a port of its own, so that whoever
opens it comes nowhere near the studio.
"""

import threading
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from convlens.language import _
from convlens.serve.server import Server, bind, create_server, listen, run, url_for_others, url_of
from convlens.studio.https import certificate_for
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, Problem
from convlens.studio.shipping.qr import drawn
from convlens.studio.telling import Telling

EVERYWHERE = "0.0.0.0"
KINDS = {
    ".html": "text/html",
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
PATIENCE = 5.0  # seconds in which what was asked for may be sent


class Phone(Telling):
    """The page for phones.

    Attributes:
        told: A number that rises whenever it is started, opened or stopped.
    """

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._hidden = places.hidden
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._facts: dict[str, Any] = {}
        self._opened = 0

    def start(self, folder: Path, *, https: bool, host: str = EVERYWHERE) -> None:
        """Begin to show the page of an exported folder to the network.

        Args:
            folder: The folder.
            https: Whether the page may use the camera while it runs.
            host: The address of this computer at which others find the page.

        Raises:
            Problem: If the folder has no page, or if one is shown already.
            ConfigError: If no port is free.
            BackendError: If the package is missing that makes certificates.
        """
        if not (folder / "index.html").is_file():
            raise Problem(
                _("{name} is no page; export the format web first.").format(name=folder.name), GONE
            )
        with self._lock:
            if self._is_running():
                raise Problem(_("a page is shown already; stop it first."), GONE)
            with bind(host, 0) as bound:
                url = url_for_others(bound) or url_of(bound)
                certificate = None
                if https:
                    name = url.removeprefix("http://").rpartition(":")[0]
                    names = ("127.0.0.1", "localhost", name.strip("[]"))
                    certificate = certificate_for(self._hidden / "https", names)
                    url = url.replace("http:", "https:", 1)
                server = create_server(
                    self._app(folder), None if certificate is None else certificate.file
                )
                listen(bound)
                socket = bound.dup()
            self._server = server
            self._opened = 0
            self._facts = {
                "name": folder.name,
                "address": url,
                "https": https,
                "fingerprint": "" if certificate is None else certificate.fingerprint,
                "is_reachable": "//127.0.0.1:" not in url,
            }
            self._thread = threading.Thread(target=run, args=(server, socket), daemon=True)
            self._thread.start()
            self._tell()

    def _app(self, folder: Path) -> Starlette:
        """Return the application that sends the files of a folder, and nothing else."""
        files = {
            path.relative_to(folder).as_posix(): path
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        }

        async def send(request: Request) -> Response:
            name = request.path_params["name"] or "index.html"
            if name not in files or not files[name].is_file():  # somebody may have removed it
                raise HTTPException(404)
            if name == "index.html":
                self._opened += 1
                self._tell()
            kind = KINDS.get(files[name].suffix, "application/octet-stream")
            headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
            return FileResponse(files[name], media_type=kind, headers=headers)

        app = Starlette(routes=[Route("/{name:path}", send)])
        app.router.redirect_slashes = False
        return app

    def stop(self) -> None:
        """Show the page to nobody any more."""
        with self._lock:
            if self._server is None or self._thread is None:
                return
            self._server.should_exit = True
            self._thread.join(PATIENCE)
            self._server.force_exit = True
            self._server = self._thread = None
            self._facts = {}
            self._tell()

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def shows(self, name: str) -> bool:
        """Return whether the page of an export is shown now."""
        return self._is_running() and self._facts["name"] == name

    def status(self) -> dict[str, Any]:
        """Return what is shown, and where, for a page."""
        with self._lock:
            if not self._is_running():
                return {"state": "none"}
            address = self._facts["address"]
            return {"state": "running", **self._facts, "opened": self._opened, "qr": drawn(address)}
