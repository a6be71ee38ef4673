"""Cache: arrays that are unpacked once and memory-mapped from then on.

A large array never has to fit into memory: it is written in chunks, and later runs map the file.
Everything here can be made again, so the folder can be deleted at any time.
"""

import contextlib
import glob
import hashlib
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import platformdirs

from convlens.data.dataset import refuse_if
from convlens.data.sealed import checksum_of, seal
from convlens.files import DAMAGE, Remedy, storage_errors, write_atomically
from convlens.language import N_, _
from convlens.preprocess import ImageArray

VERSION = 2  # to be raised when a format gives other pixels for the same file
IN_MEMORY = 64 * 2**20  # bytes; a smaller array is not worth a file
CHUNK = 16 * 2**20  # bytes that a source reads at a time
# Characters, of at most 4 bytes each: a name may have 255 bytes, and 48 of them stand behind a stem
# and before the name while the file is written.
LONGEST_STEM = 50
REMEDY = Remedy(
    N_("Free some space on the disk, or set CONVLENS_CACHE to a folder on another disk."),
    N_("Set CONVLENS_CACHE to a folder that can be written to."),
    N_("Set CONVLENS_CACHE to another folder, if possible on another disk."),
)


def cache_folder() -> Path:
    """Return the cache folder: $CONVLENS_CACHE, or else the user's cache folder. It is created.

    A user without a home has one among the temporary files.

    Raises:
        StorageError: If the folder cannot be created.
    """
    given = os.environ.get("CONVLENS_CACHE")
    try:
        folder = Path(given or platformdirs.user_cache_dir("convlens")).expanduser()
    except RuntimeError:
        folder = Path(tempfile.gettempdir()) / "convlens"
    with storage_errors(folder, _("the cache folder"), REMEDY):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def require_writable(folder: Path) -> None:
    """Raise StorageError unless a folder of the cache can be written to.

    If there is no such folder yet, the cache must be one in which it can be created. It is asked
    before work whose result will be written there.
    """
    place = folder if folder.is_dir() else cache_folder()
    with storage_errors(place, _("the cache folder"), REMEDY), tempfile.TemporaryFile(dir=place):
        pass


def require_cache() -> None:
    """Raise StorageError if the cache cannot be written to and holds no images.

    It is asked before anything else is done with images. A cache that somebody else has filled is
    of use even where it cannot be written to, until something is needed that it does not hold.
    """
    folder = cache_folder()
    if not any(folder.glob("*/*.npy")):
        require_writable(folder)


def cache_file(stem: str, sources: Sequence[Path]) -> Path:
    """Return the path of the array that is made from `sources`.

    The name changes with the place and the content of each source. Size and time of a file would
    not tell: archives restore both, and a file can be rewritten within the resolution of the clock.

    Raises:
        OSError: If a source cannot be read.
    """
    where = hashlib.sha256()
    content = hashlib.sha256(f"{VERSION}".encode())
    for source in sources:
        where.update(str(source.resolve()).encode(errors="surrogateescape"))
        with source.open("rb") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    name = f"{stem[:LONGEST_STEM]}-{where.hexdigest()[:16]}-{content.hexdigest()[:16]}.npy"
    return cache_folder() / name


def touch(path: Path) -> None:
    """Give a file of the cache the present time, so that others are removed before it."""
    with contextlib.suppress(OSError):  # The cache may belong to another user.
        os.utime(path)


def open_array(path: Path) -> ImageArray:
    """Return a cached array, memory-mapped and read-only."""
    touch(path)
    array: ImageArray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def is_whole(path: Path) -> bool:
    """Return whether a cached array is there, and its file not cut off or replaced.

    What follows a small array is its checksum, which tells whether its bytes have changed.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
        content = np.memmap(path, np.uint8, "r")
    except DAMAGE:
        return False
    end = array.offset + array.nbytes
    return len(content) == end or content[end:].tobytes() == checksum_of(content[:end].data)


def write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Write the beginning of a `.npy` file, which the bytes of the array follow."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def write_array(path: Path, shape: tuple[int, ...], chunks: Iterable[ImageArray]) -> None:
    """Write uint8 rows as one `.npy` file, which appears under its name only when it is complete.

    The file is written as a stream. On a full disk a stream raises an error, while filling a memory
    map kills the process. A small array gets a checksum.

    Args:
        path: The file to write.
        shape: The shape of the whole array.
        chunks: The rows in order, one or several at a time.

    Raises:
        StorageError: If the disk is full or cannot be written to.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            write_header(file, shape, np.dtype(np.uint8))
            for chunk in chunks:
                file.write(np.ascontiguousarray(chunk).data)
        seal(temporary)

    what = _("the image array of {megabytes:,.0f} MB").format(megabytes=math.prod(shape) / 1e6)
    write_atomically(path, write, what, REMEDY)


@dataclass(frozen=True)
class Part:
    """The images of one split as a stream.

    Attributes:
        name: The name of the part, for messages.
        shape: (n, height, width) or (n, height, width, channels).
        chunks: A function that yields the n uint8 images, several at a time.
    """

    name: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterator[ImageArray]]


def gather(parts: Sequence[Part], sources: Sequence[Path], stem: str) -> ImageArray:
    """Return the images of all parts as one array, memory-mapped from the cache if it is large.

    Args:
        parts: The parts in order; there is at least one.
        sources: The files from which the parts are read.
        stem: The first words of the name of the cached file.

    Raises:
        DataError: If the parts have images of different shapes, or a source changes meanwhile.
        StorageError: If the cache cannot be written.
    """
    _refuse_shapes(parts, sources[0])
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    chunks = (chunk for part in parts for chunk in part.chunks())
    if math.prod(shape) < IN_MEMORY:
        return np.concatenate(list(chunks))
    file = cache_file(stem, sources)

    def checked_chunks() -> Iterator[ImageArray]:
        yield from chunks
        refuse_if(
            cache_file(stem, sources) != file,
            _(
                "{path}: a file must not change while it is unpacked; this one did. Start again "
                "when nothing writes to it any more."
            ),
            path=sources[0],
        )

    if not is_whole(file):
        write_array(file, shape, checked_chunks())
        # The arrays that were made from earlier states of the same sources are of no use any more.
        for older in file.parent.glob(glob.escape(file.stem.rpartition("-")[0]) + "-*.npy"):
            if older != file:
                # Windows does not remove a file that another process has mapped.
                with contextlib.suppress(OSError):
                    older.unlink()
    return open_array(file)


def _refuse_shapes(parts: Sequence[Part], path: Path) -> None:
    """Raise DataError if the images of the parts have different shapes."""
    first = parts[0]
    for part in parts[1:]:
        refuse_if(
            part.shape[1:] != first.shape[1:],
            _(
                "{path}: all images must have the same shape; found {first_shape} in {first} and "
                "{shape} in {name}."
            ),
            path=path,
            first_shape=first.shape[1:],
            first=first.name,
            shape=part.shape[1:],
            name=part.name,
        )
