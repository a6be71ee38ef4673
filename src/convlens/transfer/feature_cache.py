"""Feature cache: the features of images that a network has computed, for every later run.

Features are kept by the content of the image, so that another split or a limit costs nothing, and
ten more images cost only those ten. Each process that computes appends to two files of its own, one
of features and one of the digests of their images: a process that is killed loses at most the
current batch, and several can run at once. The digests are read when the cache is opened; the
features are memory-mapped. The maps of layers further below are kept in the same way, as rows.
"""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convlens.data.cache import REMEDY, cache_folder, touch
from convlens.data.cache_size import keep_within_limit
from convlens.data.decoding import Progress
from convlens.data.digests import DIGEST_BYTES
from convlens.data.store import Store
from convlens.files import storage_errors
from convlens.folders import make_folder, sync_folder
from convlens.language import N_, _
from convlens.preprocess import ImageArray

BATCH = 64  # images that are computed and written at a time
IN_MEMORY = 2**28  # bytes of features; more are gathered in a file that is memory-mapped
GATHERED = 4096  # images whose features are written to that file at a time

DIGEST = np.dtype(f"S{DIGEST_BYTES}")  # NumPy fills such strings with zeros when it compares them

Network = Callable[[ImageArray], NDArray[np.float32]]
Append = Callable[[NDArray[np.uint8], NDArray[np.float32]], None]


