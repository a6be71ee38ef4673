"""A Ray of two nodes on this computer, which the tests of a process share."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest

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
