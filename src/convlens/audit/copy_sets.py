"""Copy sets: images that are the same, or nearly the same, joined level by level.

First the images with the same bytes are joined, then those with the same pixels, then
near-duplicates, and last mirror images and rotated copies, each for itself. A set of a level has at
least two parts that no level below has joined.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.audit.material import Material
from convlens.data.duplicates import Pairs
from convlens.data.joining import join

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CopySet:
    """Images that are copies of one another.

    Attributes:
        kind: "bytes", "pixels", "near", "flip" or "rotation": what joins the parts.
        members: (m,) ascending indices of the images.
        parts: (m,) numbers of the parts; within a part, a level below has joined the images.
        difference: The largest difference of the pairs that join the parts, 0 for exact copies.
    """

    kind: str
    members: Indices
    parts: Indices
    difference: float = 0.0

    def differ(self, values: NDArray[np.str_] | Indices) -> bool:
        """Return whether parts of the set have other values.

        Args:
            values: (n,) a value of each image of the data set, such as its label.
        """
        of_parts = {
            frozenset(values[self.members[self.parts == part]].tolist())
            for part in np.unique(self.parts)
        }
        return len(of_parts) > 1


def copy_sets(material: Material) -> list[CopySet]:
    """Return all sets of copies, the exact ones first."""
    every = np.arange(len(material.dataset))
    same_bytes = _same_bytes(material)
    same_pixels = exact_copies(material)
    sets = [*_sets("bytes", every, same_bytes), *_sets("pixels", same_bytes, same_pixels)]
    if material.pairs is None:
        return sets
    near = _level("near", same_pixels, material, material.pairs, sets)
    for kind in ("flip", "rotation"):
        _level(kind, near, material, material.pairs, sets)
    return sets


def exact_copies(material: Material) -> Indices:
    """Return (n,) numbers, equal for images with the same bytes or the same pixels."""
    return join(_same_bytes(material), *_equal(material.looks["pixels"], material.seen))


def _same_bytes(material: Material) -> Indices:
    every = np.arange(len(material.dataset))
    return join(every, *_equal(material.store.digests, material.seen))


def _level(
    kind: str, below: Indices, material: Material, pairs: Pairs, sets: list[CopySet]
) -> Indices:
    """Add the sets that pairs of a kind join, and return the numbers of the joined images."""
    both_seen = np.isin(pairs.first, material.seen) & np.isin(pairs.second, material.seen)
    of_kind = (pairs.kind == kind) & both_seen
    first = pairs.first[of_kind]
    second = pairs.second[of_kind]
    joined = join(below, first, second)
    differences = np.zeros(len(below))
    np.maximum.at(differences, joined[first], pairs.difference[of_kind])
    sets += _sets(kind, below, joined, differences)
    return joined


def _equal(rows: NDArray[np.uint8], seen: Indices) -> tuple[Indices, Indices]:
    """Return pairs (first, other) of images that have equal rows, of those that could be read."""
    _, first, inverse = np.unique(
        np.asarray(rows[seen]), axis=0, return_index=True, return_inverse=True
    )
    return seen[first[inverse.reshape(-1)]], seen


def _sets(
    kind: str, below: Indices, joined: Indices, differences: NDArray[np.float64] | None = None
) -> Iterator[CopySet]:
    """Yield the sets of images that are joined now and were in several parts before."""
    several = np.flatnonzero(np.bincount(joined)[joined] > 1)
    order = several[np.argsort(joined[several], kind="stable")]
    ends = np.flatnonzero(np.diff(joined[order])) + 1
    for members in np.split(order, ends) if len(order) else []:
        if (below[members] == below[members[0]]).all():
            continue
        difference = 0.0 if differences is None else float(differences[joined[members[0]]])
        yield CopySet(kind, members, below[members], difference)
