"""Proposals: pairs of images that may show the same, found by hashes of them and of their parts.

Few of them are copies; `convlens.data.duplicates` compares each pair in detail.
"""

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.data.decoding import Progress
from convlens.data.hashes import (
    CROPS,
    SMALL_CROPS,
    WHOLE,
    Hashes,
    Window,
    coefficients,
    hashes_of,
    hashes_of_parts,
    turned,
    windows,
)
from convlens.data.looks import Looks
from convlens.data.neighbours import CHUNKS, COMPARISONS, neighbours

# Bits of 256 in which hashes of copies differ, in sets of images that differ in their details, and
# in sets that are alike, where all pairs that differ in more bits could not be told from copies.
MOST_BITS = (90, 40)
LEAST_LIKENESS = 0.25  # correlation of the frequencies of proposed pairs
STRICT = 0.5  # strictness from which on crops are not searched for
SMALL = 64  # pixels; in smaller images, fewer parts are searched for
MOST_FOR_CROPS = 100_000  # images; crops are searched for in smaller data sets only
BLOCK = 512  # images whose frequencies are computed at a time
TURNS = range(1, 8)
WAYS = 20  # in which the parts of an image may be like another image
Indices = NDArray[np.int64]


class Proposals(NamedTuple):
    """Pairs of which the first, turned, may show what a part of the second shows.

    Attributes:
        first: (m,) indices of images.
        second: (m,) indices of images.
        turn: (m,) how the first is turned; see `convlens.data.hashes.turned`.
        part: (m,) places of the part in `parts`.
        parts: The parts of images that were searched for, the whole first.
        left_out: The number of images that were not compared, as too many have such hashes.
        complete: Whether these are all pairs, and not the nearest ones only.
    """

    first: Indices
    second: Indices
    turn: Indices
    part: Indices
    parts: list[Window]
    left_out: int = 0
    complete: bool = True


def propose(
    looks: Looks,
    chosen: Indices,
    limit: int,
    strictness: float = 0.0,
    progress: Progress | None = None,
) -> Proposals:
    """Return pairs of images whose hashes are alike, those first that are most alike.

    Args:
        looks: The looks of a data set.
        chosen: The indices of the images to compare.
        limit: The largest number of pairs.
        strictness: How much alike the images are in their details, 0 to 1. Where they are, crops
            are not searched for.
        progress: A function that is called with (steps done, number of steps).
    """
    most = round(float(np.interp(strictness, (0, 1), MOST_BITS)))
    sides = np.minimum(looks["width"], looks["height"])[chosen]
    crops = CROPS if len(sides) and np.median(sides) >= SMALL else SMALL_CROPS
    with_crops = len(chosen) <= MOST_FOR_CROPS and strictness < STRICT
    parts = [WHOLE, *windows(crops if with_crops else ())]
    steps = CHUNKS * (3 if len(parts) > 1 else 2)
    numbers = count()

    def step() -> None:
        if progress is not None:
            progress(next(numbers), steps)

    step()
    hashes, flat = _hashes(looks, chosen, parts)
    rows = [_whole(hashes[0], flat[0], most, limit, step)]
    rows += [_turned(_turns(looks, chosen), hashes[0], flat[0], (most, limit), step)]
    if len(parts) > 1:
        rows.append(_parts(hashes, flat, most, limit, step))
    found = np.concatenate([some.pairs for some in rows])
    found = found[np.argsort(found[:, 4], kind="stable")]
    # A pair that was found in several ways is kept as it is most alike.
    _, firsts = np.unique(np.sort(found[:, :2], axis=1), axis=0, return_index=True)
    found = found[np.sort(firsts)]
    found = found[_likeness(looks, chosen, found, parts) >= LEAST_LIKENESS]
    complete = all(some.complete for some in rows) and len(found) <= limit
    first, second, turn, place, _ = found[:limit].T
    return Proposals(chosen[first], chosen[second], turn, place, parts, rows[0].left_out, complete)


class _Rows(NamedTuple):
    """(m, 5) first, second, turn, part and distance of pairs, and what was left out."""

    pairs: Indices
    left_out: int
    complete: bool


def _hashes(looks: Looks, chosen: Indices, parts: list[Window]) -> tuple[Hashes, NDArray[np.bool_]]:
    """Return (parts, n, 4) hashes and (parts, n) whether the parts are flat."""
    hashes = np.zeros((len(parts), len(chosen), 4), np.uint64)
    flat = np.zeros((len(parts), len(chosen)), bool)
    for start in range(0, len(chosen), BLOCK):
        some = slice(start, start + BLOCK)
        greys = looks["grey"][chosen[some]]
        hashes[:, some], flat[:, some] = hashes_of_parts(greys, parts)
    return hashes, flat


