"""Store: images decoded once, in parallel, into a memory-mapped array that later runs reuse.

A stored array is found by the content of the images, so that it is never out of date. Reading and
digesting every file costs one or two per cent of decoding it, see docs/decisions/store.md.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import REMEDY, cache_folder, open_array, touch, write_array
from convlens.data.cache_size import keep_within_limit
from convlens.data.dataset import Dataset, refuse_if
from convlens.errors import DataError, ImageError
from convlens.files import write_atomically
from convlens.language import _, language, speak
from convlens.preprocess import (
    FEW_LEVELS,
    ImageArray,
    Preprocessing,
    fit_image,
    prepare,
    read_image,
)
from convlens.unit import LEVELS, convert_bytes

VERSION = 5  # to be raised when `prepare` returns other pixels for the same file
BATCH = 256  # images between two reports of progress
DIGEST_BYTES = 16
Progress = Callable[[int, int], None]
Digests = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Store:
    """The decoded images of a data set, in its order.

    Attributes:
        images: (n, height, width, channels) uint8, memory-mapped; zeros for an image that could not
            be read.
        digests: (n, 16) uint8. Equal digests mean equal content: the bytes of files, or the pixels
            of arrays.
        problems: A message for each image that could not be read, by index.
        coloured: The number of colour images that are stored in grey.
        remarks: The numbers of images by what is to be said of them, see `convlens.preprocess`.
    """

    images: ImageArray
    digests: Digests
    problems: dict[int, str]
    coloured: int = 0
    remarks: dict[str, int] = field(default_factory=dict)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) False for the images that could not be read."""
        mask = np.ones(len(self.digests), bool)
        mask[list(self.problems)] = False
        return mask

    @property
    def notes(self) -> list[str]:
        """The remarks on images, for the user."""
        return [_(remark).format(number=number) for remark, number in self.remarks.items()]


def open_store(
    dataset: Dataset, preprocessing: Preprocessing, progress: Progress | None = None
) -> Store:
    """Return the images of a data set at the size of the network.

    They are decoded unless an earlier run has decoded images of the same content. An array that
    already has the right shape is used as it is.

    Args:
        dataset: The data set to decode.
        preprocessing: The size, the channels and how other shapes are made to fit.
        progress: A function that is called with (images done, number of images).

    Raises:
        DataError: If no image can be read, or if one changes while it is decoded.
        StorageError: If the cache folder cannot be written.
    """
    images = dataset.images
    digests = digests_of(images)
    if isinstance(images, np.ndarray):
        shaped = images[..., None] if images.ndim == 3 else images
        if shaped.shape[1:] == preprocessing.shape and _bytes_of(dataset, preprocessing) is None:
            if isinstance(images, np.memmap):
                keep_within_limit()  # The array may have been unpacked just now.
            return Store(shaped, digests, {})
    array_file, facts_file = _files(images, digests, preprocessing)
    found = _read_facts(images, preprocessing, array_file, facts_file)
    if found is None:
        found = _decode(dataset, digests, preprocessing, array_file, progress)
        facts = vars(found) | {"problems": sorted(found.problems)}
        write_atomically(facts_file, json.dumps(facts), _("the list of decoded images"), _(REMEDY))
        keep_within_limit()
    if len(found.problems) == len(images):
        raise DataError(
            _("none of the {number:,} images can be read; the first: {problem}").format(
                number=len(images), problem=next(iter(found.problems.values()))
            )
        )
    for index in found.problems:
        digests[index] = np.frombuffer(_digest_of_unreadable(index), np.uint8)
    return Store(open_array(array_file), digests, **vars(found))


def is_stored(dataset: Dataset, preprocessing: Preprocessing) -> bool:
    """Return whether `open_store` has nothing to decode."""
    images = dataset.images
    if isinstance(images, np.ndarray):
        has_shape = (*images.shape[1:], 1)[:3] == preprocessing.shape
        return has_shape and _bytes_of(dataset, preprocessing) is None
    return all(file.exists() for file in _files(images, digests_of(images), preprocessing))


def fingerprint(store: Store, labels: NDArray[np.int64], class_names: Sequence[str]) -> str:
    """Return a SHA-256 of contents, labels and class names that ignores the order of the images.

    Args:
        store: The decoded images.
        labels: (n,) class indices.
        class_names: The names of the classes.
    """
    rows = sorted(
        digest.tobytes() + int(label).to_bytes(8, "big")
        for digest, label in zip(store.digests, labels, strict=True)
    )
    return hashlib.sha256(b"".join(rows) + json.dumps(list(class_names)).encode()).hexdigest()


def digests_of(images: Sequence[Path] | ImageArray) -> Digests:
    """Return (n, 16) uint8 digests of the bytes of image files, or of the pixels of an array."""

    def some(start: int) -> bytes:
        indices = range(start, min(start + BATCH, len(images)))
        return b"".join(_digest(images[index], index) for index in indices)

    # A thread digests many images at a time, since files of a few kB are read in microseconds.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        joined = b"".join(pool.map(some, range(0, len(images), BATCH)))
    return np.frombuffer(bytearray(joined), np.uint8).reshape(-1, DIGEST_BYTES)


