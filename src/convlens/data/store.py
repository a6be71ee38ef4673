"""Store: images decoded once, in parallel, into a memory-mapped array that later runs reuse."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import REMEDY, cache_folder, open_array, write_array
from convlens.data.dataset import Dataset
from convlens.errors import DataError, ImageError
from convlens.files import write_atomically
from convlens.preprocess import ImageArray, Preprocessing, open_image, prepare

VERSION = 2  # to be raised when `prepare` returns other pixels for the same file
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
    """

    images: ImageArray
    digests: Digests
    problems: dict[int, str]
    coloured: int = 0

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) False for the images that could not be read."""
        mask = np.ones(len(self.digests), bool)
        mask[list(self.problems)] = False
        return mask


def open_store(
    dataset: Dataset, preprocessing: Preprocessing, progress: Progress | None = None
) -> Store:
    """Return the images of a data set at the size of the network.

    They are decoded unless an earlier run has done so. An array that already has the right shape is
    used as it is.

    Args:
        dataset: The data set to decode.
        preprocessing: The size, the channels and how other shapes are made to fit.
        progress: A function that is called with (images done, number of images).

    Raises:
        DataError: If no image can be read.
        StorageError: If the cache folder cannot be written.
    """
    images = dataset.images
    digests = None
    if isinstance(images, np.ndarray):
        digests = _digests_of_arrays(images)
        shaped = images[..., None] if images.ndim == 3 else images
        if shaped.shape[1:] == preprocessing.shape:
            return Store(shaped, digests, {})
        array_file, facts_file = _files(preprocessing, digests.tobytes())
    else:
        array_file, facts_file = _files(preprocessing, _states(images))
    if not (array_file.exists() and facts_file.exists()):
        facts = _decode(images, preprocessing, array_file, progress)
        write_atomically(facts_file, json.dumps(facts), "the list of decoded images", REMEDY)
    recorded = json.loads(facts_file.read_text(encoding="utf-8"))
    problems = {int(index): message for index, message in recorded["problems"].items()}
    if len(problems) == len(images):
        raise DataError(
            "none of the {number:,} images can be read; the first: {problem}".format(
                number=len(images), problem=next(iter(problems.values()))
            )
        )
    if digests is None:
        digests = _joined(bytes.fromhex(recorded["digests"]))
    return Store(open_array(array_file), digests, problems, recorded["coloured"])


def is_stored(dataset: Dataset, preprocessing: Preprocessing) -> bool:
    """Return whether `open_store` has nothing to decode."""
    images = dataset.images
    if isinstance(images, np.ndarray):
        return (*images.shape[1:], 1)[:3] == preprocessing.shape
    return all(file.exists() for file in _files(preprocessing, _states(images)))


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


def _files(preprocessing: Preprocessing, content: bytes) -> tuple[Path, Path]:
    """Return where the array and the facts of these images are stored.

    Args:
        preprocessing: Its size, channels and fit are part of the names.
        content: Bytes that change when one of the images changes.
    """
    shape = f"{VERSION} {preprocessing.shape} {preprocessing.fit} ".encode()
    key = hashlib.sha256(shape + content).hexdigest()[:32]
    folder = cache_folder() / "store"
    return folder / f"{key}.npy", folder / f"{key}.json"


def _states(paths: Sequence[Path]) -> bytes:
    """Return path, size and time of files; a file that is missing is named when it is decoded."""
    states: list[tuple[str, int, int]] = []
    for path in paths:
        try:
            found = path.stat()
            states.append((str(path.resolve()), found.st_size, found.st_mtime_ns))
        except OSError:
            states.append((str(path), -1, -1))
    return json.dumps(states).encode()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def _digests_of_arrays(images: ImageArray) -> Digests:
    return _joined(b"".join(_digest(image.tobytes()) for image in images))


def _joined(digests: bytes) -> Digests:
    return np.frombuffer(digests, np.uint8).reshape(-1, DIGEST_BYTES)


def _decode(
    images: Sequence[Path] | ImageArray,
    preprocessing: Preprocessing,
    file: Path,
    progress: Progress | None,
) -> dict[str, object]:
    """Decode images into an array file and return what else is to be recorded of them."""
    problems: dict[int, str] = {}
    records: list[tuple[bytes, bool]] = []  # the digest, and whether colour is lost
    blank = np.zeros(preprocessing.shape, np.uint8)

    def read(index: int) -> tuple[ImageArray, bytes, bool]:
        """Return the pixels, the digest, and whether colour is lost."""
        image = images[index]
        try:
            digest = _digest(image.read_bytes()) if isinstance(image, Path) else b""
            pillow_image = open_image(image, reduce_to=preprocessing.shape[:2])
            loses_colour = pillow_image.mode == "RGB" and preprocessing.channels == 1
            return prepare(pillow_image, preprocessing), digest, loses_colour
        except (ImageError, OSError) as error:
            problems[index] = str(error)
            return blank, _digest(f"unreadable {index}".encode()), False

    def rows() -> Iterator[ImageArray]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(images), BATCH):
                stop = min(start + BATCH, len(images))
                for decoded, digest, loses_colour in pool.map(read, range(start, stop)):
                    records.append((digest, loses_colour))
                    yield decoded
                if progress is not None:
                    progress(stop, len(images))

    write_array(file, (len(images), *preprocessing.shape), rows())
    return {
        "problems": {str(index): problems[index] for index in sorted(problems)},
        "digests": b"".join(digest for digest, _ in records).hex(),
        "coloured": sum(loses_colour for _, loses_colour in records),
    }
