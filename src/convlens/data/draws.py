"""Draws: some images of every class, in an order that follows from a seed and their content.

Images that belong together form a cluster, which is drawn as a whole; see `convlens.data.clusters`.
What decides on an image is its own content, so that the others are drawn as before when images are
added, left out or given another label; see docs/decisions/splits.md.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from convlens.data.digests import Digests

Indices = NDArray[np.int64]
Ranks = NDArray[np.uint64]


def draw(
    candidates: Indices,
    labels: NDArray[np.int64],
    clusters: Indices,
    share: float,
    ranks: Ranks,
) -> Indices:
    """Return about `share` of the candidates of every class, in whole clusters.

    If the share is above 0, a class of two or more clusters contributes at least one. Every class
    keeps at least one cluster.

    Args:
        candidates: The indices to draw from.
        labels: (n,) class indices of all images.
        clusters: (n,) cluster numbers of all images, from `clusters_of`.
        share: The share to draw, 0 to 1.
        ranks: (n,) numbers, equal within a cluster; clusters of low numbers are tried first.
    """
    if share <= 0 or not len(candidates):
        return candidates[:0]
    _, first, rows = np.unique(clusters[candidates], return_index=True, return_inverse=True)
    rank_of_cluster = ranks[candidates[first]]
    _, columns = np.unique(labels[candidates], return_inverse=True)
    # The number of images in each cluster (row) and class (column).
    table = coo_array((np.ones(len(rows), np.int64), (rows, columns))).tocsr()
    by_class = table.tocsc()
    taken = np.zeros(table.shape[0], bool)
    clusters_left = np.diff(by_class.indptr)
    needed = np.maximum(1, np.rint(share * table.sum(axis=0))).astype(np.int64)

    def take(cluster: int) -> bool:
        """Take a cluster for all classes in it, unless it is the last one of one of them."""
        part = slice(table.indptr[cluster], table.indptr[cluster + 1])
        classes = table.indices[part]
        if taken[cluster] or (clusters_left[classes] < 2).any():
            return False
        taken[cluster] = True
        clusters_left[classes] -= 1
        needed[classes] -= table.data[part]
        return True

    # The classes with the fewest clusters come first, as they have the least choice.
    for label in np.argsort(clusters_left, kind="stable"):
        part = slice(by_class.indptr[label], by_class.indptr[label + 1])
        order = np.argsort(rank_of_cluster[by_class.indices[part]], kind="stable")
        members = by_class.indices[part][order]
        sizes = by_class.data[part][order]
        for cluster, size in zip(members, sizes, strict=True):
            if needed[label] <= 0:
                break
            # Beyond twice the need, the class is nearer to its share without the cluster.
            if size <= 2 * needed[label]:
                take(cluster)
        if clusters_left[label] == len(members):
            # None was taken yet: the smallest cluster that can be spared is.
            next(filter(take, members[np.argsort(sizes, kind="stable")]), None)
    return candidates[taken[rows]]


def ranks_of(digests: Digests, salt: str, clusters: Indices | None = None) -> Ranks:
    """Return (n,) numbers as if drawn at random, which follow from the content of the images.

    Args:
        digests: (n, 16) digests of the images.
        salt: Tells one draw from another, as a seed does.
        clusters: (n,) cluster numbers; all images of a cluster have the same rank, which follows
            from the least of their digests. Without them, each image has its own.
    """
    content = digests[:, :8].copy().view(np.uint64)[:, 0]
    if clusters is not None:
        __, rows = np.unique(clusters, return_inverse=True)
        least = np.full(len(content), np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(least, rows, content)
        content = least[rows]
    different, rows = np.unique(content, return_inverse=True)
    key = salt.encode()
    drawn = b"".join(
        hashlib.blake2b(one.tobytes(), digest_size=8, key=key).digest() for one in different
    )
    return np.frombuffer(drawn, np.uint64)[rows]


def least_limit(labels: NDArray[np.int64], given: NDArray[np.str_]) -> int:
    """Return how many images a limit must leave, which are those that `draw_limited` draws first.

    Args:
        labels: (n,) class indices.
        given: (n,) "train", "val" or "test".
    """
    trained = np.bincount(labels[given == "train"])
    held_out = (np.bincount(labels[given == name]) for name in ("val", "test"))
    firsts = np.minimum(trained, _first_to_train(given)).sum()
    return int(firsts + sum(map(np.count_nonzero, held_out)))


def _first_to_train(given: NDArray[np.str_]) -> int:
    """Return how many training images of a class come first.

    One is to train on. Where the source has no test images, another one is taken for the test.
    """
    return 1 if (given == "test").any() else 2


def draw_limited(
    labels: NDArray[np.int64], given: NDArray[np.str_], limit: int, ranks: Ranks
) -> Indices:
    """Draw as many images as the limit says, alike from every class in every given split.

    A higher limit adds images to those of a lower one. First, one image of each class is drawn to
    train on. Then one image of each class follows in each of the other splits. If there is no test
    set, a second training image of each class follows instead, so that one can be set aside.

    Args:
        labels: (n,) class indices.
        given: (n,) "train", "val" or "test".
        limit: The number of images, at least `least_limit`.
        ranks: (n,) numbers; images of low numbers are drawn first.
    """
    _, splits = np.unique(given, return_inverse=True)
    groups = splits * (labels.max() + 1) + labels
    order = np.lexsort((ranks, groups))
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    places = np.arange(len(order)) - np.repeat(starts, sizes)
    # The share of its images that a group has given by then, less half an image.
    shares = (places + 0.5) / np.repeat(sizes, sizes)
    is_train = given[order] == "train"
    shares[places < np.where(is_train, _first_to_train(given), 1)] = 0.0
    shares[is_train & (places == 0)] = -1.0
    turns = np.empty(len(order))
    turns[order] = shares
    return np.sort(np.lexsort((ranks, turns))[:limit])
