"""Features: what a frozen network makes of each image, computed once and kept, whatever run asks for it next.

An image is known by its content, so that another division, a limit, or ten images more cost nothing or just those
ten. Each process that computes appends whole records to a file of its own: one that was killed loses at most the batch
under way, and several can run at once.
"""

import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import cache_folder
from convlens.data.store import DIGEST_BYTES, Progress, Store
from convlens.errors import StorageError

BATCH = 64  # images computed, and written, at a time
IN_MEMORY = 2**28  # bytes of features; more are put together in a file and memory-mapped

Network = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class FeatureCache:
    """Features of images by content, of one network with one preprocessing.

    Args:
        key: stands for the network, its weights, its arithmetic and the preprocessing.
        width: numbers of an image.

    Raises:
        StorageError: the cache folder cannot be made or read.
    """

    def __init__(self, key: str, width: int) -> None:
        self.folder = cache_folder() / "features" / key
        self.width = width
        self.record = np.dtype(
            [("digest", np.uint8, DIGEST_BYTES), ("features", np.float32, width)]
        )
        self._parts: list[np.memmap[tuple[int], np.dtype[np.void]]] = []
        self._place: dict[bytes, tuple[int, int]] = {}
        self._opened: set[Path] = set()
        self._look()

    def _look(self) -> None:
        """Take in the files that are new, of this process or another. Raises StorageError."""
        try:
            for path in sorted(set(self.folder.glob("*.records")) - self._opened):
                self._open(path)
        except OSError as error:
            raise StorageError(
                f"{self.folder}: features cannot be kept there; {error.strerror or error}."
            ) from error

    def _open(self, path: Path) -> None:
        """Take in the whole records of a file; one that was cut off is left aside."""
        number = path.stat().st_size // self.record.itemsize
        if not number:
            return
        part = np.memmap(path, self.record, "r", shape=(number,))
        for row, digest in enumerate(part["digest"]):
            self._place[digest.tobytes()] = (len(self._parts), row)
        self._parts.append(part)
        self._opened.add(path)

    def missing(self, store: Store, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the store's images have no features yet, one of each content. Raises StorageError."""
        self._look()
        first = {store.digests[index].tobytes(): index for index in reversed(indices)}
        return np.array(
            sorted(i for digest, i in first.items() if digest not in self._place), np.int64
        )

    def compute(
        self,
        network: Network,
        store: Store,
        indices: NDArray[np.int64],
        progress: Progress | None = None,
    ) -> int:
        """Compute what is missing of the store's images, a batch in memory at a time; return how many were.

        Raises:
            StorageError: the disk is full or cannot be written; what was computed before is kept.
        """
        wanted = self.missing(store, indices)
        if not len(wanted):
            return 0
        path = self.folder / f"{uuid.uuid4().hex}.records"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                for start in range(0, len(wanted), BATCH):
                    batch = wanted[start : start + BATCH]
                    records = np.empty(len(batch), self.record)
                    records["digest"] = store.digests[batch]
                    records["features"] = network(store.images[batch])
                    file.write(records.tobytes())
                    file.flush()
                    if progress is not None:
                        progress(start + len(batch), len(wanted))
        except OSError as error:
            size = len(wanted) * self.record.itemsize / 1e6
            raise StorageError(
                f"{self.folder}: the features need {size:,.0f} MB there; {error.strerror or error}. "
                "Free some space, or set CONVLENS_CACHE to another folder."
            ) from error
        finally:
            self._look()
            if path.exists() and path not in self._opened:  # not one whole record
                path.unlink(missing_ok=True)
        return len(wanted)

    def gather(self, store: Store, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (m, width) features of the store's images, which `compute` has made; large ones lie on the disk.

        Raises:
            StorageError: the disk is full.
        """
        places = [self._place[store.digests[index].tobytes()] for index in indices]
        chunks = range(0, len(places), 4096)
        if len(places) * self.width * 4 <= IN_MEMORY:
            rows = np.empty((len(places), self.width), np.float32)
            for start in chunks:
                rows[start : start + 4096] = self._rows(places[start : start + 4096])
            return rows
        try:
            with tempfile.TemporaryFile(
                dir=self.folder
            ) as file:  # without a name, so that nothing can be left behind
                for start in chunks:
                    file.write(self._rows(places[start : start + 4096]).tobytes())
                file.flush()
                return np.memmap(file, np.float32, "r", shape=(len(places), self.width))
        except OSError as error:
            raise StorageError(
                f"{self.folder}: the features need {len(places) * self.width * 4 / 1e6:,.0f} MB more there; "
                f"{error.strerror or error}. Free some space, or set CONVLENS_CACHE to another folder."
            ) from error

    def _rows(self, places: list[tuple[int, int]]) -> NDArray[np.float32]:
        rows = np.empty((len(places), self.width), np.float32)
        parts, numbers = np.array(places, np.int64).T
        for part in np.unique(parts):
            of_part = parts == part
            rows[of_part] = self._parts[part]["features"][numbers[of_part]]
        return rows
