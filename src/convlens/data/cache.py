"""The cache: arrays unpacked once and memory-mapped ever after; it can be deleted at any time."""

import glob
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from convlens.errors import StorageError


def cache_folder() -> Path:
    """Return the folder for what can be made again: $CONVLENS_CACHE, or the user's cache folder. It is created.

    Raises:
        StorageError: it cannot be created.
    """
    folder = Path(
        os.environ.get("CONVLENS_CACHE") or platformdirs.user_cache_dir("convlens")
    ).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder}: the cache folder cannot be made ({error.strerror or error}); "
            "set CONVLENS_CACHE to another folder."
        ) from error
    return folder


def cache_file(stem: str, sources: Sequence[Path]) -> Path:
    """Return the path of the cached array made from `sources`; another path once size or time of one changes."""
    where, state = hashlib.sha256(), hashlib.sha256()
    for source in sources:
        facts = source.stat()
        where.update(str(source.resolve()).encode(errors="surrogateescape"))
        state.update(f"{facts.st_size} {facts.st_mtime_ns} ".encode())
    return cache_folder() / f"{stem}-{where.hexdigest()[:16]}-{state.hexdigest()[:16]}.npy"


def open_array(path: Path) -> NDArray[np.uint8]:
    """Return a cached array, memory-mapped and read-only."""
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write_array(path: Path, shape: tuple[int, ...], chunks: Iterable[NDArray[np.uint8]]) -> None:
    """Write chunks of rows as one `.npy` of `shape`; older states of the same source are removed.

    The file has its name only once it is whole. It is written as a stream, because a full disk raises an error there
    and kills the process in a memory map.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix="part-", delete=False) as file:
            temporary = Path(file.name)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in chunks:
                file.write(np.ascontiguousarray(chunk).data)
        for old in path.parent.glob(glob.escape(path.stem.rpartition("-")[0]) + "-*.npy"):
            old.unlink(missing_ok=True)
        temporary.replace(path)
    except OSError as error:
        size = int(np.prod(shape)) / 2**20
        raise StorageError(
            f"{path.parent}: {size:,.0f} MB for the unpacked images cannot be written ({error.strerror or error}); "
            "make room, or set CONVLENS_CACHE to a folder on another disk."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
