"""A Ray of two nodes on this computer, which the tests of a process share."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

STORE = 100 * 2**20  # bytes


@pytest.fixture(scope="session")
def two_nodes() -> Iterator[Any]:
    """Yield the running cluster, to which no process is connected yet."""
    pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.ERROR)
    options = {"object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **options})
    cluster.add_node(num_cpus=1, **options)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def connected(two_nodes: Any) -> Iterator[str]:
    """Yield the address of the cluster, to which the process stays connected meanwhile.

    Ray starts half a dozen processes for each connection.
    """
    from convlens.cluster.connection import connect

    with connect(two_nodes.address):
        yield two_nodes.address


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 700 small images, of which one is damaged and two are equal."""
    folder = tmp_path_factory.mktemp("photos")
    values = np.random.default_rng(0).integers(0, 256, (700, 12, 10), np.uint8)
    for number, pixels in enumerate(values):
        Image.fromarray(pixels).save(folder / f"{number:03d}.png")
    (folder / "300.png").write_bytes(b"no image")
    (folder / "600.png").write_bytes((folder / "001.png").read_bytes())
    return folder
