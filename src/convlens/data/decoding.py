"""Decoding: the images of a data set are decoded in parallel, and a look is taken at each.

The pixels go to one file and the looks to another, both as streams, so that a data set of any size
never has to fit into memory, and a decoding that was stopped goes on where it was.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from convlens.data.array_looks import looks_of_arrays
from convlens.data.dataset import Dataset, refuse_if
from convlens.data.digests import BATCH, Digests, digest_of, read_file
from convlens.data.elsewhere import elsewhere
from convlens.data.growing import Files, Growing, growing
from convlens.data.looks import LOOK, Looks, look_at
from convlens.errors import ImageError
from convlens.image_file import named
from convlens.language import N_, _
from convlens.language_choice import language, speak
from convlens.preprocess import (
    FEW_LEVELS,
    ImageArray,
    Preprocessing,
    Reading,
    can_fit_arrays,
    fit_arrays,
    fit_image,
    read_image,
)
from convlens.unit import LEVELS, convert_bytes

CHANGED = N_("{path}: the image changed while it was decoded.")
VANISHED = N_("{path}: the image was removed while it was decoded.")
NO_LOOK: Looks = np.zeros((), LOOK)
# Files that a thread decodes at a time, and that are written together. Four photographs of a
# telephone take half a second, so that the threads end at about the same time.
PIECE = 4
AHEAD = 4  # pieces for each thread that are decoded before it is their turn to be written
Progress = Callable[[int, int], None]


@runtime_checkable
class PartedProgress(Protocol):
    """What shows the parts of a work one after the other, each under its name."""

    def part(self, label: str) -> Progress:
        """Return the progress of the part that begins."""


def part_of(progress: Progress | None, label: str) -> Progress | None:
    """Return the progress of another part of the work, under its own name where it has one."""
    return progress.part(label) if isinstance(progress, PartedProgress) else progress


@dataclass
class Found:
    """What is known of decoded images besides their pixels; see `convlens.data.store.Store`."""

    problems: dict[int, str] = field(default_factory=dict)
    coloured: int = 0
    remarks: dict[str, int] = field(default_factory=dict)

    def note(self, index: int, decoded: "Decoded") -> None:
        """Add what is known of an image."""
        if decoded.problem:
            self.problems[index] = decoded.problem
        self.coloured += decoded.loses_colours
        for remark in decoded.remarks:
            self.remarks[remark] = self.remarks.get(remark, 0) + 1

    def as_facts(self) -> dict[str, Any]:
        """Return what is recorded of the images, as plain data."""
        return vars(self) | {"problems": sorted(self.problems)}


class Decoded(NamedTuple):
    """One image.

    Attributes:
        pixels: (height, width, channels) uint8; zeros for an image that cannot be read.
        look: Its look; empty for an image that cannot be read, and for one of an array.
        problem: Why it cannot be read; an empty text if it can.
        loses_colours: Whether it is a colour image that is stored in grey.
        remarks: What the user should know about it, see `convlens.preprocess`.
    """

    pixels: ImageArray
    look: Looks
    problem: str = ""
    loses_colours: bool = False
    remarks: tuple[str, ...] = ()


class Reader:
    """Decodes images one by one, in any order and in any thread.

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
        self._can_fit = self._levels is None and can_fit_arrays(dataset.images, preprocessing)

    def read_some(self, indices: NDArray[np.int64]) -> list[Decoded]:
        """Decode several images; see `read`."""
        if self._can_fit:
            images = fit_arrays(np.asarray(self._images)[indices], self._preprocessing)
            return [Decoded(pixels, NO_LOOK) for pixels in images]
        return [self.read(index) for index in indices.tolist()]

    def looks_of(self, indices: NDArray[np.int64], decoded: Sequence[Decoded]) -> Looks:
        """Return the looks of images; those of an array are the same as without decoding."""
        if not isinstance(self._images, np.ndarray):
            return np.stack([one.look for one in decoded])
        images = self._images[indices]
        return looks_of_arrays(images if self._levels is None else self._levels[images])

    def read(self, index: int) -> Decoded:
        """Decode an image, and notice if it is not the one that was digested.

        A file is read once, so that what is decoded is what has this digest.

        Raises:
            DataError: If it is not, unless that is survived.
        """
        image = self._images[index]
        if not isinstance(image, Path):
            return self._decode_array(image)
        content = read_file(image)
        if digest_of(content, index) != self._digests[index].tobytes():
            refuse_if(
                not self._survive,
                _(
                    "{path}: an image must not change while it is decoded; this one did. Start "
                    "again when nothing writes to it any more."
                ),
                path=image,
            )
            template = CHANGED if image.exists() else VANISHED
            return Decoded(self._blank, NO_LOOK, _(template).format(path=image))
        try:
            return self._decode_file(image, content)
        except ImageError as error:
            return Decoded(self._blank, NO_LOOK, error.args[0])

    def _decode_file(self, path: Path, content: bytes | None) -> Decoded:
        """Return what is in a file; without its content, opening it says why it cannot be read."""
        file = path if content is None else named(content, str(path))
        reading = read_image(file, self._preprocessing.unit)
        look = look_at(reading.image, reading.facts, len(content or b""))
        return self._decoded(reading, look)

    def _decode_array(self, image: ImageArray) -> Decoded:
        remarks: tuple[str, ...] = ()
        if self._levels is not None:
            image = self._levels[image]
            remarks = (FEW_LEVELS,) if len(np.unique(self._levels)) < LEVELS else ()
        return self._decoded(read_image(image, self._preprocessing.unit), NO_LOOK, remarks)

    def _decoded(self, reading: Reading, look: Looks, remarks: tuple[str, ...] = ()) -> Decoded:
        return Decoded(
            fit_image(reading.image, self._preprocessing),
            look,
            loses_colours=reading.image.mode == "RGB" and self._preprocessing.channels == 1,
            remarks=remarks + reading.remarks,
        )


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
    reader = Reader(dataset, digests, preprocessing, survive=survive)
    threads = os.cpu_count() or 1
    pool = ThreadPoolExecutor(threads, initializer=speak, initargs=(language(),))
    with growing(files, (len(images), *preprocessing.shape)) as grown, ExitStack() as stack:
        stack.callback(pool.shutdown, cancel_futures=True)  # A stop does not wait for the batch.
        found = _found_before(grown, reader)
        other = elsewhere(images)
        size = BATCH if isinstance(images, np.ndarray) or other is not None else PIECE
        rest = np.arange(grown.done, len(images))
        pieces = [rest[start : start + size] for start in range(0, len(rest), size)]
        in_turn = (
            _in_turn(pool, reader.read_some, pieces, AHEAD * threads)
            if other is None
            else other.decoded(reader, pieces)
        )
        for decoded in in_turn:
            part = np.arange(grown.done, grown.done + len(decoded))
            for index, one in zip(part.tolist(), decoded, strict=True):
                found.note(index, one)
            pixels = np.stack([one.pixels for one in decoded])
            # Counts of later images must not be recorded with these. Problems have their index.
            known = replace(found, remarks=dict(found.remarks))
            grown.append(pixels, reader.looks_of(part, decoded), known.as_facts)
            if progress is not None:
                progress(grown.done, len(images))
    return found


def _in_turn(
    pool: Executor,
    work: Callable[[NDArray[np.int64]], list[Decoded]],
    pieces: Sequence[NDArray[np.int64]],
    ahead: int,
) -> Iterator[list[Decoded]]:
    """Yield what becomes of pieces of work, in their order; some are begun before their turn."""
    begun: deque[Future[list[Decoded]]] = deque()
    for piece in pieces:
        begun.append(pool.submit(work, piece))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _found_before(grown: Growing, reader: Reader) -> Found:
    """Return what is known of the images that a decoding, which was stopped, has left.

    Those that could not be read are tried again, as in a finished store. If one can be read now,
    all are decoded again.
    """
    if not grown.done:
        return Found()
    facts = grown.facts()
    problems = {index: reader.read(index).problem for index in facts["problems"]}
    if not all(problems.values()):
        grown.begin_again()
        return Found()
    return Found(problems, facts["coloured"], facts["remarks"])


def converted(dataset: Dataset, preprocessing: Preprocessing) -> str:
    """Return from which unit the bytes of an array are converted, for the names of cached files.

    The same bytes become others if they were made with another unit. It is empty if they stay.
    """
    return "" if bytes_of(dataset, preprocessing) is None else f"of {dataset.unit} "


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
