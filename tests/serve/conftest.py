"""Fixtures of the server: an exported folder that is served, and a client of the application."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from convlens.serve.app import create_app
from convlens.serve.limits import Limits
from convlens.serve.model import Served, open_served
from tests.export.conftest import classifier_file, exported, images  # noqa: F401 - fixtures


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
    with TestClient(create_app(served, Limits(max_bytes=10**6, max_queue=20))) as opened:
        yield opened


@pytest.fixture(scope="session")
def port(served) -> Iterator[int]:
    """Return the port of a server in a thread."""
    bound = socket.create_server(("127.0.0.1", 0))
    app = create_app(served, Limits(max_bytes=10**6, max_queue=20))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join()
