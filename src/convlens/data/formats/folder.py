"""Folder: image files that are labelled by the folders around them or by their file names."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from convlens.data.dataset import SPLITS, Dataset, note_if, split_of
from convlens.data.formats.idx import IDX_NAME, load_idx
from convlens.data.formats.named import NAMES
from convlens.data.labels import encode_labels, natural_key
from convlens.errors import DataError
from convlens.files import and_more
from convlens.preprocess import IMAGE_SUFFIXES

# 0.46.jpg, cat.4001.jpg, cat_12.png, cat-12.png, cat (12).jpg
FILE_NAME = r"^(?P<label>.+?)[ ._-]+\(?\d+\)?\.[^.]+$"
BY_FILE_NAME = "labels in the file names"
SYSTEM_NAMES = ("__MACOSX", "Thumbs.db", "desktop.ini")
LAYOUTS = (
    "a folder per class (also inside train, val, test), files named as cat.12.jpg (or --pattern), "
    f"a CSV (path,label), an .npz (x_train, y_train), a folder of IDX files, or a name "
    f"({', '.join(NAMES)})"
)


def load_folder(folder: Path, pattern: re.Pattern[str] | None) -> Dataset:
    """Return the images of a folder.

    Args:
        folder: The folder, or a folder that contains nothing but that folder.
        pattern: A regular expression with a group `label` that is searched in the file names. None
            takes the names of the class folders; without such folders, FILE_NAME is used.

    Raises:
        DataError: If there are no images or no labels, or if two folders mean the same split.
    """
    root = _unwrapped(folder)
    if _has_idx(root):
        return load_idx(root)
    ignored: Counter[str] = Counter()
    notes = note_if(
        root != folder, "the images are in its folder {name}", name=root.relative_to(folder)
    )
    split_folders = _split_folders(root, ignored) or {"": root}
    labelled = {
        split: _labelled(part, pattern, ignored, notes) for split, part in split_folders.items()
    }
    kind, _ = next(iter(labelled.values()))
    found = {split: names for split, (_, names) in labelled.items()}
    all_names = np.array([name for names in found.values() for name in names.values()])
    labels, class_names = encode_labels([all_names], None, str(folder))
    splits = None
    if "" not in found:
        kind = "{kind}, split into {splits}".format(kind=kind, splits=" and ".join(found))
        splits = np.repeat(list(found), [len(names) for names in found.values()])
    counts = [f"{count:,} {reason}" for reason, count in ignored.most_common(6)]
    notes += note_if(counts, "ignored: {counts}", counts=", ".join(counts))
    return Dataset(
        source=str(folder),
        kind=kind,
        images=[image for names in found.values() for image in names],
        labels=labels,
        class_names=class_names,
        splits=splits,
        notes=tuple(notes),
    )


def _unwrapped(folder: Path) -> Path:
    """Return the folder that holds the classes; unpacked archives often add folders around it."""
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


def _split_folders(root: Path, ignored: Counter[str]) -> dict[str, Path]:
    """Return the train, val and test folders inside `root`, or none if its images are not split."""
    folders, _ = _entries(root, Counter())
    found: dict[str, Path] = {}
    for folder in folders:
        split = split_of(folder.name)
        if split in found:
            raise DataError(
                "{root}: each split must be one folder; both {first} and {second} mean "
                "{split}.".format(
                    root=root, first=found[split].name, second=folder.name, split=split
                )
            )
        if split is not None:
            found[split] = folder
    if not found or ("train" not in found and len(found) < len(folders)):
        # Without a folder to train on, "test" beside other folders is the name of a class.
        return {}
    ignored.update(f"folder {folder.name}" for folder in folders if folder not in found.values())
    return {split: found[split] for split in SPLITS if split in found}


def _labelled(
    folder: Path, pattern: re.Pattern[str] | None, ignored: Counter[str], notes: list[str]
) -> tuple[str, dict[Path, str]]:
    """Return how the images of a folder are labelled, and the name of the class of each image."""
    folders, loose = _entries(folder, ignored)
    if pattern is not None:
        nested = [image for inner in folders for image in _images(inner, ignored)]
        return _by_file_name(folder, [*loose, *nested], pattern, notes)
    classes = {inner: list(_images(inner, ignored)) for inner in folders}
    empty = [inner.name for inner, images in classes.items() if not images]
    classes = {inner: images for inner, images in classes.items() if images}
    if not classes:
        return _by_file_name(folder, loose, re.compile(FILE_NAME), notes)
    deep = [
        inner.name
        for inner, images in classes.items()
        if any(image.parent != inner for image in images)
    ]
    notes += [
        *note_if(
            empty, "{folder}: no images in {empty}", folder=folder.name, empty=and_more(empty, 3)
        ),
        *note_if(
            loose,
            "{folder}: images beside the class folders were ignored ({number:,})",
            folder=folder.name,
            number=len(loose),
        ),
        *note_if(
            deep,
            "{folder}: folders inside {classes} count as that class",
            folder=folder.name,
            classes=and_more(deep, 3),
        ),
    ]
    names = {image: inner.name for inner, images in classes.items() for image in images}
    return "a folder per class", _composed(names)


def _by_file_name(
    folder: Path, images: list[Path], pattern: re.Pattern[str], notes: list[str]
) -> tuple[str, dict[Path, str]]:
    """Return how the images are labelled, and the label in the file name of each that has one."""
    if not images:
        raise DataError(
            "{folder}: a data source must hold images; {found}. It can be {layouts}.".format(
                folder=folder, found=_content(folder), layouts=LAYOUTS
            )
        )
    matches = {image: pattern.search(image.name) for image in images}
    names = {image: match["label"] for image, match in matches.items() if match and match["label"]}
    others = [image.name for image in images if image not in names]
    if not names:
        raise DataError(
            "{folder}: images must have labels; found no class folders, and {number:,} file names "
            "that do not match {rule}, such as {name!r}. A data source is {layouts}.".format(
                folder=folder,
                number=len(images),
                rule="label.number" if pattern.pattern == FILE_NAME else repr(pattern.pattern),
                name=others[0],
                layouts=LAYOUTS,
            )
        )
    notes += note_if(
        others,
        "file names without a label were ignored ({number:,}): {names}",
        number=len(others),
        names=and_more(others, 3),
    )
    return BY_FILE_NAME, _composed(names)


def _composed(names: dict[Path, str]) -> dict[Path, str]:
    """Return the names in Unicode's composed form; macOS writes file names decomposed."""
    return {image: unicodedata.normalize("NFC", name) for image, name in names.items()}


