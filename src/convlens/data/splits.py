"""Splits: which images train, which validate, which test.

Seeded and stratified by class. Images of one group, and exact copies of one image, form a cluster that stays
together: a copy on the other side of a split would make the score flatter than the truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from convlens.errors import DataError

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Splits:
    """Indices into a dataset, ascending; the three do not overlap.

    Attributes:
        train: (n_train,).
        val: (n_val,), empty where no validation was asked for.
        test: (n_test,), empty where no test was asked for.
        notes: what the user should know about the division.
    """

    train: Indices
    val: Indices
    test: Indices
    notes: tuple[str, ...] = ()


def clusters_of(digests: NDArray[np.uint8], groups: NDArray[np.str_] | None = None) -> Indices:
    """Return (n,) cluster numbers: equal for exact copies (equal digests, (n, bytes)) and for one group."""
    _, copies = np.unique(digests, axis=0, return_inverse=True)
    copies = copies.reshape(-1)
    if groups is None:
        return copies.astype(np.int64)
    _, members = np.unique(groups, return_inverse=True)
    offset = (
        int(copies.max(initial=-1)) + 1
    )  # a graph from copy-nodes to group-nodes; its components are the clusters
    size = offset + int(members.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(copies)), (copies, members + offset)), shape=(size, size))
    components: Indices = connected_components(graph, directed=False)[1][copies].astype(np.int64)
    return components


def draw(
    candidates: Indices,
    labels: NDArray[np.int64],
    clusters: Indices,
    share: float,
    rng: np.random.Generator,
) -> Indices:
    """Return about `share` of the candidates of every class, in whole clusters.

    Where the share is above 0, a class of two clusters or more gives one at least; a class always keeps one.
    """
    if share <= 0 or not len(candidates):
        return candidates[:0]
    _, rows = np.unique(clusters[candidates], return_inverse=True)
    _, columns = np.unique(labels[candidates], return_inverse=True)
    table = coo_array(
        (np.ones(len(rows), np.int64), (rows, columns))
    ).tocsr()  # images by cluster and class
    by_class = table.tocsc()
    taken = np.zeros(table.shape[0], bool)
    clusters_left = np.diff(by_class.indptr)
    needed = np.maximum(1, np.rint(share * table.sum(axis=0))).astype(np.int64)

    def take(cluster: int) -> bool:
        """Take a cluster, unless it is the last of one of its classes; it counts for all classes in it."""
        part = slice(table.indptr[cluster], table.indptr[cluster + 1])
        classes = table.indices[part]
        if taken[cluster] or (clusters_left[classes] < 2).any():
            return False
        taken[cluster] = True
        clusters_left[classes] -= 1
        needed[classes] -= table.data[part]
        return True

    for label in np.argsort(
        clusters_left, kind="stable"
    ):  # the rarest class first: it has the least choice
        part = slice(by_class.indptr[label], by_class.indptr[label + 1])
        mixed = rng.permutation(part.stop - part.start)
        members, sizes = by_class.indices[part][mixed], by_class.data[part][mixed]
        for cluster, size in zip(members, sizes, strict=True):
            if needed[label] <= 0:
                break
            if (
                size <= 2 * needed[label]
            ):  # else the class is nearer to its share without this cluster
                take(cluster)
        if clusters_left[label] == len(members):  # none yet: the smallest that can go
            next(filter(take, members[np.argsort(sizes, kind="stable")]), None)
    return candidates[taken[rows]]


def make_splits(  # noqa: PLR0913 - each is one fact about the division
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    clusters: Indices,
    usable: NDArray[np.bool_],
    *,
    given: NDArray[np.str_] | None = None,
    val: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    limit: int | None = None,
) -> Splits:
    """Divide the usable images.

    Args:
        labels: (n,) class indices.
        class_names: for messages.
        clusters: (n,) from `clusters_of`.
        usable: (n,) False for images that could not be read.
        given: (n,) of "train", "val" and "test" where the source divides its images; its sets are kept as they are.
        val: share of the training images that validate, where the source has no validation set.
        test: share of all images that test, where the source has no test set.
        seed: decides the draw.
        limit: use at most so many images, drawn alike from every class and given set.

    Raises:
        DataError: a class has no image left to train on.
    """
    rng = np.random.default_rng(seed)
    pool = np.flatnonzero(usable).astype(np.int64)
    if limit is not None and limit < len(pool):
        pool = _limited(pool, labels, given, limit, rng)
    sets = {
        name: pool[given[pool] == name] if given is not None else pool[:0]
        for name in ("train", "val", "test")
    }
    if given is None:
        sets["train"] = pool
    if not len(sets["test"]):
        sets["test"] = draw(sets["train"], labels, clusters, test, rng)
        sets["train"] = np.setdiff1d(sets["train"], sets["test"])
    if not len(sets["val"]):
        sets["val"] = draw(sets["train"], labels, clusters, val, rng)
        sets["train"] = np.setdiff1d(sets["train"], sets["val"])
    before = sum(
        map(len, sets.values())
    )  # copies across the source's own sets: the test keeps them, then validation
    sets["val"] = _without(sets["val"], sets["test"], clusters)
    sets["train"] = _without(sets["train"], np.concatenate([sets["val"], sets["test"]]), clusters)
    lost = before - sum(map(len, sets.values()))
    notes = (
        (f"{lost:,} images stand in two of the source's sets; they were left out of training",)
        if lost
        else ()
    )
    _require_training(labels, class_names, sets["train"], usable)
    return Splits(sets["train"], sets["val"], sets["test"], notes)


def folds(
    labels: NDArray[np.int64], clusters: Indices, pool: Indices, k: int, seed: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield k times (rest, held-out), stratified, clusters whole; each image of `pool` is held out once."""
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    try:
        for rest, held in splitter.split(pool, labels[pool], clusters[pool]):
            yield pool[rest], pool[held]
    except ValueError as error:
        raise DataError(
            f"--folds {k} needs at least {k} different images of every class; {error}."
        ) from error


def _limited(
    pool: Indices,
    labels: NDArray[np.int64],
    given: NDArray[np.str_] | None,
    limit: int,
    rng: np.random.Generator,
) -> Indices:
    """Draw about limit / len(pool) of every class and given set, one of each at least."""
    sets = given[pool] if given is not None else np.full(len(pool), "")
    share, kept = limit / len(pool), []
    for name in np.unique(sets):
        for label in np.unique(labels[pool]):
            members = pool[(sets == name) & (labels[pool] == label)]
            kept.append(rng.permutation(members)[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(kept))


def _without(indices: Indices, others: Indices, clusters: Indices) -> Indices:
    return indices[~np.isin(clusters[indices], clusters[others])]


def _require_training(
    labels: NDArray[np.int64], class_names: Sequence[str], train: Indices, usable: NDArray[np.bool_]
) -> None:
    # of all images: a class whose images are all unreadable would be one that is never answered
    missing = np.setdiff1d(labels, labels[train])
    if len(missing):
        counts = [
            (class_names[c], int(usable[labels == c].sum()), int((labels == c).sum()))
            for c in missing[:5]
        ]
        found = ", ".join(
            f"'{name}' ({readable:,} of its {n:,} images can be read)"
            for name, readable, n in counts
        )
        more = f" and {len(missing) - 5:,} more" if len(missing) > 5 else ""
        raise DataError(
            f"every class needs an image to train on; none is left for {found}{more}. "
            "Add images, take the class out, or lower --val and --test."
        )