class FeatureCache:
    """The features of images, by content, of one network with one preprocessing.

    Args:
        key: Identifies the network, its weights, its arithmetic and the preprocessing.
        width: The number of features of an image.
        kind: The type of the numbers in the files; computed are float32.

    Raises:
        StorageError: If the cache folder cannot be read.
    """

    place = "features"  # the folder in the cache
    described = N_("the features of {count:,} images ({megabytes:,.0f} MB)")

    def __init__(self, key: str, width: int, kind: DTypeLike = np.float32) -> None:
        self.folder = cache_folder() / self.place / key
        self.width = width
        self.kind = np.dtype(kind)
        self._own: set[Path] = set()  # the files of digests that this object has written
        self._opened: dict[Path, int] = {}  # the number of features that are known of each file
        self._parts: list[NDArray[np.floating]] = []  # memory-mapped
        self._starts: list[int] = []  # the number of features before each part
        self._digests = np.empty(0, DIGEST)  # of all features, sorted
        self._places = np.empty(0, np.int64)  # the number of the features with each digest
        self._look()

    @property
    def bytes_each(self) -> int:
        """The bytes that the features of an image take in a file."""
        return self.kind.itemsize * self.width

    def _look(self) -> None:
        """Open the complete features that are new, of this process or another.

        A file that was cut off is read up to the last whole row, and one that has grown since the
        last time from there on. One whose first or last new numbers are not finite is damaged, and
        counts as missing. It stays, since another process may be writing it.
        """
        found = [self._digests]
        places = [self._places]
        with storage_errors(self.folder, _("the cache folder"), REMEDY):
            for path in sorted(self.folder.glob("*.digests")):
                with suppress(FileNotFoundError):  # Another process may have removed it.
                    if len(new := self._open_new(path)):
                        found.append(new)
                        places.append(self._starts[-1] + np.arange(len(new)))
        self._digests, first = np.unique(np.concatenate(found), return_index=True)
        self._places = np.concatenate(places)[first]

    def _open_new(self, path: Path) -> NDArray[np.bytes_]:
        """Open the features of a file that are new, and return their digests; see `_look`.

        Raises:
            FileNotFoundError: If a file of the pair is missing.
        """
        known = self._opened.get(path, 0)
        none = np.empty(0, DIGEST)
        if path.stat().st_size < (known + 1) * DIGEST_BYTES:
            return none
        # The digests are written after the features, and therefore looked at first.
        digests = np.fromfile(path, DIGEST)
        features = path.with_suffix(".features")
        number = min(len(digests), features.stat().st_size // self.bytes_each)
        if number <= known:
            return none
        part = np.memmap(features, self.kind, "r", shape=(number, self.width))[known:]
        if path not in self._own and not np.isfinite(part[[0, -1]]).all():
            return none
        start = self._starts[-1] + len(self._parts[-1]) if self._parts else 0
        self._parts.append(np.asarray(part))
        self._starts.append(start)
        self._opened[path] = number
        touch(path)
        return digests[known:number]

    def missing(self, store: Store, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the indices of images without features, one for each content.

        Raises:
            StorageError: If the cache folder cannot be read.
        """
        self._look()
        digests = _keys(store.digests[indices])
        is_missing = ~np.isin(digests, self._digests)
        _, first = np.unique(digests[is_missing], return_index=True)
        return np.sort(indices[is_missing][first])

    def compute(
        self,
        network: Network,
        store: Store,
        indices: NDArray[np.int64],
        progress: Progress | None = None,
    ) -> int:
        """Compute the missing features, with one batch in memory at a time.

        Args:
            network: Computes (batch, width) features of uint8 images.
            store: The decoded images.
            indices: (m,) indices of the images whose features are wanted.
            progress: Called with the number of images that are done, and of all.

        Returns:
            The number of images whose features were computed.

        Raises:
            StorageError: If the features cannot be written. What was computed before is kept.
        """
        wanted = self.missing(store, indices)
        if not len(wanted):
            return 0
        with self._appending(len(wanted)) as append:
            for start in range(0, len(wanted), BATCH):
                batch = wanted[start : start + BATCH]
                rows = np.asarray(network(store.images[batch]), np.float32)
                append(store.digests[batch], rows)
                if progress is not None:
                    progress(start + len(batch), len(wanted))
        return len(wanted)

    def add(
        self, number: int, parts: Iterable[tuple[NDArray[np.uint8], NDArray[np.float32]]]
    ) -> None:
        """Keep features that are computed elsewhere, each part as soon as it comes.

        Args:
            number: The number of images, for a message.
            parts: (m, 16) digests of images and (m, width) their features.

        Raises:
            StorageError: If the features cannot be written. What came before is kept.
        """
        with self._appending(number) as append:
            for digests, rows in parts:
                append(digests, rows)

    @contextmanager
    def _appending(self, number: int) -> Iterator[Append]:
        """Yield what appends digests and features to files of this process; then open these files.

        Raises:
            StorageError: If the features cannot be written. What was appended before is kept.
        """
        path = self.folder / f"{uuid.uuid4().hex}.digests"
        self._own.add(path)
        try:
            with storage_errors(self.folder, self._described(number), REMEDY):
                make_folder(self.folder)
                with (
                    path.with_suffix(".features").open("ab") as features,
                    path.open("ab") as digests,
                ):
                    sync_folder(self.folder)

                    def append(some: NDArray[np.uint8], rows: NDArray[np.float32]) -> None:
                        features.write(rows.astype(self.kind).tobytes())
                        features.flush()
                        # Otherwise a power cut could keep the digests of features that are lost.
                        os.fsync(features.fileno())
                        digests.write(some.tobytes())
                        digests.flush()
                        os.fsync(digests.fileno())

                    yield append
        finally:
            self._look()
            if path not in self._opened:  # It holds nothing whole.
                _remove(path)
        keep_within_limit()

    def gather(self, store: Store, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (m, width) features that `compute` has computed; large ones lie on the disk.

        Raises:
            StorageError: If there is no space for large ones.
        """
        digests = store.digests[indices]
        if len(digests) * self.width * 4 <= IN_MEMORY:
            return self.rows(digests)
        # The file has no name, so that nothing can be left behind.
        with (
            storage_errors(self.folder, self._described(len(digests)), REMEDY),
            tempfile.TemporaryFile(dir=self.folder) as file,
        ):
            for start in range(0, len(digests), GATHERED):
                file.write(self.rows(digests[start : start + GATHERED]).tobytes())
            file.flush()
            return np.memmap(file, np.float32, "r", shape=(len(digests), self.width))

    def _described(self, count: int) -> str:
        """Return what is written, with its size, for a message."""
        return _(self.described).format(
            count=count, megabytes=count * (DIGEST_BYTES + self.bytes_each) / 1e6
        )

    def rows(self, digests: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (m, width) features, in memory, of images with (m, 16) digests that have some."""
        places = self._places[np.searchsorted(self._digests, _keys(digests))]
        parts = np.searchsorted(self._starts, places, "right") - 1
        rows = np.empty((len(digests), self.width), np.float32)
        for number in np.unique(parts):
            chosen = parts == number
            rows[chosen] = self._parts[number][places[chosen] - self._starts[number]]
        return rows


def _remove(path: Path) -> None:
    """Remove a file of digests and that of their features."""
    for file in (path, path.with_suffix(".features")):
        with suppress(OSError):  # It may belong to another user, or be open on Windows.
            file.unlink()


def _keys(digests: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Return (m,) digests that can be sorted, of (m, 16) uint8."""
    return np.ascontiguousarray(digests).view(DIGEST)[:, 0]
