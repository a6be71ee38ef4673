"""Fixtures of the web page: a server of files, Chromium, and a page in it that is ready."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


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


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an address in a window of its own, and gives the page."""
    contexts = []

    def open_page(address: str, *, before: str = "", **window: Any) -> Any:
        context = browser.new_context(**({"locale": "en-GB"} | window))
        contexts.append(context)
        page = context.new_page()
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        if before:
            page.add_init_script(before)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def wait(page: Any) -> str:
    """Return what a page says when it is ready, or refuses to be."""
    page.wait_for_selector("#tools:not([hidden]), #status.wrong", state="attached", timeout=60_000)
    return str(page.inner_text("#status"))
