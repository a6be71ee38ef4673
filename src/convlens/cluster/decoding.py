"""Decoding: the nodes digest and decode image files, and this computer keeps what they found.

It goes into the files of `convlens.data.decoding`, in the order of the images, so that everything
that follows from them is as if this computer had decoded them.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.cluster.connection import Cluster
from convlens.cluster.reach import refuse_unreachable, work_in
from convlens.data.decoding import Decoded, Reader
from convlens.data.digests import BATCH, DIGEST_BYTES, Digests, digest_of, read_file

AT_ONCE = 16 * BATCH  # files of which a task gives the digests
Indices = NDArray[np.int64]


class DecodedByNodes:
    """Lets the nodes of a cluster read and decode files; see `convlens.data.elsewhere.Elsewhere`.

    Args:
        cluster: The cluster.
        images: The files, which the nodes must reach.

    Raises:
        ClusterError: If a node does not reach them.
    """

    def __init__(self, cluster: Cluster, images: Sequence[Path]) -> None:
        self._cluster = cluster
        self._place = "" if all(image.is_absolute() for image in images) else str(Path.cwd())
        if self._place:
            refuse_unreachable(cluster, self._place)
        refuse_unreachable(cluster, str(images[0].absolute().parent))

    def digests(self, images: Sequence[Path]) -> Digests:
        """Return (n, 16) digests of n files."""
        starts = range(0, len(images), AT_ONCE)
        found: list[bytes] = [b""] * len(starts)
        items = ((self._place, start, images[start : start + AT_ONCE]) for start in starts)
        for number, digests in self._cluster.run(_digests_of, items):
            found[number] = digests
        return np.frombuffer(bytearray(b"".join(found)), np.uint8).reshape(-1, DIGEST_BYTES)

    def decoded(self, reader: Reader, parts: Iterable[Indices]) -> Iterator[list[Decoded]]:
        """Yield the decoded images of each part, in their order."""
        import ray

        shared = [ray.put(reader)]  # a list, of which Ray hands on the reference and not the reader
        items = ((self._place, shared, part) for part in parts)
        early: dict[int, list[Decoded]] = {}
        following = 0
        for number, decoded in self._cluster.run(_read_some, items):
            early[number] = decoded
            while following in early:
                yield early.pop(following)
                following += 1


def _digests_of(item: tuple[str, int, Sequence[Path]]) -> bytes:
    """Return the digests of files, the first of which has the index that is given."""
    place, start, images = item
    work_in(place)
    return b"".join(digest_of(read_file(image), index) for index, image in enumerate(images, start))


def _read_some(item: tuple[str, list[Any], Indices]) -> list[Decoded]:
    """Return the decoded images of a part."""
    place, (reference,), part = item
    work_in(place)
    return _reader(reference).read_some(part)


@lru_cache(maxsize=1)
def _reader(reference: Any) -> Reader:
    """Return the reader, once for a process."""
    import ray

    reader: Reader = ray.get(reference)
    return reader
