"""Fixtures of the server: an exported folder that is served, and clients of it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from convlens.serve import protocol
from convlens.serve.app import create_app
from convlens.serve.limits import Limits
from convlens.serve.model import Served, open_served
from convlens.serve.server import bind, create_server, listen, run
from tests.export.conftest import (  # noqa: F401 - fixtures
    classifier_file,
    exported,
    images,
    samples,
)

LIMITS = Limits(max_bytes=10**6, max_queue=20)


@pytest.fixture(scope="session")
def served(exported) -> Served:  # noqa: F811
    """Return the tiny network of the exports, opened to be served."""
    return open_served(exported("openvino"), threads=2)


@pytest.fixture(scope="session")
def examples(served) -> dict[str, Path]:
    """Return the golden examples by their names."""
    folder = served.predictor.network.folder / "examples"
    return {path.name: path for path in sorted(folder.iterdir())}


@pytest.fixture
def client(served) -> Iterator[TestClient]:
    """Return a client of the application with small limits."""
    with TestClient(create_app(served, LIMITS)) as opened:
        yield opened


def answer_of(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread, since Playwright keeps a loop in that of the tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@contextmanager
def running(served: Served, limits: Limits = LIMITS) -> Iterator[int]:
    """Run a server in a thread, and give its port."""
    with bind("127.0.0.1", 0) as bound:
        listen(bound)
        server = create_server(create_app(served, limits))
        thread = threading.Thread(target=run, args=(server, bound))
        thread.start()
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def port(served) -> Iterator[int]:
    """Return the port of a server in a thread."""
    with running(served) as found:
        yield found


@pytest.fixture
def started(served, monkeypatch) -> Callable:
    """Return a context manager that runs a server in a thread, and gives a client of it."""

    @contextmanager
    def start(limits: Limits = LIMITS, patience: float = 10.0) -> Iterator[httpx.Client]:
        monkeypatch.setattr(protocol, "PATIENCE", patience)
        with (
            running(served, limits) as found,
            httpx.Client(base_url=f"http://127.0.0.1:{found}", timeout=20) as opened,
        ):
            yield opened

    return start
