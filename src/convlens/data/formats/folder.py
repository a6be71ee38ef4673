"""Folder: image files that are labelled by the folders around them or by their file names."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from convlens.data.dataset import Dataset, note_if, refuse_if
from convlens.data.formats.idx import idx_files, load_idx
from convlens.data.formats.layout import FILE_NAME, NOT_READ, find_splits, unwrapped
from convlens.data.formats.named import NAMES
from convlens.data.labels import encode_labels
from convlens.data.walk import entries, walk
from convlens.files import and_more
from convlens.image_file import CONVERT

BY_FILE_NAME = "labels in the file names"
MISSING = "CLASSES ARE MISSING"
LAYOUTS = (
    "a folder per class (also inside train, val, test), files named as cat.12.jpg (or --pattern), "
    f"a CSV (path,label), an .npz (x_train, y_train), a folder of IDX files, or a name "
    f"({', '.join(NAMES)})"
)
LEFT_OUT = {  # by whether its images have labels that are no classes
    True: "{folder}: left out, because {others} is no class of the training images; "
    "`convlens predict RUN {path}` predicts them",
    False: "{folder}: left out, because its images have no labels; "
    "`convlens predict RUN {path}` predicts them",
}
NO_LABELS = (
    "{folder}: images must have labels; found no class folders, and {number:,} file names that do "
    "not match {rule}, such as {name!r}{table}. A data source is {layouts}."
)


@dataclass(frozen=True)
class Labelled:
    """The images of a folder with their labels.

    Attributes:
        kind: How the images are labelled, in words.
        names: The name of the class of each image.
        ignored: The number of other files by what they are.
        problem: Why no image has a label, or nothing.
        lost: The number of files by what they are, for each folder without an image that can be
            read.
        notes: Remarks for the user.
    """

    kind: str
    names: dict[Path, str] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    lost: dict[str, Counter[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def load_folder(folder: Path, pattern: re.Pattern[str] | None, layout: str = "auto") -> Dataset:
    """Return the images of a folder.

    Args:
        folder: The folder, or a folder that contains nothing but that folder.
        pattern: A regular expression with a group `label` that is searched in the file names. None
            takes the names of the class folders; without such folders, FILE_NAME is used.
        layout: Whether folders with names such as "train" are "classes" or "splits". "auto" takes
            them as splits, unless images of folders beside them would be lost.

    Raises:
        DataError: If there are no images or no labels, if two folders mean the same split, or if
            "auto" cannot tell what a folder is.
    """
    root = unwrapped(folder, layout)
    if idx_files(root):
        return load_idx(root)
    split_folders, notes = find_splits(root, layout)
    notes += note_if(
        root != folder, "the images are in its folder {name}", name=root.relative_to(folder)
    )
    labelled = {
        split: _labelled(part, pattern) for split, part in (split_folders or {"": root}).items()
    }
    ignored = sum((part.ignored for part in labelled.values()), Counter())
    if split_folders:
        ignored += entries(root).ignored
    notes += _leave_unlabelled_out(labelled, split_folders)
    found = list(labelled.values())
    problem = next((part.problem for part in found if part.problem), "")
    hint = " If these folders are classes, say so with --layout classes." if split_folders else ""
    refuse_if(problem, "{problem}{hint}", problem=problem, hint=hint)
    for part in found:
        notes += part.notes
    all_names = np.array([name for part in found for name in part.names.values()])
    labels, class_names = encode_labels([all_names], None, str(folder))
    kind = found[0].kind
    splits = None
    if split_folders:
        kind = "{kind}, split into {splits}".format(kind=kind, splits=" and ".join(labelled))
        splits = np.repeat(list(labelled), [len(part.names) for part in found])
    notes += note_if(ignored, "ignored: {counts}", counts=_counted(ignored))
    return Dataset(
        source=str(folder),
        kind=kind,
        images=[image for part in found for image in part.names],
        labels=labels,
        class_names=class_names,
        splits=splits,
        notes=(*_losses(labelled, ignored), *notes),
    )


def _leave_unlabelled_out(
    labelled: dict[str, Labelled], split_folders: dict[str, Path]
) -> list[str]:
    """Remove the val and test folders without labels, as competitions have them; return notes.

    A label in a file name, such as that of image_1.png, and the name of a single folder, such as
    "unknown", count only if the training images have this class.
    """
    train = labelled.get("train")
    if train is None or train.problem:
        return []
    known = {name.casefold() for name in train.names.values()}
    notes = []
    for split in [split for split in labelled if split != "train"]:
        part = labelled[split]
        others = sorted({name for name in part.names.values() if name.casefold() not in known})
        is_single = len(set(part.names.values())) == 1
        if part.problem or (others and (is_single or part.kind == BY_FILE_NAME != train.kind)):
            del labelled[split]
            notes.append(
                LEFT_OUT[bool(others)].format(
                    folder=split_folders[split].name,
                    others=and_more(others, 3),
                    path=split_folders[split],
                )
            )
    return notes


def _labelled(folder: Path, pattern: re.Pattern[str] | None) -> Labelled:
    """Return the images of a folder, labelled by their file names or by the folders inside."""
    here = entries(folder)
    inside = {inner: walk(inner) for inner in here.folders}
    ignored = sum((found.ignored for found in inside.values()), here.ignored)
    nested = [image for found in inside.values() for image in found.images]
    lost = {
        inner.name: found.ignored
        for inner, found in inside.items()
        if not found.images and not found.ignored.keys().isdisjoint(NOT_READ)
    }
    if pattern is not None or not nested:
        labelled = _by_file_name(folder, [*here.images, *nested], pattern or FILE_NAME)
        return replace(labelled, ignored=ignored, lost=lost)
    classes = {inner: found.images for inner, found in inside.items() if found.images}
    empty = [inner.name for inner in inside if inner not in classes and inner.name not in lost]
    deep = [
        inner.name
        for inner, images in classes.items()
        if any(image.parent != inner for image in images)
    ]
    notes = [
        *note_if(
            empty, "{folder}: no images in {empty}", folder=folder.name, empty=and_more(empty, 3)
        ),
        *note_if(
            here.images,
            "{folder}: images beside the class folders were ignored ({number:,})",
            folder=folder.name,
            number=len(here.images),
        ),
        *note_if(
            deep,
            "{folder}: folders inside {classes} count as that class",
            folder=folder.name,
            classes=and_more(deep, 3),
        ),
    ]
    names = {image: inner.name for inner, images in classes.items() for image in images}
    return Labelled("a folder per class", _composed(names), ignored, lost=lost, notes=notes)


def _by_file_name(folder: Path, images: list[Path], pattern: re.Pattern[str]) -> Labelled:
    """Return the images whose file names have a label."""
    if not images:
        problem = "{folder}: a data source must hold images; {found}. It can be {layouts}.".format(
            folder=folder, found=_content(folder), layouts=LAYOUTS
        )
        return Labelled(BY_FILE_NAME, problem=problem)
    matches = {image: pattern.search(image.name) for image in images}
    names = {image: match["label"] for image, match in matches.items() if match and match["label"]}
    others = [image.name for image in images if image not in names]
    if not names:
        problem = NO_LABELS.format(
            folder=folder,
            number=len(images),
            rule="label.number" if pattern is FILE_NAME else repr(pattern.pattern),
            name=others[0],
            table=_tables_in(folder, folder.absolute().parent),
            layouts=LAYOUTS,
        )
        return Labelled(BY_FILE_NAME, problem=problem)
    notes = note_if(
        others,
        "file names without a label were ignored ({number:,}): {names}",
        number=len(others),
        names=and_more(others, 3),
    )
    return Labelled(BY_FILE_NAME, _composed(names), notes=notes)


def _losses(labelled: dict[str, Labelled], ignored: Counter[str]) -> list[str]:
    """Return notes on classes that are missing and on images that are of a kind not read."""
    lost = [
        "{name} ({files})".format(name=name, files=_counted(files))
        for part in labelled.values()
        for name, files in part.lost.items()
    ]
    unread = Counter({kind: ignored[kind] for kind in NOT_READ if ignored[kind]})
    return [
        *note_if(
            lost,
            MISSING + ", as none of their files can be read: {lost}. {advice}",
            lost=and_more(lost, 3),
            advice=CONVERT,
        ),
        *note_if(
            unread and not lost,
            "images of kinds that cannot be read were left out: {unread}. {advice}",
            unread=_counted(unread),
            advice=CONVERT,
        ),
    ]


def _counted(files: Counter[str]) -> str:
    """Return how many files there are of each kind, in words."""
    return ", ".join(f"{count:,} {kind}" for kind, count in files.most_common(6))


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
    if not walk(folder).ignored.keys().isdisjoint(NOT_READ[:-1]):
        found = "{found}; {advice}".format(found=found, advice=CONVERT.rstrip("."))
    return found + _tables_in(folder)


def _tables_in(*folders: Path) -> str:
    """Return the advice to name a table that lies in the folders, or nothing."""
    names = sorted(entry.name for folder in folders for entry in folder.iterdir())
    tables = [name for name in names if name.lower().endswith((".csv", ".tsv", ".npz"))]
    return "".join(note_if(tables, "; to use {t}, name that file", t=" or ".join(tables[:3])))
