"""Folders of IDX files, the format of MNIST, gzipped or not."""

import gzip
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset
from convlens.data.formats.npz import CHUNK, READ_ERRORS, Part, encode_labels, gather
from convlens.errors import DataError
from convlens.preprocess import MAX_PIXELS

IDX_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<split>train|t10k|test|val|valid)[-_.](?P<what>images|labels)"
    r"([-.]idx[134])?[-.]ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)
IDX_SPLITS = {"train": "train", "t10k": "test", "test": "test", "val": "val", "valid": "val"}


def load_idx(folder: Path) -> Dataset:
    """Return the images of a folder of IDX files named as MNIST's (train-images-idx3-ubyte, t10k-...), or .gz.

    Files of EMNIST are recognised too: their images, stored lying, are stood up, and their mapping gives the names.

    Raises:
        DataError: a file is missing or damaged, or has another magic number or length; counts disagree.
        StorageError: the unpacked images do not fit on the disk.
    """
    files: dict[tuple[str, str], Path] = {}
    prefixes = set()
    for path in sorted(
        folder.iterdir(), reverse=True
    ):  # so that a file already unpacked wins over its .gz
        if match := IDX_NAME.fullmatch(path.name):
            files[IDX_SPLITS[match["split"].lower()], match["what"].lower()] = path
            prefixes.add(match["prefix"].lower())
    if len(prefixes) > 1:
        raise DataError(
            f"{folder}: a folder must hold one data set of IDX files; found {', '.join(sorted(prefixes))}."
        )
    prefix = prefixes.pop()
    parts, labels, splits = [], [], []
    for split in [
        s for s in ("train", "val", "test") if (s, "images") in files or (s, "labels") in files
    ]:
        pair = [files.get((split, what)) for what in ("images", "labels")]
        if pair[0] is None or pair[1] is None:
            present = pair[0] or pair[1]
            raise DataError(
                f"{folder}: IDX files come in pairs, images and labels; found only {present}."
            )
        shape = _idx_shape(pair[0], 3)
        (count,) = _idx_shape(pair[1], 1)
        if count != shape[0]:
            raise DataError(
                f"{folder}: images and labels must have the same number; found {shape[0]:,} images "
                f"in {pair[0].name} and {count:,} labels in {pair[1].name}."
            )
        parts.append(
            Part(
                pair[0].name, shape, _idx_reader(pair[0], shape, lying=prefix.startswith("emnist"))
            )
        )
        labels.append(np.concatenate(list(_idx_reader(pair[1], (count,))())))
        splits.append(np.repeat(split, count))
    names = _emnist_names(folder)
    numbers, class_names = encode_labels([y.astype(np.int64) for y in labels], None, str(folder))
    class_names = tuple(names.get(name, name) for name in class_names)
    sources = [path for key, path in sorted(files.items())]
    images = gather(parts, sources, prefix.strip("-_.") or folder.name)
    return Dataset(
        str(folder), "a folder of IDX files", images, numbers, class_names, np.concatenate(splits)
    )


def _idx_open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _idx_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """Return the shape that an IDX file states."""
    expected = 0x0800 + dimensions
    what = "images" if dimensions == 3 else "labels"
    try:
        with _idx_open(path) as stream:
            header = stream.read(4 + 4 * dimensions)
    except READ_ERRORS as error:
        raise DataError(f"{path}: the file is damaged ({error}).") from error
    magic = int.from_bytes(header[:4], "big")
    if magic != expected:
        raise DataError(
            f"{path}: an IDX file of {what} must begin with the magic number {expected}; found {magic}."
        )
    shape = tuple(
        int.from_bytes(header[4 * i : 4 * i + 4], "big") for i in range(1, dimensions + 1)
    )
    if len(header) < 4 + 4 * dimensions or 0 in shape or math.prod(shape[1:]) > MAX_PIXELS:
        raise DataError(f"{path}: the IDX file must hold {what}; its header says {shape}.")
    return shape


def _idx_reader(
    path: Path, shape: tuple[int, ...], lying: bool = False
) -> Callable[[], Iterator[NDArray[np.uint8]]]:
    """Return what yields the values of an IDX file in chunks, and checks its length."""
    start, row = 4 + 4 * len(shape), math.prod(shape[1:])

    def chunks() -> Iterator[NDArray[np.uint8]]:
        read = 0
        try:
            with _idx_open(path) as stream:
                stream.read(start)
                while data := stream.read(max(1, CHUNK // row) * row):
                    read += len(data)
                    if read > shape[0] * row or len(data) % row:
                        break
                    block = np.frombuffer(data, np.uint8).reshape(-1, *shape[1:])
                    yield block.swapaxes(1, 2) if lying else block
        except READ_ERRORS as error:
            raise DataError(f"{path}: the file is damaged ({error}).") from error
        if read != shape[0] * row:
            found = f"{read + start:,}" if read < shape[0] * row else "more"
            raise DataError(
                f"{path}: the IDX file must have {start + shape[0] * row:,} bytes; found {found}."
            )

    return chunks


def _emnist_names(folder: Path) -> dict[str, str]:
    """Return the name of each label number where EMNIST's mapping (number, character codes) lies in the folder."""
    mappings = sorted(folder.glob("emnist-*-mapping.txt"))
    rows = [line.split() for line in mappings[0].read_text().splitlines()] if mappings else []
    return {row[0]: chr(int(row[1])) for row in rows if len(row) > 1}
