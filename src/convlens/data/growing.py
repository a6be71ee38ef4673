"""Growing: files of decoded images that are kept if the decoding is stopped, so that it can go on.

Pixels and looks are appended to two files, and a third one says how many images both hold. After
Ctrl-C, a kill or a full disk, the next decoding of the same images goes on from there. The files
take their own names when they are complete, and what is known of all images is then a file, too.
"""

import contextlib
import io
import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from convlens.data.cache import REMEDY, write_header
from convlens.data.looks import LOOK, Looks
from convlens.data.sealed import checksum_of, seal
from convlens.errors import DataError
from convlens.files import storage_errors, write_atomically
from convlens.folders import sync_folder
from convlens.language import _
from convlens.lock import tried
from convlens.preprocess import ImageArray

SAVE_SECONDS = 5.0  # between two records of how many images are complete


class Files(NamedTuple):
    """Where decoded images are stored: their pixels, what is known of all, and their looks."""

    array: Path
    facts: Path
    looks: Path


class Growing:
    """Two files of decoded images that grow together; made by `growing`.

    Attributes:
        done: The number of images in both.
        facts: Returns what is known of these images, as it was given to `append`.
    """

    def __init__(
        self, pixels: IO[bytes], looks: IO[bytes], record: Path, shape: tuple[int, ...]
    ) -> None:
        self._parts = [
            _Part(pixels, _header(shape, np.dtype(np.uint8)), math.prod(shape[1:])),
            _Part(looks, _header(shape[:1], LOOK), LOOK.itemsize),
        ]
        self._record = record
        self._saved = time.monotonic()
        self.done = 0
        self.facts: Callable[[], dict[str, Any]] = dict
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            recorded = json.loads(record.read_bytes())
            facts = recorded["facts"]
            if all(part.holds(recorded["done"]) for part in self._parts):
                self.done = recorded["done"]
                self.facts = lambda: facts
        for part in self._parts:
            part.cut(self.done)

    def begin_again(self) -> None:
        """Forget the images."""
        self._record.unlink(missing_ok=True)
        self.done = 0
        self.facts = dict
        for part in self._parts:
            part.cut(0)

    def append(self, pixels: ImageArray, looks: Looks, facts: Callable[[], dict[str, Any]]) -> None:
        """Write further images.

        Args:
            pixels: (m, height, width, channels) uint8.
            looks: (m,) their looks.
            facts: Returns what is known of all images so far, as plain data. It is asked when this
                is recorded.
        """
        for part, rows in zip(self._parts, (pixels, looks), strict=True):
            part.stream.write(rows.tobytes())
        self.done += len(pixels)
        self.facts = facts
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Record how many images are complete, after their rows have reached the disk."""
        for part in self._parts:
            part.stream.flush()
            os.fsync(part.stream.fileno())
        content = json.dumps({"done": self.done, "facts": self.facts()})
        write_atomically(self._record, content, remedy=REMEDY)
        self._saved = time.monotonic()


class _Part(NamedTuple):
    """A file of rows of equal size.

    Attributes:
        stream: The file, open for reading and writing.
        header: Its first bytes.
        row: The bytes of a row.
    """

    stream: IO[bytes]
    header: bytes
    row: int

    def holds(self, rows: int) -> bool:
        """Return whether the file begins as it must, and has so many rows."""
        self.stream.seek(0)
        size = os.fstat(self.stream.fileno()).st_size
        same = self.stream.read(len(self.header)) == self.header
        return same and size >= len(self.header) + rows * self.row

    def cut(self, rows: int) -> None:
        """Keep so many rows, and append after them."""
        if not rows:
            self.stream.seek(0)
            self.stream.write(self.header)
        self.stream.seek(len(self.header) + rows * self.row)
        self.stream.truncate()


@contextmanager
def growing(files: Files, shape: tuple[int, ...]) -> Iterator[Growing]:
    """Yield files that grow; they take their names if the block ends, and stay if it is stopped.

    If another process decodes the same images, this one works on files of its own.

    Args:
        files: The names of the complete files.
        shape: (n, height, width, channels) of all pixels together.

    Raises:
        StorageError: If the disk is full or cannot be written to.
    """
    what = _("the image array of {megabytes:,.0f} MB").format(megabytes=math.prod(shape) / 1e6)
    with storage_errors(files.array, what, REMEDY), contextlib.ExitStack() as stack:
        for folder in (files.array.parent, files.looks.parent):
            folder.mkdir(parents=True, exist_ok=True)
        array = files.array
        if not stack.enter_context(tried(_parts(array).lock)):
            array = array.with_name(f".{secrets.token_hex(4)}.{array.name}")
            stack.callback(_remove, array)
        parts = _parts(array)
        pixels = stack.enter_context(_opened(parts.pixels))
        looks = stack.enter_context(_opened(parts.looks))
        grown = None
        try:
            grown = Growing(pixels, looks, parts.record, shape)
            yield grown
        except DataError:  # The images are others by now, and nobody will ask for these again.
            stack.callback(_remove, array)
            raise
        finally:
            if grown is not None and grown.done:
                grown.save()
            else:
                _remove(array)
        pixels.close()
        looks.close()
        seal(parts.looks)
        # The pixels are the last to get their name: until then, all goes on from what grew.
        summaries = partial(shutil.copyfile, parts.looks)
        write_atomically(files.looks, summaries, _("the summaries of the images"), REMEDY)
        content = json.dumps(grown.facts()).encode()
        whole = content + checksum_of(content)
        write_atomically(files.facts, whole, _("the list of decoded images"), REMEDY)
        parts.pixels.replace(files.array)
        sync_folder(files.array.parent)
        _remove(array)


class _Paths(NamedTuple):
    """The paths of the files that grow, of the record of what is complete, and of their lock."""

    pixels: Path
    looks: Path
    record: Path
    lock: Path


def _parts(array: Path) -> _Paths:
    """Return the paths of what will be complete under the name of an array."""
    return _Paths(*(array.with_suffix(f".part-{name}") for name in _Paths._fields))


def _remove(array: Path) -> None:
    for path in _parts(array):
        with contextlib.suppress(OSError):  # Windows does not remove a file that is open.
            path.unlink(missing_ok=True)


def _opened(path: Path) -> IO[bytes]:
    """Open a file for reading and writing; it is created if there is none."""
    path.touch()
    return path.open("rb+")


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    stream = io.BytesIO()
    write_header(stream, shape, dtype)
    return stream.getvalue()
