"""Splits: which pictures train, which validate, which test.

Seeded and stratified by class. Pictures of one group, and exact copies of one picture, form a cluster that stays
together: a copy on the other side of a split would make the score flatter than the truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from convlens.errors import DataError

__all__ = ["Splits", "clusters_of", "draw", "folds", "make_splits"]

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
    offset = int(copies.max(initial=-1)) + 1  # a graph from copy-nodes to group-nodes; its components are the clusters
    size = offset + int(members.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(copies)), (copies, members + offset)), shape=(size, size))
    components: Indices = connected_components(graph, directed=False)[1][copies].astype(np.int64)
    return components


def draw(
    candidates: Indices, labels: NDArray[np.int64], clusters: Indices, share: float, rng: np.random.Generator
) -> Indices:
    """Return about `share` of the candidates, class by class, in whole clusters; a class keeps one at least."""
    taken: list[Indices] = []
    for label in np.unique(labels[candidates]):
        members = candidates[labels[candidates] == label]
        order, sizes = np.unique(clusters[members], return_counts=True)
        mixed = rng.permutation(len(order))
        before = np.cumsum(sizes[mixed]) - sizes[mixed]
        wanted = mixed[before < round(share * len(members))][: len(order) - 1]
        taken.append(order[wanted])
    chosen = np.concatenate(taken) if taken else np.empty(0, np.int64)
    return candidates[np.isin(clusters[candidates], chosen)]


def make_splits(  # noqa: PLR0913 - each is one fact about the division
    labels: NDArray[np.int64],
    clusters: Indices,
    usable: NDArray[np.bool_],
    *,
    given: NDArray[np.str_] | None = None,
    val: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    limit: int | None = None,
) -> Splits:
    """Divide the usable pictures.

    Args:
        labels: (n,) class indices.
        clusters: (n,) from `clusters_of`.
        usable: (n,) False for pictures that could not be read.
        given: (n,) of "train", "val" and "test" where the source divides its pictures; its sets are kept as they are.
        val: share of the training pictures that validate, where the source has no validation set.
        test: share of all pictures that test, where the source has no test set.
        seed: decides the draw.
        limit: use at most so many pictures, drawn alike from every class and given set.

    Raises:
        DataError: a class has no picture left to train on.
    """
    rng = np.random.default_rng(seed)
    pool = np.flatnonzero(usable).astype(np.int64)
    if limit is not None and limit < len(pool):
        pool = _limited(pool, labels, given, limit, rng)
    sets = {name: pool[given[pool] == name] if given is not None else pool[:0] for name in ("train", "val", "test")}
    if given is None:
        sets["train"] = pool
    if not len(sets["test"]):
        sets["test"] = draw(sets["train"], labels, clusters, test, rng)
        sets["train"] = np.setdiff1d(sets["train"], sets["test"])
    if not len(sets["val"]):
        sets["val"] = draw(sets["train"], labels, clusters, val, rng)
        sets["train"] = np.setdiff1d(sets["train"], sets["val"])
    before = sum(map(len, sets.values()))  # copies across the source's own sets: the test keeps them, then validation
    sets["val"] = _without(sets["val"], sets["test"], clusters)
    sets["train"] = _without(sets["train"], np.concatenate([sets["val"], sets["test"]]), clusters)
    lost = before - sum(map(len, sets.values()))
    notes = (f"{lost:,} pictures stand in two of the source's sets; they were left out of training",) if lost else ()
    _require_training(labels, sets["train"], pool)
    return Splits(sets["train"], sets["val"], sets["test"], notes)


def folds(
    labels: NDArray[np.int64], clusters: Indices, pool: Indices, k: int, seed: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield k times (rest, held-out), stratified, clusters whole; each picture of `pool` is held out once."""
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    try:
        for rest, held in splitter.split(pool, labels[pool], clusters[pool]):
            yield pool[rest], pool[held]
    except ValueError as error:
        raise DataError(f"--folds {k} needs at least {k} different pictures of every class; {error}.") from error


def _limited(
    pool: Indices, labels: NDArray[np.int64], given: NDArray[np.str_] | None, limit: int, rng: np.random.Generator
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


def _require_training(labels: NDArray[np.int64], train: Indices, pool: Indices) -> None:
    missing = set(labels[pool].tolist()) - set(labels[train].tolist())
    if missing or not len(train):
        raise DataError(
            f"every class needs a picture to train on; class number {', '.join(map(str, sorted(missing))) or 'all'} "
            "has none left after the split. Add pictures, or lower --val and --test."
        )