def _whole(
    hashes: Hashes, flat: NDArray[np.bool_], most: int, limit: int, step: Callable[[], None]
) -> _Rows:
    """Return pairs of images that are alike as a whole."""
    rows = np.flatnonzero(~flat)
    found = neighbours(hashes[rows], None, most, limit, step=step)
    zeros = np.zeros_like(found.first)
    pairs = (rows[found.first], rows[found.second], zeros, zeros, found.distance)
    return _Rows(np.stack(pairs, axis=1), len(found.crowded), found.complete)


def _turns(looks: Looks, chosen: Indices) -> Hashes:
    """Return (7, n, 4) the hashes of images that are flipped or rotated."""
    turns = np.zeros((len(TURNS), len(chosen), 4), np.uint64)
    for start in range(0, len(chosen), BLOCK):
        some = slice(start, start + BLOCK)
        upright = coefficients(looks["grey"][chosen[some]])
        for place, turn in enumerate(TURNS):
            turns[place, some] = hashes_of(turned(upright, turn))
    return turns


def _turned(
    turns: Hashes,
    hashes: Hashes,
    flat: NDArray[np.bool_],
    limits: tuple[int, int],
    step: Callable[[], None],
) -> _Rows:
    """Return pairs of which the first, flipped or rotated, is like the second.

    Args:
        turns: (7, n, 4) hashes of the turned images.
        hashes: (n, 4) hashes of the images.
        flat: (n,) whether the images are flat.
        limits: The bits in which hashes may differ, and the largest number of pairs.
        step: A function that is called after each chunk of the search.
    """
    most, limit = limits
    rows = np.flatnonzero(~flat)
    queries = turns[:, rows].reshape(-1, 4)
    effort = COMPARISONS // len(TURNS)
    found = neighbours(queries, hashes[rows], most, 2 * limit, effort, step)
    place_of_turn, first = np.divmod(found.first, max(1, len(rows)))
    whole = np.zeros_like(first)
    pairs = (rows[first], rows[found.second], place_of_turn + 1, whole, found.distance)
    stacked = np.stack(pairs, axis=1)
    return _Rows(stacked[stacked[:, 0] < stacked[:, 1]], 0, found.complete)


def _parts(
    hashes: Hashes, flat: NDArray[np.bool_], most: int, limit: int, step: Callable[[], None]
) -> _Rows:
    """Return pairs of which the whole first is like a part of the second."""
    rows = np.flatnonzero(~flat[0])
    part, image = np.nonzero(~flat[1:])
    found = neighbours(hashes[0, rows], hashes[part + 1, image], most, WAYS * limit, step=step)
    first = rows[found.first]
    second = image[found.second]
    pairs = (first, second, np.zeros_like(first), part[found.second] + 1, found.distance)
    return _Rows(np.stack(pairs, axis=1)[first != second], 0, found.complete)


def _likeness(
    looks: Looks, chosen: Indices, pairs: Indices, parts: list[Window]
) -> NDArray[np.float32]:
    """Return (m,) the correlation of the frequencies of the images of proposed pairs."""
    likeness = np.zeros(len(pairs), np.float32)
    groups = pairs[:, 2] * len(parts) + pairs[:, 3]
    for group in np.unique(groups):
        turn, place = divmod(int(group), len(parts))
        rows = np.flatnonzero(groups == group)
        for start in range(0, len(rows), BLOCK):
            some = rows[start : start + BLOCK]
            one = turned(coefficients(looks["grey"][chosen[pairs[some, 0]]]), turn)
            other = coefficients(looks["grey"][chosen[pairs[some, 1]]], parts[place])
            norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
            likeness[some] = (one * other).sum(axis=1) / np.maximum(norms, 1e-6)
    return likeness


def best_part(looks: Looks, pairs: Indices) -> tuple[Indices, list[Window]]:
    """Return which part of the second image is most like the first, for pairs of a caller.

    Args:
        looks: The looks of the data set.
        pairs: (m, 2) indices.
    """
    parts = [WHOLE, *windows(CROPS)]
    everything = np.arange(len(looks))
    likeness = []
    for part in range(len(parts)):
        tried = np.zeros((len(pairs), 4), np.int64)
        tried[:, :2] = pairs
        tried[:, 3] = part
        likeness.append(_likeness(looks, everything, tried, parts))
    return np.argmax(np.stack(likeness), axis=0), parts