def _content(folder: Path) -> str:
    """Return what a folder without images contains, in words."""
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return "this folder is empty"
    found = "found {number:,} entries and no image ({names})".format(
        number=len(names), names=and_more(names, 3)
    )
    for name in names:
        if name.lower().endswith((".csv", ".tsv", ".npz")):
            return "{found}; to use {table}, name that file".format(found=found, table=name)
    return found


def _entries(folder: Path, ignored: Counter[str]) -> tuple[list[Path], list[Path]]:
    """Return the (folders, images) directly inside a folder in natural order; count the others."""
    folders = []
    images = []
    # scandir tells folders from files without asking the disk for each entry.
    with os.scandir(folder) as entries:
        kinds = {entry.name: entry.is_dir() for entry in entries}
    for name in sorted(kinds, key=natural_key):
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ten times as fast as Path
        if name.startswith(".") or name in SYSTEM_NAMES:
            ignored["hidden or of the system"] += 1
        elif kinds[name]:
            folders.append(folder / name)
        elif suffix in IMAGE_SUFFIXES:
            images.append(folder / name)
        else:
            ignored[suffix or "without a suffix"] += 1
    return folders, images


def _images(folder: Path, ignored: Counter[str]) -> Iterator[Path]:
    """Yield the images in a folder and in the folders inside it.

    A folder that is linked into itself is entered once.
    """
    entered: set[str] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop(0)
        real = os.path.realpath(here)
        if real not in entered:
            entered.add(real)
            folders, images = _entries(here, ignored)
            waiting += folders
            yield from images
