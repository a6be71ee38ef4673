"""What a user points at becomes a Dataset: recognised by looking, explained where it cannot be."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from convlens.data.dataset import SPLITS, Dataset, natural_key, split_of
from convlens.data.formats.idx import IDX_NAME, load_idx
from convlens.data.formats.named import NAMES, load_named
from convlens.data.formats.npz import encode_labels, load_npz
from convlens.data.formats.table import load_csv
from convlens.data.inspection import check
from convlens.errors import ConfigError, DataError
from convlens.preprocess import IMAGE_SUFFIXES

FILE_NAME = r"^(?P<label>.+?)[ ._-]+\(?\d+\)?\.[^.]+$"  # 0.46.jpg, cat.4001.jpg, cat_12.png, cat-12.png, cat (12).jpg
BY_FILE_NAME = "labels in the file names"
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
PACKED_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2")
SYSTEM_NAMES = ("__MACOSX", "Thumbs.db", "desktop.ini")
LAYOUTS = (
    "a folder per class (also inside train, val, test), files named as cat.12.jpg (or --pattern), a CSV (path,label), "
    f"an .npz (x_train, y_train), a folder of IDX files, or a name ({', '.join(NAMES)})"
)


def load_data(
    source: str | Path, *, pattern: str | None = None, for_training: bool = True
) -> Dataset:
    """Return the labelled images of a folder, file or known data set, recognised by looking.

    Args:
        source: a path, or a name such as "mnist5k". A path that exists goes before a name.
        pattern: for labels in file names: a regular expression with a group `(?P<label>...)`, searched in the name.
        for_training: whether it must be fit to train on; not needed for images that are only evaluated.

    Raises:
        DataError: nothing is there, it is not recognised, it is malformed, or `check` finds it unfit to train on.
        ConfigError: `pattern` is no regular expression, or lacks the group.
        StorageError: the cache for large arrays cannot be written.
    """
    compiled = _compiled(pattern)
    path, name = Path(source).expanduser(), str(source).strip().lower().replace("-", "_")
    try:
        if path.is_dir():
            dataset = _load_folder(path, compiled)
        elif path.exists():
            dataset = _load_file(path)
        elif name in NAMES:
            dataset = load_named(name)
        else:
            raise DataError(_nothing_there(path, name))
    except OSError as error:
        raise DataError(
            f"{error.filename or path}: this cannot be read ({error.strerror or error})."
        ) from error
    notes = [*dataset.notes, *_absent(dataset)]
    if name in NAMES and path.exists():
        notes.append(f"the path {path} was taken, not the data set of this name")
    if pattern is not None and not dataset.kind.startswith(BY_FILE_NAME):
        notes.append("the pattern was not used: the labels are not in file names")
    dataset = replace(dataset, notes=tuple(notes))
    if for_training:
        check(dataset)
    return dataset


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"--pattern must be a regular expression; found {pattern!r}: {error}."
        ) from error
    if "label" not in compiled.groupindex:
        raise ConfigError(
            f"--pattern must have a group (?P<label>...) that matches the label; found {pattern!r}."
        )
    return compiled


def _nothing_there(path: Path, name: str) -> str:
    folder = path.parent
    beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    near = [str(folder / match) for match in get_close_matches(path.name, beside, n=2)]
    near = get_close_matches(name, NAMES, n=2) + near
    hint = f" Did you mean {' or '.join(near)}?" if near else f" A data source is {LAYOUTS}."
    if not folder.is_dir():
        hint = f" The folder {folder} does not exist either."
    return f"{path}: there is no such file or folder, nor a known data set of this name.{hint}"


def _load_file(path: Path) -> Dataset:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return load_npz(path)
    if suffix in TABLE_SUFFIXES:
        return load_csv(path)
    if suffix in IMAGE_SUFFIXES:
        raise DataError(
            f"{path}: this is a single image; a data source holds many, with labels: {LAYOUTS}."
        )
    if IDX_NAME.fullmatch(path.name):
        raise DataError(
            f"{path}: this is one of several IDX files; name their folder, {path.parent}."
        )
    if suffix in PACKED_SUFFIXES:
        raise DataError(f"{path}: this is a packed archive; unpack it and name the folder.")
    raise DataError(f"{path}: this kind of file is not recognised; a data source is {LAYOUTS}.")


@dataclass(frozen=True)
class _Labelled:
    """Images of one folder with their labels."""

    images: list[Path]
    names: list[str]
    kind: str


def _load_folder(folder: Path, pattern: re.Pattern[str] | None) -> Dataset:
    root = _unwrapped(folder)
    if _has_idx(root):
        return load_idx(root)
    passed: Counter[str] = Counter()
    notes = [] if root == folder else [f"the images are in its folder {root.relative_to(folder)}"]
    divided = _split_folders(root, passed)
    found = {
        split: _labelled(part, pattern, passed, notes)
        for split, part in (divided or {"": root}).items()
    }
    images = [image for part in found.values() for image in part.images]
    names = np.array([name for part in found.values() for name in part.names])
    labels, class_names = encode_labels([names], None, str(folder))
    kind = next(iter(found.values())).kind
    splits = None
    if divided:
        kind += f", divided into {' and '.join(divided)}"
        splits = np.repeat(list(found), [len(part.names) for part in found.values()])
    if passed:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in passed.most_common(6))
        notes.append(f"passed over: {reasons}")
    return Dataset(str(folder), kind, images, labels, class_names, splits, notes=tuple(notes))


def _unwrapped(folder: Path) -> Path:
    """Return the folder that holds the classes: unpacked archives often wrap it in folders of their own."""
    while True:
        folders, images = _entries(folder, Counter())
        if len(folders) != 1 or images or split_of(folders[0].name):
            return folder
        inner_folders, inner_images = _entries(folders[0], Counter())
        if inner_images or not (inner_folders or _has_idx(folders[0])):
            return folder
        folder = folders[0]


def _has_idx(folder: Path) -> bool:
    return any(IDX_NAME.fullmatch(entry.name) for entry in folder.iterdir())


def _split_folders(root: Path, passed: Counter[str]) -> dict[str, Path]:
    """Return the train, val and test folders inside `root`, if its images are divided so."""
    folders, _ = _entries(root, Counter())
    divided: dict[str, Path] = {}
    for folder in folders:
        split = split_of(folder.name)
        if split in divided:
            raise DataError(
                f"{root}: each split must be one folder; both {divided[split].name} and {folder.name} mean {split}."
            )
        if split is not None:
            divided[split] = folder
    if "train" not in divided and len(divided) < len(
        folders
    ):  # a class may happen to be called "test"
        return {}
    for folder in folders if divided else []:
        if folder not in divided.values():
            passed[f"folder {folder.name}"] += 1
    return {split: divided[split] for split in SPLITS if split in divided}


def _labelled(
    folder: Path, pattern: re.Pattern[str] | None, passed: Counter[str], notes: list[str]
) -> _Labelled:
    """Return the images of a folder, labelled by the folders inside or by their file names."""
    folders, loose = _entries(folder, passed)
    if pattern is not None:
        return _by_file_name(
            folder, [*loose, *(p for f in folders for p in _images(f, passed))], pattern, notes
        )
    classes = {inner: list(_images(inner, passed)) for inner in folders}
    classes = {inner: images for inner, images in classes.items() if images}
    if not classes:
        return _by_file_name(folder, loose, re.compile(FILE_NAME), notes)
    empty = [inner.name for inner in folders if inner not in classes]
    if empty:
        notes.append(f"{folder.name}: no images in {', '.join(empty[:3])}{_dots(empty)}")
    if loose:
        notes.append(
            f"{folder.name}: {_count(loose, 'image')} beside the class folders passed over"
        )
    nested = [
        inner.name
        for inner, inside in classes.items()
        if any(image.parent != inner for image in inside)
    ]
    if nested:
        notes.append(
            f"{folder.name}: folders inside {', '.join(nested[:3])}{_dots(nested)} count as that class"
        )
    images = [image for inside in classes.values() for image in inside]
    names = [
        unicodedata.normalize("NFC", inner.name)
        for inner, inside in classes.items()
        for _ in inside
    ]
    return _Labelled(images, names, "a folder per class")


def _by_file_name(
    folder: Path, images: list[Path], pattern: re.Pattern[str], notes: list[str]
) -> _Labelled:
    if not images:
        raise DataError(
            f"{folder}: a data source must hold images; {_seen(folder)}. It can be {LAYOUTS}."
        )
    matches = [(image, pattern.search(image.name)) for image in images]
    labelled = [(image, match["label"]) for image, match in matches if match and match["label"]]
    others = [image.name for image, match in matches if not match or not match["label"]]
    if not labelled:
        rule = (
            "label.number" if pattern.pattern == FILE_NAME else f"the pattern {pattern.pattern!r}"
        )
        raise DataError(
            f"{folder}: images must have labels; found no class folders, and {len(images):,} file names "
            f"that do not follow {rule}, such as {others[0]!r}. A data source is {LAYOUTS}."
        )
    if others:
        notes.append(
            f"{_count(others, 'file name')} without a label passed over: {', '.join(others[:3])}{_dots(others)}"
        )
    names = [unicodedata.normalize("NFC", name) for _, name in labelled]
    return _Labelled([image for image, _ in labelled], names, BY_FILE_NAME)


def _seen(folder: Path) -> str:
    """Return what a folder without images holds, in words."""
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return "this folder is empty"
    tables = [name for name in names if Path(name).suffix.lower() in (".csv", ".tsv", ".npz")]
    hint = f"; to use {tables[0]}, name that file" if tables else ""
    return f"found {len(names):,} entries and no image ({', '.join(names[:3])}{_dots(names)}){hint}"


def _count(things: Sequence[object], what: str) -> str:
    return f"{len(things):,} {what}{'' if len(things) == 1 else 's'}"


def _dots(names: list[str]) -> str:
    """Return the mark that only three of the names were printed."""
    return " ..." if len(names) > 3 else ""


def _entries(folder: Path, passed: Counter[str]) -> tuple[list[Path], list[Path]]:
    """Return (folders, images) directly inside, in natural order; anything else is counted in `passed`."""
    folders, images = [], []
    with os.scandir(folder) as entries:  # knows folders without asking the disk for each entry
        found = sorted(
            ((entry.name, entry.is_dir()) for entry in entries),
            key=lambda entry: natural_key(entry[0]),
        )
    for name, is_folder in found:
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ten times as fast as Path for 100,000 names
        if name.startswith(".") or name in SYSTEM_NAMES:
            passed["hidden or of the system"] += 1
        elif is_folder:
            folders.append(folder / name)
        elif suffix in IMAGE_SUFFIXES:
            images.append(folder / name)
        else:
            passed[suffix or "without an ending"] += 1
    return folders, images


def _images(folder: Path, passed: Counter[str]) -> Iterator[Path]:
    """Yield the images in a folder and the folders inside it; a folder linked into itself is entered once."""
    entered: set[str] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop(0)
        if (real := os.path.realpath(here)) not in entered:
            entered.add(real)
            folders, images = _entries(here, passed)
            waiting += folders
            yield from images


def _absent(dataset: Dataset) -> list[str]:
    """Return a note for each of val and test that lacks classes."""
    notes = []
    for split in ("val", "test"):
        if dataset.splits is not None and split in dataset.splits:
            lacking = [
                name
                for name, n in zip(dataset.class_names, dataset.counts(split), strict=True)
                if n == 0
            ]
            if lacking:
                notes.append(f"{split} has no images of {', '.join(lacking[:3])}{_dots(lacking)}")
    return notes
