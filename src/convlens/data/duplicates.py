"""Duplicates: images that are copies of each other, exactly or nearly, or flipped or rotated.

Copies are found by their bytes and pixels. Others are proposed by hashes of the image and of its
parts, and by a caller, and then each pair is laid over one another and compared in detail
(`convlens.data.registration`). The proposals decide what can be found, and the details what is.
The limits count images and pairs, never seconds, so that the same images give the same pairs.
"""

import contextlib
import hashlib
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import REMEDY, require_writable, touch
from convlens.data.decoding import Progress, part_of
from convlens.data.digests import Digests
from convlens.data.hashes import turn_image
from convlens.data.looks import Looks
from convlens.data.proposals import Proposals, best_part, propose
from convlens.data.registration import Match, detail, register
from convlens.data.sealed import read_sealed, seal
from convlens.data.store import Store
from convlens.files import DAMAGE, write_atomically
from convlens.language import _

KINDS = ("bytes", "pixels", "near", "flip", "rotation")
BYTES, PIXELS, NEAR, FLIP, ROTATION = range(len(KINDS))
MIRRORED = (1, 2, 4, 7)  # the turns of `convlens.data.hashes.turned` that mirror an image
INVERSE = (0, 1, 2, 3, 4, 6, 5, 7)  # the turns that undo those of the same place
FLAT = 4.0  # grey levels; images of less contrast are compared by bytes and pixels only
FEWEST_PROPOSALS = 3_000  # pairs that are registered in any case
SHARE_OF_PROPOSALS = 0.05  # pairs for each image beyond that
# The limit grows while that share of the last quarter of the registered pairs are copies: a set
# whose images were augmented has more copies than images.
WORTHWHILE = 0.3
GROWTH = 4
REPORT = 256  # registrations between two reports of progress
SHARE_IF_STRICT = 0.2  # of these, in sets of images whose details are alike
# The agreement of details that copies have, among images that differ and among images that are
# alike in detail, such as handwritten digits; see docs/decisions/duplicates.md.
AGREEMENT = (0.80, 0.985)
STRICT = (0.50, 0.9875)
# A copy of few pixels has lost details that a larger image has: where the shorter side of one is
# below SMALL, and that of the other longer by REDUCED, they may agree by so much less.
SMALL = 48  # pixels
REDUCED = 1.5
LESS = 0.2
LIKENESS = (0.12, 0.20)  # the 95th percentile of the agreement of any two images of such sets
MOST_IN_CAPTURE = 60  # images
VERSION = 7  # to be raised when the same images have other pairs
SAMPLE = 400  # images of which it is measured
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images that show the same.

    A copy is paired with the first image that has its bytes or pixels, and only that one with
    others.

    Attributes:
        first: (m,) indices.
        second: (m,) indices, each above that of the first.
        kind: (m,) names of KINDS.
        turn: (m,) how the first is turned to look like the second; see `hashes.turned`.
        difference: (m,) root mean square of what differs after registration, in grey levels.
        crowded: The number of images that were not compared, as too many are like them.
        complete: Whether all proposed pairs were compared, and not the most alike only.
    """

    first: Indices
    second: Indices
    kind: NDArray[np.str_]
    turn: NDArray[np.int8]
    difference: NDArray[np.float32]
    crowded: int = 0
    complete: bool = True

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)

    def save(self, path: Path) -> None:
        """Write the pairs to a file."""
        np.savez(path, **{item.name: getattr(self, item.name) for item in fields(self)})
        seal(path)

    @classmethod
    def load(cls, path: Path) -> "Pairs":
        """Read pairs from a file.

        Raises:
            ValueError: If its bytes have changed, or others of `DAMAGE` if it is another file.
        """
        with np.load(io.BytesIO(read_sealed(path)), allow_pickle=False) as arrays:
            values: dict[str, Any] = {name: arrays[name] for name in arrays.files}
        values |= {"crowded": int(values["crowded"]), "complete": bool(values["complete"])}
        return cls(**values)


def find_pairs(
    store: Store, candidates: Indices | None = None, progress: Progress | None = None
) -> Pairs:
    """Return the pairs of images of a store that show the same.

    They are kept in the cache beside the looks, so that the same images are compared once.

    Args:
        store: The store.
        candidates: (m, 2) indices of further pairs to compare, such as neighbours in features.
        progress: A function that is called with (done, number) while pairs are searched for, and
            then while they are compared.

    Raises:
        StorageError: If the cache folder cannot be written.
    """
    if store.looks_file is None:
        return pairs_of(store.looks, store.digests, candidates, progress)
    asked = b"" if candidates is None else np.ascontiguousarray(candidates).tobytes()
    unreadable = json.dumps(sorted(store.problems))
    key = hashlib.sha256(f"{VERSION} {unreadable} ".encode() + asked).hexdigest()[:8]
    file = store.looks_file.with_suffix(f".{key}.npz")
    with contextlib.suppress(*DAMAGE):  # There is no such file, or it is damaged.
        kept = Pairs.load(file)
        touch(file)
        return kept
    require_writable(file.parent)
    pairs = pairs_of(store.looks, store.digests, candidates, progress)
    write_atomically(file, pairs.save, _("the list of copies"), REMEDY)
    return pairs


def captures(looks: Looks) -> Indices:
    """Return (n,) the number of the capture of each image, and -1 for images of none.

    A capture is what one camera took within one second. What has more than MOST_IN_CAPTURE images
    is none: a camera takes 30 photographs in a second at most, while programs write one time into
    whole collections.

    Args:
        looks: The looks of n images.
    """
    known = np.flatnonzero((looks["camera"] != b"") & (looks["taken"] != b""))
    moments = looks["taken"][known].astype("S19")  # without the fraction of the second
    places = np.char.add(np.char.add(looks["camera"][known], b" "), moments)
    __, numbers, counts = np.unique(places, return_inverse=True, return_counts=True)
    numbers = numbers.reshape(-1)
    found = np.full(len(looks), -1, np.int64)
    kept = (counts[numbers] > 1) & (counts[numbers] <= MOST_IN_CAPTURE)
    found[known[kept]] = numbers[kept]
    return found


def pairs_of(
    looks: Looks,
    digests: Digests,
    candidates: Indices | None = None,
    progress: Progress | None = None,
) -> Pairs:
    """Return the pairs of images that show the same.

    Args:
        looks: The looks of n images; those of images that cannot be read are empty.
        digests: (n, 16), equal for equal files.
        candidates: (m, 2) indices of further pairs to compare, such as neighbours in features.
        progress: A function that is called with (done, number) while pairs are searched for, and
            then while they are compared.
    """
    readable = np.flatnonzero(looks["width"])
    exact, originals = _exact(looks, digests, readable)
    chosen = originals[looks["contrast"][originals] >= FLAT]
    limit = FEWEST_PROPOSALS + int(SHARE_OF_PROPOSALS * len(chosen))
    strictness = _strictness(looks, chosen) if len(chosen) else 0.0
    limit = round(limit * np.interp(strictness, (0, 1), (1, SHARE_IF_STRICT)))
    while True:
        searching = part_of(progress, _("looking for copies"))
        proposed = propose(looks, chosen, limit, strictness, searching)
        comparing = part_of(progress, _("comparing pairs"))
        rows, last = _compared(looks, proposed, strictness, comparing)
        if proposed.complete or last < WORTHWHILE:
            break
        limit *= GROWTH
    if candidates is not None:
        asked = _asked(looks, candidates[np.isin(candidates, chosen).all(axis=1)])
        comparing = part_of(progress, _("comparing pairs"))
        rows += _compared(looks, asked, strictness, comparing)[0]
    return _as_pairs(exact + rows, proposed)


def _exact(
    looks: Looks, digests: Digests, readable: Indices
) -> tuple[list[tuple[int, int, int, int, float]], Indices]:
    """Return rows of exact copies, and the indices of the images that copy no earlier one."""
    rows = []
    rest = readable
    for kind, content in ((BYTES, digests), (PIXELS, looks["pixels"])):
        __, firsts, inverse = np.unique(
            content[rest], axis=0, return_index=True, return_inverse=True
        )
        originals = rest[firsts[inverse.reshape(-1)]]
        copied = originals != rest
        pairs = np.stack([originals, rest], axis=1)[copied].tolist()
        rows += [(first, second, kind, 0, 0.0) for first, second in pairs]
        rest = rest[~copied]
    return rows, rest


def _asked(looks: Looks, pairs: Indices) -> Proposals:
    """Return the pairs of a caller as proposals."""
    different = pairs[pairs[:, 0] != pairs[:, 1]]
    part, parts = best_part(looks, different)
    turn = np.zeros(len(different), np.int64)
    return Proposals(different[:, 0], different[:, 1], turn, part, parts)


def _strictness(looks: Looks, chosen: Indices) -> float:
    """Return 0 for sets of images that differ in their details, to 1 for sets that are alike."""
    some = chosen[np.linspace(0, len(chosen) - 1, min(SAMPLE, len(chosen))).astype(int)]
    details = np.stack([detail(grey.astype(np.float32)) for grey in looks["grey"][some]])
    flat = details.reshape(len(some), -1)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    # The nearest of each image may be a copy, and says nothing about the others.
    others = np.sort(flat @ flat.T, axis=1)[:, :-2]
    alike = np.percentile(others, 95) if others.size else 0.0
    return float(np.interp(alike, LIKENESS, (0.0, 1.0)))


def _compared(
    looks: Looks, proposed: Proposals, strictness: float, progress: Progress | None
) -> tuple[list[tuple[int, int, int, int, float]], float]:
    """Return rows of the proposed pairs that are copies, and their share in the last quarter."""
    agreement = np.interp(strictness, (0, 1), AGREEMENT)
    strict = np.interp(strictness, (0, 1), STRICT)
    sides = np.minimum(looks["width"], looks["height"])
    both = np.sort(np.stack([sides[proposed.first], sides[proposed.second]]), axis=0)
    is_reduced = (both[0] < SMALL) & (both[1] >= REDUCED * both[0])
    least = agreement - is_reduced * LESS * (1 - strictness)

    def compare(row: int) -> Match | None:
        first = turn_image(looks["grey"][proposed.first[row]], int(proposed.turn[row]))
        second = looks["grey"][proposed.second[row]]
        return register(first, second, proposed.parts[proposed.part[row]])

    rows = []
    number = len(proposed.first)
    last_quarter = range(number - number // 4, number)
    late = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, match in enumerate(pool.map(compare, range(number))):
            if match and match.is_copy(least[row], strict):
                rows.append(_row(proposed, row, match))
                late += row in last_quarter
            if progress is not None and (row + 1 == number or row % REPORT == REPORT - 1):
                progress(row + 1, number)
    return rows, late / max(1, len(last_quarter))


def _row(proposed: Proposals, row: int, match: Match) -> tuple[int, int, int, int, float]:
    """Return first, second, kind, turn and difference of a pair, with the smaller index first."""
    first = int(proposed.first[row])
    second = int(proposed.second[row])
    turn = int(proposed.turn[row])
    kind = NEAR if not turn else FLIP if turn in MIRRORED else ROTATION
    if first > second:
        return second, first, kind, INVERSE[turn], match.difference
    return first, second, kind, turn, match.difference


def _as_pairs(rows: list[tuple[int, int, int, int, float]], proposed: Proposals) -> Pairs:
    """Return rows in the order of the images; each pair of images occurs once."""
    unique = {(row[0], row[1]): row for row in reversed(rows)}
    ordered = [unique[key] for key in sorted(unique)]
    columns = list(zip(*ordered, strict=True)) or [()] * 5
    first, second, kind, turn, difference = columns
    return Pairs(
        np.array(first, np.int64),
        np.array(second, np.int64),
        np.array([KINDS[number] for number in kind], str),
        np.array(turn, np.int8),
        np.array(difference, np.float32),
        proposed.left_out,
        proposed.complete,
    )
