"""Images that come as arrays in an `.npz` file, and what every source of arrays shares.

A large array never sits in memory: it is streamed once into the cache as uint8 and memory-mapped from there.
"""

import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import cache_file, open_array, write_array
from convlens.data.dataset import Dataset, natural_key
from convlens.errors import DataError

IN_MEMORY = 64 * 2**20  # bytes; below it the detour through a file is not worth while
CHUNK = 16 * 2**20  # bytes read at a time
READ_ERRORS = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile)
PIXELS = "pixels must be 0..1 (floats) or 0..255"

NPZ_KEYS: dict[
    str | None, tuple[tuple[str, str], ...]
] = {  # by split: names of the images and of their labels
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "val": (("x_val", "y_val"), ("x_valid", "y_valid"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
    None: (("x", "y"), ("images", "labels")),
}
CLASS_KEYS = ("class_names", "classes", "label_names")


@dataclass(frozen=True)
class Part:
    """The images of one split as a stream.

    Attributes:
        name: what a message calls it.
        shape: (n, height, width) or (n, height, width, channels).
        chunks: yields uint8 rows, n in all.
    """

    name: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterator[NDArray[np.uint8]]]


def load_npz(path: Path) -> Dataset:
    """Return the images of an `.npz` with x_train, y_train and, if there are, x_val, x_test and class_names.

    Images are (n, height, width) or (n, height, width, 1, 3 or 4); uint8 as it is, floats in 0..1 times 255, other
    numbers in 0..255 rounded, uint16 beyond 255 by its upper eight bits. Labels are (n,) or (n, 1) whole numbers or
    text, or (n, k) one-hot.

    Raises:
        DataError: it is no such file; shapes, lengths or values do not fit; it holds Python objects.
        StorageError: the unpacked images do not fit on the disk.
    """
    if not zipfile.is_zipfile(path):
        raise DataError(
            f"{path}: this must be an .npz file, as np.savez writes it; it is cut, or something else."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _npz(path, archive)
    except READ_ERRORS as error:
        raise DataError(f"{path}: the file is damaged ({error}).") from error


def _npz(path: Path, archive: Any) -> Dataset:
    keys = {key.lower(): key for key in archive.files}
    found = {
        split: next((p for p in pairs if p[0] in keys), None) for split, pairs in NPZ_KEYS.items()
    }
    if found["train"] is not None:
        found[None] = None
    chosen = [(split, pair) for split, pair in found.items() if pair is not None]
    if not chosen:
        raise DataError(
            f"{path}: an .npz must have the arrays x_train and y_train (or x and y); found {', '.join(archive.files)}."
        )
    parts, labels, notes = [], [], []
    for _, (x_key, y_key) in chosen:
        if y_key not in keys:
            raise DataError(
                f"{path}: {keys[x_key]} must come with its labels, {y_key}; there is none."
            )
        member = _Member(path, archive.zip, keys[x_key])
        parts.append(Part(keys[x_key], member.image_shape, member.chunks))
        if member.dtype != np.uint8:
            notes.append(
                f"{keys[x_key]} is {member.dtype}; its pixels were brought to whole numbers 0..255"
            )
        labels.append(_flat(_small(path, archive, keys[y_key]), f"{path}: {keys[y_key]}"))
        if len(labels[-1]) != member.shape[0]:
            raise DataError(
                f"{path}: {keys[x_key]} and {keys[y_key]} must have the same length; "
                f"found {member.shape[0]:,} images and {len(labels[-1]):,} labels."
            )
    names = next((_small(path, archive, keys[key]) for key in CLASS_KEYS if key in keys), None)
    indices, class_names = encode_labels(
        labels, None if names is None else [str(n) for n in _text(names).ravel()], str(path)
    )
    splits = (
        None
        if chosen[0][0] is None
        else np.repeat([str(s) for s, _ in chosen], [len(y) for y in labels])
    )
    images = gather(parts, [path], path.stem)
    return Dataset(
        str(path), "an .npz file", images, indices, class_names, splits, notes=tuple(notes)
    )


def _small(path: Path, archive: Any, key: str) -> NDArray[Any]:
    """Return an array of labels or names whole."""
    try:
        return cast(NDArray[Any], archive[key])
    except ValueError as error:
        if "Object arrays" in str(error):
            raise _object_error(path, key) from error
        raise


def _object_error(path: Path, key: str) -> DataError:
    return DataError(
        f"{path}: {key} holds Python objects, which are never opened, because they can run code; "
        "save it as a plain array of numbers or text (np.asarray(values, dtype=...))."
    )


class _Member:
    """One array of images inside an .npz, read in chunks."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, key: str) -> None:
        self.path, self.archive, self.key = path, archive, key
        with _open_member(archive, key) as (_, shape, _, dtype):
            self.shape, self.dtype = shape, dtype
        if dtype.hasobject:
            raise _object_error(path, key)
        if dtype.kind not in "buif":
            raise DataError(f"{path}: {key} must hold numbers; found {dtype}.")
        if (
            len(shape) not in (3, 4)
            or 0 in shape
            or (len(shape) == 4 and shape[3] not in (1, 3, 4))
        ):
            hint = (
                " (channels come last: np.moveaxis(x, 1, -1))"
                if len(shape) == 4 and shape[1] in (1, 3, 4)
                else ""
            )
            hint = " (reshape the rows to height x width)" if len(shape) == 2 else hint
            raise DataError(
                f"{path}: {key} must have the shape (n, height, width) or (n, height, width, 1, 3 or 4); "
                f"found {shape}{hint}."
            )

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape without a single channel: (n, height, width[, 3 or 4])."""
        return self.shape[:3] if self.shape[3:] == (1,) else self.shape

    def _raw(self) -> Iterator[NDArray[Any]]:
        with _open_member(self.archive, self.key) as (stream, shape, fortran_order, dtype):
            row = math.prod(shape[1:]) * dtype.itemsize
            step = shape[0] if fortran_order else max(1, CHUNK // row)
            for start in range(0, shape[0], step):
                count = min(step, shape[0] - start)
                data = stream.read(count * row)
                if len(data) < count * row:
                    raise DataError(
                        f"{self.path}: {self.key} ends after {start:,} of {shape[0]:,} images."
                    )
                block = np.frombuffer(data, dtype)
                wanted = (count, *shape[1:])
                yield block.reshape(wanted[::-1]).T if fortran_order else block.reshape(wanted)

    def chunks(self) -> Iterator[NDArray[np.uint8]]:
        """Yield uint8 rows of `image_shape`. Raises DataError for values that are no pixels."""
        top = 255.0 if self.dtype == np.uint8 else self._top()
        for block in self._raw():
            if top == 65535:
                block = block >> 8
            elif self.dtype != np.uint8:
                block = np.rint(block * (255.0 / top))
            yield block.astype(np.uint8).reshape(-1, *self.image_shape[1:])

    def _top(self) -> float:
        """Return the value of white: 1, 255 or 65535."""
        low, high = np.inf, -np.inf
        for block in self._raw():
            if self.dtype.kind == "f" and not np.isfinite(block).all():
                raise DataError(f"{self.path}: {PIXELS}; found NaN or infinity in {self.key}.")
            low, high = min(low, float(block.min())), max(high, float(block.max()))
        if low >= 0 and high <= 1 and self.dtype.kind in "fb":
            return 1.0
        if low >= 0 and high <= 255:
            return 255.0
        if self.dtype == np.uint16:
            return 65535.0
        raise DataError(
            f"{self.path}: {PIXELS}; found {low:g} to {high:g} in {self.key} ({self.dtype})."
        )


@contextmanager
def _open_member(
    archive: zipfile.ZipFile, key: str
) -> Iterator[tuple[IO[bytes], tuple[int, ...], bool, np.dtype[Any]]]:
    """Give (stream at the first value, shape, fortran_order, dtype) of an array inside an .npz."""
    with archive.open(f"{key}.npy") as stream:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        yield stream, *read(stream)


def _flat(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """Return labels as (n,) whole numbers or text, from (n,), (n, 1) or one-hot (n, k)."""
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "buif":
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise DataError(
                f"{where}: labels of shape {labels.shape} must be one-hot: a single 1 in each row."
            )
        return np.asarray(labels.argmax(axis=1), np.int64)
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise DataError(
            f"{where}: labels must have the shape (n,), (n, 1) or (n, classes); found {labels.shape}."
        )
    labels = _text(labels.ravel())
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind in "bui" or (labels.dtype.kind == "f" and (labels % 1 == 0).all()):
        return labels.astype(np.int64)
    raise DataError(
        f"{where}: labels must be whole numbers or text; found {labels.dtype}, such as {labels[0]}."
    )


def _text(values: NDArray[Any]) -> NDArray[Any]:
    """Return bytes as text, anything else unchanged."""
    return np.asarray(np.char.decode(values, "utf-8")) if values.dtype.kind == "S" else values


def encode_labels(
    labels: list[NDArray[Any]], class_names: list[str] | None, where: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return ((n,) indices, class names) of labels that are numbers or text, one array a split.

    Raises:
        DataError: a number is out of range, a text is not among `class_names`, or one of these stands twice; `where`
            is named.
    """
    if len({values.dtype.kind for values in labels}) > 1:
        raise DataError(f"{where}: labels must be all numbers or all text; found both.")
    if class_names is not None and (
        twice := [name for name, n in Counter(class_names).items() if n > 1]
    ):
        raise DataError(
            f"{where}: class_names must differ from each other; found {twice[0]!r} more than once."
        )
    joined = np.concatenate(labels)
    if joined.dtype.kind == "U" or class_names is None:
        values, indices = np.unique(joined, return_inverse=True)
        if values.dtype.kind != "U" and values.min() < 0:
            raise DataError(
                f"{where}: labels must be 0 or more; found {values.min()} at row {joined.argmin()}."
            )
        found = [str(value) for value in values]
        names = class_names or sorted(found, key=natural_key)
        if unknown := [name for name in found if name not in names]:
            raise DataError(
                f"{where}: labels must be among class_names; found {', '.join(unknown[:3])}."
            )
        return np.array([names.index(name) for name in found], np.int64)[indices], tuple(names)
    wrong = np.flatnonzero((joined < 0) | (joined >= len(class_names)))
    if len(wrong):
        raise DataError(
            f"{where}: labels must be 0 to {len(class_names) - 1}, as there are {len(class_names)} class_names; "
            f"found {joined[wrong[0]]} at row {wrong[0]} ({len(wrong):,} such)."
        )
    return joined, tuple(class_names)


def gather(parts: list[Part], sources: list[Path], stem: str) -> NDArray[np.uint8]:
    """Return the images of all parts as one array: in memory where small, else memory-mapped from the cache.

    Raises:
        DataError: the parts have images of different shapes.
        StorageError: the cache cannot be written.
    """
    for part in parts[1:]:
        if part.shape[1:] != parts[0].shape[1:]:
            raise DataError(
                f"{sources[0]}: all images must have one shape; found {parts[0].shape[1:]} in {parts[0].name} "
                f"and {part.shape[1:]} in {part.name}."
            )
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    chunks = (chunk for part in parts for chunk in part.chunks())
    if math.prod(shape) < IN_MEMORY:
        return np.concatenate(list(chunks))
    file = cache_file(stem, sources)
    if not file.exists():
        write_array(file, shape, chunks)
    return open_array(file)
