"""Nodes of Ray: processes of this computer with one processor each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nodes(number: int, store: int) -> Iterator[str]:
    """Start nodes, yield the address of the first, and stop them in the end.

    Args:
        number: The number of nodes.
        store: The bytes of a node's object store.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": store, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=options)
    try:
        for _number in range(number - 1):
            cluster.add_node(**options)
        yield str(cluster.address)
    finally:
        cluster.shutdown()
