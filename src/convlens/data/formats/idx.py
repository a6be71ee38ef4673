"""IDX: a folder of files in the format of MNIST, gzipped or not."""

import gzip
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import CHUNK, Part, gather
from convlens.data.dataset import SPLITS, Dataset, refuse_if, split_of
from convlens.data.formats.npz import damaged
from convlens.data.labels import encode_labels
from convlens.data.walk import is_system_name
from convlens.errors import DataError
from convlens.files import DAMAGE
from convlens.image_file import MAX_PIXELS
from convlens.language import _, listed
from convlens.preprocess import ImageArray

IDX_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<split>train|t10k|test|val|valid)[-_.](?P<what>images|labels)"
    r"([-.]idx[134])?[-.]ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)

Files = dict[str, dict[str, Path]]  # by split, and by "images" or "labels"


def load_idx(folder: Path) -> Dataset:
    """Return the images of a folder of IDX files that are named as those of MNIST.

    The names are such as train-images-idx3-ubyte and t10k-labels-idx1-ubyte.gz. The files of EMNIST
    are recognised, too: their images are stored transposed and are turned upright, and their
    mapping gives the class names.

    Raises:
        DataError: If a file is missing or damaged, has another magic number or length, or if the
            numbers of images and labels differ.
        StorageError: If the unpacked images do not fit on the disk.
    """
    files, prefix = _find_files(folder)
    notes = []
    for split in ("val", "test"):
        if "train" in files and len(files.get(split, ())) == 1:
            file = next(iter(files.pop(split).values()))
            notes.append(_("{file} was left out; IDX files come in pairs").format(file=file.name))
    parts = []
    labels = []
    splits = []
    for split in filter(files.get, SPLITS):
        part, numbers = _read_pair(folder, files[split], prefix)
        parts.append(part)
        labels.append(numbers)
        splits.append(np.repeat(split, len(numbers)))
    numbers, class_names = encode_labels(labels, None, str(folder))
    names = _emnist_names(folder)
    sources = [files[split][what] for split in sorted(files) for what in ("images", "labels")]
    return Dataset(
        source=str(folder),
        kind=_("a folder of IDX files"),
        images=gather(parts, sources, prefix.strip("-_.") or folder.name),
        labels=numbers,
        class_names=tuple(names.get(name, name) for name in class_names),
        splits=np.concatenate(splits),
        notes=tuple(notes),
    )


def _read_pair(folder: Path, pair: dict[str, Path], prefix: str) -> tuple[Part, NDArray[np.int64]]:
    """Return the images of a split, which are read later, and their labels."""
    refuse_if(
        len(pair) < 2,
        _("{folder}: IDX files come in pairs, images and labels; found only {file}."),
        folder=folder,
        file=next(iter(pair.values())),
    )
    images_file = pair["images"]
    labels_file = pair["labels"]
    shape = _read_shape(images_file, 3)
    (count,) = _read_shape(labels_file, 1)
    refuse_if(
        count != shape[0],
        _(
            "{folder}: images and labels must have the same number; found {images:,} images in "
            "{images_file} and {labels:,} labels in {labels_file}."
        ),
        folder=folder,
        images=shape[0],
        images_file=images_file.name,
        labels=count,
        labels_file=labels_file.name,
    )
    chunks = partial(_values, images_file, shape, transposed=prefix.startswith("emnist"))
    labels = np.concatenate(list(_values(labels_file, (count,)))).astype(np.int64)
    return Part(images_file.name, shape, chunks), labels


def idx_files(folder: Path) -> list[Path]:
    """Return the IDX files of a folder, also those inside a folder of such a name."""
    found = []
    # The names are sorted backwards, so that a file that was unpacked replaces its .gz.
    for path in sorted(folder.iterdir(), reverse=True):
        if IDX_NAME.fullmatch(path.name) and not is_system_name(path.name):
            inside = path.iterdir() if path.is_dir() else [path]
            found += [file for file in inside if IDX_NAME.fullmatch(file.name) and file.is_file()]
    # A file beside a folder of its name is preferred to the one inside.
    return sorted(found, key=lambda file: file.parent == folder)


def _find_files(folder: Path) -> tuple[Files, str]:
    """Return the IDX files of a folder and the prefix that their names share."""
    files: Files = defaultdict(dict)
    prefixes = set()
    for path in idx_files(folder):
        match = IDX_NAME.fullmatch(path.name)
        if match is not None:
            split = split_of(match["split"]) or "test"  # MNIST calls its test set "t10k".
            files[split][match["what"].lower()] = path
            prefixes.add(match["prefix"].lower())
    refuse_if(
        len(prefixes) > 1,
        _("{folder}: a folder must hold one data set of IDX files; found {prefixes}."),
        folder=folder,
        prefixes=listed(sorted(prefixes)),
    )
    return files, prefixes.pop()


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _read_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """Return the shape in the header of an IDX file, which follows its magic number."""
    expected = 0x0800 + dimensions
    what = _("images") if dimensions == 3 else _("labels")
    try:
        with _open(path) as stream:
            header = stream.read(4 + 4 * dimensions)
    except DAMAGE as error:
        raise damaged(path, error) from error
    magic = int.from_bytes(header[:4], "big")
    refuse_if(
        magic != expected,
        _(
            "{path}: an IDX file of {what} must begin with the magic number {expected}; found "
            "{magic}."
        ),
        path=path,
        what=what,
        expected=expected,
        magic=magic,
    )
    places = range(4, 4 + 4 * dimensions, 4)
    shape = tuple(int.from_bytes(header[place : place + 4], "big") for place in places)
    refuse_if(
        len(header) < 4 + 4 * dimensions or 0 in shape or math.prod(shape[1:]) > MAX_PIXELS,
        _("{path}: the IDX file must hold {what}; its header says {shape}."),
        path=path,
        what=what,
        shape=shape,
    )
    return shape


def _values(
    path: Path, shape: tuple[int, ...], *, transposed: bool = False
) -> Iterator[ImageArray]:
    """Yield the values of an IDX file in chunks and check its length."""
    start = 4 + 4 * len(shape)
    row = math.prod(shape[1:])
    size = shape[0] * row
    read = 0
    try:
        with _open(path) as stream:
            stream.read(start)
            while data := stream.read(max(1, CHUNK // row) * row):
                read += len(data)
                if read > size or len(data) % row:
                    break
                block = np.frombuffer(data, np.uint8).reshape(-1, *shape[1:])
                yield block.swapaxes(1, 2) if transposed else block
    except DAMAGE as error:
        raise damaged(path, error) from error
    if read != size:
        found = "{:,}".format(start + read) if read < size else _("more")
        raise DataError(
            _("{path}: the IDX file must have {size:,} bytes; found {found}.").format(
                path=path, size=start + size, found=found
            )
        )


def _emnist_names(folder: Path) -> dict[str, str]:
    """Return the name of each label number if the folder holds EMNIST's mapping.

    A line of the mapping has the number of the label and the codes of its characters.
    """
    mapping = next(iter(sorted(folder.glob("emnist-*-mapping.txt"))), None)
    if mapping is None:
        return {}
    try:
        rows = [line.split() for line in mapping.read_text("ascii").splitlines()]
        return {row[0]: chr(int(row[1])) for row in rows if len(row) > 1}
    except DAMAGE as error:
        raise damaged(mapping, error) from error