def _digest(image: Path | ImageArray, index: int) -> bytes:
    try:
        content = image.read_bytes() if isinstance(image, Path) else image.tobytes()
    except (OSError, ValueError):  # ValueError: the path cannot be the name of a file.
        return _digest_of_unreadable(index)
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def _digest_of_unreadable(index: int) -> bytes:
    return hashlib.blake2b(f"unreadable {index}".encode(), digest_size=DIGEST_BYTES).digest()


def _files(
    images: Sequence[Path] | ImageArray, digests: Digests, preprocessing: Preprocessing
) -> tuple[Path, Path]:
    """Return where the array and the facts of these images are stored."""
    # Scale and offset are applied by the network, so they do not change what is stored.
    decoding = replace(preprocessing, scale=1.0, offset=0.0)
    # The digest of the pixels of an array depends neither on their type nor on their shape.
    kind = f"{images.dtype} {images.shape[1:]}" if isinstance(images, np.ndarray) else "files"
    key = hashlib.sha256(f"{VERSION} {decoding} {kind} ".encode() + digests.tobytes())
    folder = cache_folder() / "store"
    name = key.hexdigest()[:32]
    return folder / f"{name}.npy", folder / f"{name}.json"


@dataclass(frozen=True)
class _Found:
    """What is known of decoded images besides their pixels; see `Store`."""

    problems: dict[int, str]
    coloured: int
    remarks: dict[str, int]


def _read_facts(
    images: Sequence[Path] | ImageArray,
    preprocessing: Preprocessing,
    array_file: Path,
    facts_file: Path,
) -> _Found | None:
    """Return the facts of stored images, or None if the images have to be decoded.

    Images that could not be read are tried again: another version of Pillow may read them, and the
    messages name the files where they lie now.
    """
    if not (array_file.exists() and facts_file.exists()):
        return None
    touch(array_file)
    recorded = json.loads(facts_file.read_text(encoding="utf-8"))
    problems: dict[int, str] = {}
    for index in recorded["problems"]:
        try:
            prepare(images[index], preprocessing)
        except ImageError as error:
            problems[index] = error.args[0]
        else:
            return None
    return _Found(problems, recorded["coloured"], recorded["remarks"])


def _bytes_of(dataset: Dataset, preprocessing: Preprocessing) -> NDArray[np.uint8] | None:
    """Return the (256,) bytes that stand for those of an array; None if they stay as they are.

    The bytes of an array were made with its own unit, and a classifier may have another.
    """
    unit = preprocessing.unit
    if dataset.unit is None or unit is None:
        return None
    if not isinstance(unit, tuple):  # earlier versions knew no white between 255 and 65,535
        unit = (0, 65535) if dataset.unit[1] > 255 else dataset.unit
    return None if unit == dataset.unit else convert_bytes(dataset.unit, unit)


def _decode(
    dataset: Dataset,
    digests: Digests,
    preprocessing: Preprocessing,
    file: Path,
    progress: Progress | None,
) -> _Found:
    """Decode images into an array file.

    Raises:
        DataError: If an image is not the one that was digested.
    """
    images = dataset.images
    bytes_of = _bytes_of(dataset, preprocessing)
    problems: dict[int, str] = {}
    remarks: Counter[str] = Counter()
    coloured = 0
    blank = np.zeros(preprocessing.shape, np.uint8)

    def read(index: int) -> tuple[ImageArray, bool]:
        """Return the pixels, and whether colour is lost."""
        image = images[index]
        loses_colour = False
        try:
            if isinstance(image, np.ndarray) and bytes_of is not None:
                image = bytes_of[image]
                remarks.update([FEW_LEVELS] if len(np.unique(bytes_of)) < LEVELS else [])
            reading = read_image(image, preprocessing.unit)
            remarks.update(reading.remarks)
            loses_colour = reading.image.mode == "RGB" and preprocessing.channels == 1
            pixels = fit_image(reading.image, preprocessing)
        except ImageError as error:
            problems[index] = error.args[0]
            pixels = blank
        refuse_if(
            isinstance(image, Path) and _digest(image, index) != digests[index].tobytes(),
            _(
                "{path}: an image must not change while it is decoded; this one did. Start again "
                "when nothing writes to it any more."
            ),
            path=image,
        )
        return pixels, loses_colour

    def rows() -> Iterator[ImageArray]:
        nonlocal coloured
        with ThreadPoolExecutor(os.cpu_count(), initializer=speak, initargs=(language(),)) as pool:
            for start in range(0, len(images), BATCH):
                stop = min(start + BATCH, len(images))
                for decoded, loses_colour in pool.map(read, range(start, stop)):
                    coloured += loses_colour
                    yield decoded
                if progress is not None:
                    progress(stop, len(images))

    write_array(file, (len(images), *preprocessing.shape), rows())
    return _Found({index: problems[index] for index in sorted(problems)}, coloured, dict(remarks))
