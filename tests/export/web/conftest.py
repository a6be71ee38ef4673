"""Fixtures of the web page: a server of files, Chromium, and a page in it that is ready."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Sends files as `python -m http.server` does, without a line for each of them."""

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Yield the address of a server that shows a folder."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def wait(page: Any) -> str:
    """Return what a page says when it is ready, or refuses to be."""
    page.wait_for_selector("#tools:not([hidden]), #status.wrong", state="attached", timeout=120_000)
    return str(page.inner_text("#status"))
