"""Store: images decoded once, in parallel, into a memory-mapped uint8 array that later runs reuse."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import cache_folder
from convlens.data.dataset import Dataset
from convlens.errors import DataError, ImageError, StorageError
from convlens.preprocess import Preprocessing, open_image, prepare

VERSION = 2  # raise it when `prepare` makes other pixels of the same file
CHUNK = 256
DIGEST_BYTES = 16
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Store:
    """Decoded images of a dataset, in its order.

    Attributes:
        images: (n, height, width, channels) uint8, memory-mapped; zeros where an image could not be read.
        digests: (n, 16) uint8, equal where the contents are equal (of files: their bytes; of arrays: their pixels).
        problems: a message for each image that could not be read, by index.
        coloured: number of images stored in colour of which the grey was kept.
    """

    images: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    problems: dict[int, str]
    coloured: int = 0

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) False where the image could not be read."""
        mask = np.ones(len(self.digests), bool)
        mask[list(self.problems)] = False
        return mask


def open_store(
    dataset: Dataset, preprocessing: Preprocessing, progress: Progress | None = None
) -> Store:
    """Return the dataset's images at the network's size, decoding them if no earlier run has.

    Args:
        dataset: what to decode.
        preprocessing: size, channels and fit.
        progress: called with (images done, all images).

    Raises:
        DataError: no image can be read.
        StorageError: the cache folder cannot be written.
    """
    images = dataset.images
    if isinstance(images, np.ndarray):
        shaped = images[..., None] if images.ndim == 3 else images
        if shaped.shape[1:] == preprocessing.shape:
            return Store(shaped, _digests_of_arrays(images), {})
        digests = _digests_of_arrays(images)
        key = _key(preprocessing, digests.tobytes())
        return _stored(key, images, preprocessing, progress, digests)
    return _stored(
        _key_of_files(list(images), preprocessing), images, preprocessing, progress, None
    )


def is_stored(dataset: Dataset, preprocessing: Preprocessing) -> bool:
    """Return whether these files lie decoded in the store; of arrays, whether nothing need be done to them."""
    images = dataset.images
    if isinstance(images, np.ndarray):
        return (*images.shape[1:], 1)[:3] == preprocessing.shape
    key = _key_of_files(images, preprocessing)
    return all((cache_folder() / "store" / f"{key}.{end}").exists() for end in ("npy", "json"))


def fingerprint(store: Store, labels: NDArray[np.int64], class_names: Sequence[str]) -> str:
    """Return a SHA-256 over contents, labels and class names, whatever the order of the images."""
    rows = sorted(
        digest.tobytes() + int(label).to_bytes(8, "big")
        for digest, label in zip(store.digests, labels, strict=True)
    )
    return hashlib.sha256(b"".join(rows) + json.dumps(list(class_names)).encode()).hexdigest()


def _key_of_files(paths: Sequence[Path], preprocessing: Preprocessing) -> str:
    return _key(preprocessing, json.dumps([_stat(path) for path in paths]).encode())


def _stat(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), -1, -1
    return str(path.resolve()), found.st_size, found.st_mtime_ns


def _key(preprocessing: Preprocessing, content: bytes) -> str:
    shape = f"{VERSION} {preprocessing.shape} {preprocessing.fit} ".encode()
    return hashlib.sha256(shape + content).hexdigest()[:32]


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def _digests_of_arrays(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    joined = b"".join(_digest(image.tobytes()) for image in images)
    return np.frombuffer(joined, np.uint8).reshape(-1, DIGEST_BYTES)


def _stored(
    key: str,
    images: Sequence[Path] | NDArray[np.uint8],
    preprocessing: Preprocessing,
    progress: Progress | None,
    digests: NDArray[np.uint8] | None,
) -> Store:
    folder = cache_folder() / "store"
    array, facts = folder / f"{key}.npy", folder / f"{key}.json"
    if not (array.exists() and facts.exists()):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _decode(images, preprocessing, progress, array, facts)
        except OSError as error:
            size = len(images) * int(np.prod(preprocessing.shape)) / 1e6
            raise StorageError(
                f"{folder}: decoded images need {size:,.0f} MB there; "
                f"{error.strerror or error}. Free some space, or set CONVLENS_CACHE to another folder."
            ) from error
    recorded = json.loads(facts.read_text(encoding="utf-8"))
    problems = {int(index): message for index, message in recorded["problems"].items()}
    if len(problems) == len(images):
        raise DataError(
            f"none of the {len(images):,} images can be read; the first: {next(iter(problems.values()))}"
        )
    if digests is None:
        digests = np.frombuffer(bytes.fromhex(recorded["digests"]), np.uint8).reshape(
            -1, DIGEST_BYTES
        )
    return Store(
        np.load(array, mmap_mode="r", allow_pickle=False), digests, problems, recorded["coloured"]
    )


def _decode(
    images: Sequence[Path] | NDArray[np.uint8],
    preprocessing: Preprocessing,
    progress: Progress | None,
    array: Path,
    facts: Path,
) -> None:
    """Write the array, then the facts; sequentially, since a full disk under a memory map would kill the process."""
    problems: dict[int, str] = {}
    digests: list[bytes] = []
    coloured = 0
    blank = np.zeros(preprocessing.shape, np.uint8)

    def read(index: int) -> tuple[NDArray[np.uint8], bytes, bool]:
        image = images[index]
        try:
            content = _digest(image.read_bytes()) if isinstance(image, Path) else b""
            opened = open_image(image, reduce_to=preprocessing.shape[:2])
            return (
                prepare(opened, preprocessing),
                content,
                opened.mode == "RGB" and preprocessing.channels == 1,
            )
        except (ImageError, OSError) as error:
            problems[index] = str(error)
            return blank, _digest(f"unreadable {index}".encode()), False

    partial, partial_facts = (
        path.with_name(f".{os.getpid()}.{path.name}") for path in (array, facts)
    )
    try:
        with partial.open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
            header = {
                "descr": "|u1",
                "fortran_order": False,
                "shape": (len(images), *preprocessing.shape),
            }
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(images), CHUNK):
                stop = min(start + CHUNK, len(images))
                for decoded, content, lost_colour in pool.map(read, range(start, stop)):
                    file.write(decoded.tobytes())
                    digests.append(content)
                    coloured += lost_colour
                if progress is not None:
                    progress(stop, len(images))
        found = {str(index): problems[index] for index in sorted(problems)}
        facts_found = {"problems": found, "digests": b"".join(digests).hex(), "coloured": coloured}
        partial_facts.write_text(json.dumps(facts_found), encoding="utf-8")
        partial.replace(array)
        partial_facts.replace(facts)
    finally:
        partial.unlink(missing_ok=True)
        partial_facts.unlink(missing_ok=True)
