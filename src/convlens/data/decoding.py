"""Decoding: the images of a data set are decoded in parallel, and a look is taken at each.

The pixels go to one file and the looks to another, both as streams, so that a data set of any size
never has to fit into memory.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import REMEDY, write_array, write_header
from convlens.data.dataset import Dataset, refuse_if
from convlens.data.digests import BATCH, Digests, digest_of
from convlens.data.looks import LOOK, Looks, look_at, looks_of_arrays
from convlens.errors import ImageError
from convlens.files import write_atomically
from convlens.language import N_, _, language, speak
from convlens.preprocess import FEW_LEVELS, ImageArray, Preprocessing, fit_image, read_image
from convlens.unit import LEVELS, convert_bytes

CHANGED = N_("{path}: the image changed while it was decoded.")
VANISHED = N_("{path}: the image was removed while it was decoded.")
NO_LOOK: Looks = np.zeros((), LOOK)
PIECES = 4  # of a batch for each thread, which hardly wait for one another then
AT_ONCE = 16  # batches of arrays whose looks are in memory
Progress = Callable[[int, int], None]


@runtime_checkable
class PartedProgress(Protocol):
    """What shows the parts of a work one after the other, each under its name."""

    def part(self, label: str) -> Progress:
        """Return the progress of the part that begins."""


def part_of(progress: Progress | None, label: str) -> Progress | None:
    """Return the progress of another part of the work, under its own name where it has one."""
    return progress.part(label) if isinstance(progress, PartedProgress) else progress


class Files(NamedTuple):
    """Where decoded images are stored: their pixels, what is known of all, and their looks."""

    array: Path
    facts: Path
    looks: Path


@dataclass(frozen=True)
class Found:
    """What is known of decoded images besides their pixels; see `convlens.data.store.Store`."""

    problems: dict[int, str]
    coloured: int
    remarks: dict[str, int]


class _Decoded(NamedTuple):
    """One image: its pixels, and its look, which is empty for an image that cannot be read."""

    pixels: ImageArray
    look: Looks


class _Reader:
    """Decodes images one by one, in any order and any thread, and notes what is said of them.

    Args:
        dataset: The data set.
        digests: (n, 16) digests of the images.
        preprocessing: The size, the channels and how other shapes are made to fit.
        survive: See `decode_all`.
    """

    def __init__(
        self, dataset: Dataset, digests: Digests, preprocessing: Preprocessing, *, survive: bool
    ) -> None:
        self._levels = bytes_of(dataset, preprocessing)
        self._images = dataset.images
        self._digests = digests
        self._preprocessing = preprocessing
        self._survive = survive
        self._blank = np.zeros(preprocessing.shape, np.uint8)
        self._problems: dict[int, str] = {}
        self._coloured: set[int] = set()
        self._remarks: list[str] = []  # threads extend it, and none of it is lost

    def found(self) -> Found:
        """Return what is known of the images that were read."""
        problems = {index: self._problems[index] for index in sorted(self._problems)}
        return Found(problems, len(self._coloured), dict(Counter(self._remarks)))

    def read_some(self, indices: NDArray[np.int64]) -> list[_Decoded]:
        """Decode several images; see `read`."""
        return [self.read(index) for index in indices.tolist()]

    def read(self, index: int) -> _Decoded:
        """Decode an image, and notice if it is not the one that was digested.

        Raises:
            DataError: If it is not, unless that is survived.
        """
        try:
            decoded = self._decode(index)
        except ImageError as error:
            self._problems[index] = error.args[0]
            decoded = _Decoded(self._blank, NO_LOOK)
        image = self._images[index]
        if isinstance(image, Path) and digest_of(image, index) != self._digests[index].tobytes():
            refuse_if(
                not self._survive,
                _(
                    "{path}: an image must not change while it is decoded; this one did. Start "
                    "again when nothing writes to it any more."
                ),
                path=image,
            )
            template = CHANGED if image.exists() else VANISHED
            self._problems[index] = _(template).format(path=image)
            decoded = _Decoded(self._blank, NO_LOOK)
        return decoded

    def _decode(self, index: int) -> _Decoded:
        image = self._images[index]
        if isinstance(image, np.ndarray) and self._levels is not None:
            image = self._levels[image]
            self._remarks.extend([FEW_LEVELS] if len(np.unique(self._levels)) < LEVELS else [])
        reading = read_image(image, self._preprocessing.unit)
        self._remarks.extend(reading.remarks)
        if reading.image.mode == "RGB" and self._preprocessing.channels == 1:
            self._coloured.add(index)
        pixels = fit_image(reading.image, self._preprocessing)
        num_bytes = _size_of(image) if isinstance(image, Path) else image.nbytes
        return _Decoded(pixels, look_at(reading.image, reading.facts, num_bytes))


def decode_all(
    dataset: Dataset,
    digests: Digests,
    preprocessing: Preprocessing,
    files: Files,
    progress: Progress | None,
    *,
    survive: bool = False,
) -> Found:
    """Decode the images of a data set into the files of their pixels and of their looks.

    Args:
        dataset: The data set.
        digests: (n, 16) digests of the images.
        preprocessing: The size, the channels and how other shapes are made to fit.
        files: The files to write.
        progress: A function that is called with (images done, number of images).
        survive: Whether an image that has changed or vanished meanwhile is one that cannot be read,
            and not an error.

    Raises:
        DataError: If an image is not the one that was digested.
        StorageError: If the disk is full or cannot be written to.
    """
    images = dataset.images
    reader = _Reader(dataset, digests, preprocessing, survive=survive)
    threads = os.cpu_count() or 1

    def batches() -> Iterator[tuple[ImageArray, Looks]]:
        with ThreadPoolExecutor(threads, initializer=speak, initargs=(language(),)) as pool:
            for start in range(0, len(images), BATCH):
                part = range(start, min(start + BATCH, len(images)))
                decoded: list[_Decoded] = []
                for some in pool.map(reader.read_some, np.array_split(part, PIECES * threads)):
                    decoded += some
                    if progress is not None:
                        progress(start + len(decoded), len(images))
                yield (
                    np.stack([one.pixels for one in decoded]),
                    np.stack([one.look for one in decoded]),
                )

    _write_both(files, (len(images), *preprocessing.shape), batches())
    return reader.found()


def _size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if it has vanished, which its digest then tells."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _write_both(
    files: Files, shape: tuple[int, ...], batches: Iterator[tuple[ImageArray, Looks]]
) -> None:
    """Write pixels and looks as they come; both appear under their names when they are complete.

    Args:
        files: The files to write.
        shape: The shape of all pixels together.
        batches: The pixels and the looks, several images at a time.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            write_header(file, shape[:1], LOOK)
            write_array(files.array, shape, pixels(file))

    def pixels(file: IO[bytes]) -> Iterator[ImageArray]:
        for images, looks in batches:
            file.write(looks.tobytes())
            yield images

    write_atomically(files.looks, write, _("the summaries of the images"), _(REMEDY))


