"""Fixtures of the server: an exported folder that is served, and a client of the application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
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
