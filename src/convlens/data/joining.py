"""Joining: from pairs of things that belong together to the sets that they form."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Indices = NDArray[np.int64]


def join(numbers: Indices, first: Indices, second: Indices) -> Indices:
    """Return (n,) new numbers, equal for things that had equal numbers or that pairs join.

    Args:
        numbers: (n,) numbers from 0 on of the sets that there are already.
        first: (m,) indices of things.
        second: (m,) indices of the things with which they belong together.

    >>> join(np.array([0, 1, 1, 2]), np.array([0]), np.array([2])).tolist()
    [0, 0, 0, 1]
    """
    size = int(numbers.max(initial=-1)) + 1
    edges = (numbers[first], numbers[second])
    graph = coo_array((np.ones(len(first)), edges), shape=(size, size))
    components: Indices = connected_components(graph, directed=False)[1][numbers].astype(np.int64)
    return components


def pairs_within(numbers: Indices) -> tuple[Indices, Indices]:
    """Return pairs that join the things with the same number; -1 stands for none.

    >>> [one.tolist() for one in pairs_within(np.array([5, -1, 5, -1, 5]))]
    [[0, 2], [2, 4]]
    """
    order = np.argsort(numbers, kind="stable")
    same = (numbers[order[1:]] == numbers[order[:-1]]) & (numbers[order[1:]] >= 0)
    return order[:-1][same], order[1:][same]