def take_looks(images: ImageArray, file: Path) -> None:
    """Write the looks of images that need no decoding.

    Args:
        images: (n, height, width[, channels]) uint8.
        file: The file to write.

    Raises:
        StorageError: If the disk is full or cannot be written to.
    """

    def some(start: int) -> bytes:
        return looks_of_arrays(images[start : start + BATCH]).tobytes()

    def write(temporary: Path) -> None:
        with temporary.open("wb") as stream, ThreadPoolExecutor(os.cpu_count()) as pool:
            write_header(stream, (len(images),), LOOK)
            for start in range(0, len(images), BATCH * AT_ONCE):
                stop = min(start + BATCH * AT_ONCE, len(images))
                stream.writelines(pool.map(some, range(start, stop, BATCH)))

    write_atomically(file, write, _("the summaries of the images"), _(REMEDY))


def bytes_of(dataset: Dataset, preprocessing: Preprocessing) -> NDArray[np.uint8] | None:
    """Return the (256,) bytes that stand for those of an array; None if they stay as they are.

    The bytes of an array were made with its own unit, and a classifier may have another.
    """
    unit = preprocessing.unit
    if dataset.unit is None or unit is None:
        return None
    if not isinstance(unit, tuple):  # earlier versions knew no white between 255 and 65,535
        unit = (0, 65535) if dataset.unit[1] > 255 else dataset.unit
    return None if unit == dataset.unit else convert_bytes(dataset.unit, unit)
