"""Neighbours: hashes that differ in few bits, found without comparing all with all.

A hash is cut into 16 chunks of 16 bits. Two hashes that differ in 31 bits or fewer agree in one
chunk or differ there in one bit, so that 272 looks into tables find them all (Norouzi, Punjani and
Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing", 2014). Hashes that differ more
are found if they have such a chunk, which is likely as the first chunks hold the low frequencies.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.data.hashes import BITS, Hashes

CHUNK_BITS = 16
CHUNKS = BITS // CHUNK_BITS
COMPLETE = 2 * CHUNKS - 1  # bits; all hashes that differ in no more are found
PROBES = (0, *(1 << bit for bit in range(CHUNK_BITS)))
# The comparisons of one chunk. What lies in its fullest places is left out beyond that: a chunk
# that very many hashes share says little about them, and another chunk may tell them apart.
COMPARISONS = 200  # for each query
FEWEST_COMPARISONS = 1 << 22
# Comparisons up to which all hashes are compared with all, which takes half a second at most.
ALL_COMPARED = 1 << 26
BLOCK = 1 << 20  # pairs that are compared at a time
TILE = 1 << 16  # the same where all are compared with all, few enough for the cache of a processor

Indices = NDArray[np.int64]


class Neighbours(NamedTuple):
    """Pairs of hashes that differ in few bits, those that differ least first.

    Attributes:
        first: (m,) indices of queries.
        second: (m,) indices into the database.
        distance: (m,) bits in which they differ.
        crowded: Indices of queries that were not compared, as too many have each of their chunks.
        complete: False if there were more pairs than asked for.
    """

    first: Indices
    second: Indices
    distance: NDArray[np.int64]
    crowded: Indices
    complete: bool


class _Table(NamedTuple):
    """The hashes of a database in the order of one of their chunks.

    `columns` has the 64 bits of each quarter of all hashes, which are compared one after the other:
    that is six times as fast as to compare rows of four numbers.
    """

    order: Indices
    columns: Hashes
    keys: NDArray[np.int64]
    starts: Indices


def neighbours(
    queries: Hashes,
    database: Hashes | None,
    most: int = COMPLETE,
    limit: int | None = None,
    comparisons: int = COMPARISONS,
    step: Callable[[], None] | None = None,
) -> Neighbours:
    """Return pairs of hashes that differ in at most some bits.

    Of few hashes, all are compared with all, and none is missed. The memory that is used grows with
    the number of hashes and of the pairs found only.

    Args:
        queries: (n, 4) hashes.
        database: (m, 4) hashes, or None to search among the queries themselves; then each pair is
            returned once, with the smaller index first.
        most: The number of bits. Above 31, some pairs of many hashes are missed.
        limit: The largest number of pairs to return, those that differ least.
        comparisons: The comparisons for each query and chunk, on average.
        step: A function that is called after each of the CHUNKS.
    """
    width = len(queries if database is None else database)
    if len(queries) * width <= ALL_COMPARED:
        rows = _compare_all(queries, database, most, limit)
        if step is not None:
            for _chunk in range(CHUNKS):
                step()
        first, second, distance = rows[:limit].T
        none = np.empty(0, np.int64)
        return Neighbours(first, second, distance, none, limit is None or len(rows) <= limit)
    effort = FEWEST_COMPARISONS + comparisons * len(queries)

    def search(chunk: int) -> tuple[Indices, NDArray[np.bool_]]:
        return _search_chunk(queries, database, chunk, most, (limit, effort))

    results = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(search, range(CHUNKS)):
            results.append(result)
            if step is not None:
                step()
    found = np.unique(np.concatenate([codes for codes, _ in results]))
    crowded = np.logical_and.reduce([skipped for _, skipped in results])
    size = max(1, len(queries) * width)
    first, second = np.divmod(found[:limit] % size, max(1, width))
    distance = found[:limit] // size
    return Neighbours(
        first, second, distance, np.flatnonzero(crowded), limit is None or len(found) <= limit
    )


def _compare_all(queries: Hashes, database: Hashes | None, most: int, limit: int | None) -> Indices:
    """Return (m, 3) query, place in the database and distance of pairs, the most alike first.

    There is one pair more than the limit where there are more.
    """
    others = queries if database is None else database
    columns = np.ascontiguousarray(others.T)
    found = [np.empty((0, 3), np.int64)]
    kept = 0
    rows_at_once = max(1, TILE // max(1, len(others)))
    for start in range(0, len(queries), rows_at_once):
        some = queries[start : start + rows_at_once]
        first = start + 1 if database is None else 0  # the place of the first column
        distance = np.zeros((len(some), len(others) - first), np.uint16)
        differing = np.empty(distance.shape, np.uint64)
        bits = np.empty(distance.shape, np.uint8)
        for ours, theirs in zip(some.T, columns[:, first:], strict=True):
            np.bitwise_xor(ours[:, None], theirs, out=differing)
            distance += np.bitwise_count(differing, out=bits)
        near = distance <= most
        if database is None:  # Only places after that of the query make a pair.
            near = np.triu(near)
        places = np.flatnonzero(near)  # quicker than the nonzero elements by row and column
        row, column = np.divmod(places, max(1, near.shape[1]))
        pairs = (start + row, first + column, distance.ravel()[places].astype(np.int64))
        found.append(np.stack(pairs, axis=1))
        kept += len(row)
        if limit is not None and kept > 4 * limit + BLOCK:
            found = [_most_alike(found, limit)]
            kept = limit
    return _most_alike(found, limit)


def _most_alike(found: list[Indices], limit: int | None) -> Indices:
    """Return the first rows by distance, one more than the limit where there are more."""
    rows = np.concatenate(found)
    rows = rows[np.argsort(rows[:, 2], kind="stable")]
    return rows if limit is None else rows[: limit + 1]


def _search_chunk(
    queries: Hashes,
    database: Hashes | None,
    chunk: int,
    most: int,
    limits: tuple[int | None, int],
) -> tuple[Indices, NDArray[np.bool_]]:
    """Return the pairs that one chunk finds, and which queries were skipped.

    A pair is one number, (distance * n + query) * m + place in the database, so that the numbers
    are in the order of the distances.
    """
    limit, effort = limits
    table = _table(queries if database is None else database, chunk)
    own = table if database is None else _table(queries, chunk)
    sizes = np.diff(table.starts)
    busy = _crowded(np.diff(own.starts), sizes, 2 * effort if database is None else effort)[
        own.keys
    ]
    found = [np.empty(0, np.int64)]
    kept = 0
    for probe in PROBES:
        partners = own.keys ^ probe
        begins = table.starts[partners]
        counts = sizes[partners]
        if database is None and probe:
            counts = np.where(own.keys & probe, 0, counts)  # The other one finds the pair.
        elif database is None:
            begins = np.arange(1, len(queries) + 1)
            counts = table.starts[own.keys + 1] - begins
        counts = np.where(busy, 0, counts)
        for left, right in _expanded(begins, counts):
            near, distance = _compare(own.columns, table.columns, left, right, most)
            one = own.order[left[near]]
            other = table.order[right[near]]
            if database is None:
                one, other = np.minimum(one, other), np.maximum(one, other)
            found.append((distance * len(queries) + one) * len(table.keys) + other)
            kept += len(near)
            if limit is not None and kept > 4 * limit + BLOCK:
                found = [_nearest(found, limit)]
                kept = limit
    skipped = np.zeros(len(queries), bool)
    skipped[own.order[busy]] = True
    return _nearest(found, limit), skipped


def _crowded(own: Indices, sizes: Indices, effort: int) -> NDArray[np.bool_]:
    """Return (65536,) which places of a table have so many comparisons that they are left out."""
    places = np.arange(len(sizes))
    costs = own * sum(sizes[places ^ probe] for probe in PROBES)
    order = np.argsort(costs, kind="stable")
    crowded = np.zeros(len(sizes), bool)
    crowded[order] = np.cumsum(costs[order]) > effort
    return crowded


def _nearest(found: list[Indices], limit: int | None) -> Indices:
    """Return the first pairs, one more than the limit where there are more."""
    codes: Indices = np.unique(np.concatenate(found))
    return codes if limit is None else codes[: limit + 1]


def _table(hashes: Hashes, chunk: int) -> _Table:
    keys = np.ascontiguousarray(hashes).view(np.uint16)[:, chunk]
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=1 << CHUNK_BITS)
    starts = np.concatenate([[0], np.cumsum(counts)])
    columns = np.ascontiguousarray(hashes[order].T)
    return _Table(order, columns, keys[order].astype(np.int64), starts)


def _expanded(begins: Indices, counts: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield the pairs of each row with `counts` places from `begins` on, a block at a time."""
    rows = np.flatnonzero(counts)
    begins = begins[rows]
    counts = counts[rows]
    ends = np.cumsum(counts)
    start = 0
    while start < len(rows):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + BLOCK, side="right")))
        some = counts[start:stop]
        left = np.repeat(rows[start:stop], some)
        shift = begins[start:stop] - (ends[start:stop] - some - done)
        yield left, np.arange(len(left)) + np.repeat(shift, some)
        start = stop


def _compare(
    queries: Hashes, database: Hashes, left: Indices, right: Indices, most: int
) -> tuple[Indices, Indices]:
    """Return which of some pairs differ in at most `most` bits, and in how many.

    Args:
        queries: (4, n) the quarters of hashes.
        database: (4, m) the same.
        left: (k,) indices of queries.
        right: (k,) indices into the database.
        most: The number of bits.
    """
    distance = np.zeros(len(left), np.uint16)
    for ours, theirs in zip(queries, database, strict=True):
        distance += np.bitwise_count(ours.take(left) ^ theirs.take(right))
    near = np.flatnonzero(distance <= most)
    return near, distance[near].astype(np.int64)
