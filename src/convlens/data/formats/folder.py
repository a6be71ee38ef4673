"""Folder: image files that are labelled by the folders around them or by their file names."""

import re
import shlex
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from convlens.data.dataset import Dataset, note_if
from convlens.data.formats.idx import idx_files, load_idx
from convlens.data.formats.layout import FILE_NAME, NOT_READ, find_splits, unwrapped
from convlens.data.formats.named import NAMES
from convlens.data.labels import encode_labels
from convlens.data.walk import OF_RUNS, SYSTEM, counted, entries, walk
from convlens.errors import DataError
from convlens.files import and_more
from convlens.image_file import CONVERT
from convlens.language import N_, Message, _, all_of, listed, ngettext, one_of, sentences

BY_FILE_NAME = "file"
BY_FOLDER = "folder"
KINDS = {BY_FILE_NAME: N_("labels in the file names"), BY_FOLDER: N_("a folder per class")}
NO_IMAGES = N_("{folder}: no images in {empty}")
LOST = N_("Classes are missing, as none of their files can be read: {lost}. {advice}")
LEFT_OUT = {  # by whether its images have labels that are no classes
    True: N_(
        "{folder}: left out, because {others} is no class of the training images; "
        "`convlens predict RUN {path}` predicts them"
    ),
    False: N_(
        "{folder}: left out, because its images have no labels; "
        "`convlens predict RUN {path}` predicts them"
    ),
}


def a_data_source_is() -> str:
    """Return a sentence that says what a data source can be."""
    return _(
        "A data source is a folder per class (also inside train, val, test), files named as "
        "cat.12.jpg (or --pattern), a CSV (path,label), an .npz (x_train, y_train), a folder of "
        "IDX files, or a name ({names})."
    ).format(names=listed(NAMES))


def says_lost(note: str) -> bool:
    """Return whether a note says that classes are missing because their files cannot be read."""
    return isinstance(note, Message) and note.template == LOST


@dataclass(frozen=True)
class Labelled:
    """The images of a folder with their labels.

    Attributes:
        by: BY_FILE_NAME or BY_FOLDER, from where the labels come.
        names: The name of the class of each image.
        ignored: The number of other files by what they are.
        problem: Why no image has a label, or nothing.
        lost: The number of files by what they are, for each folder without an image that can be
            read.
        notes: Remarks for the user.
    """

    by: str
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
        root != folder, _("the images are in its folder {name}"), name=root.relative_to(folder)
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
    if problem:
        hint = _("If these folders are classes, say so with --layout classes.")
        raise DataError(sentences(problem, hint if split_folders else ""))
    for part in found:
        notes += part.notes
    all_names = np.array([name for part in found for name in part.names.values()])
    labels, class_names = encode_labels([all_names], None, str(folder))
    kind = _(KINDS[found[0].by])
    splits = None
    if split_folders:
        kind = _("{kind}, split into {splits}").format(kind=kind, splits=all_of(labelled))
        splits = np.repeat(list(labelled), [len(part.names) for part in found])
    notes += note_if(ignored, _("ignored: {counts}"), counts=counted(ignored))
    return Dataset(
        source=str(folder),
        kind=kind,
        images=[image for part in found for image in part.names],
        labels=labels,
        class_names=class_names,
        splits=splits,
        notes=(*_losses(labelled, ignored), *notes),
        labelled_by=found[0].by,
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
    notes: list[str] = []
    for split in [split for split in labelled if split != "train"]:
        part = labelled[split]
        others = sorted({name for name in part.names.values() if name.casefold() not in known})
        is_single = len(set(part.names.values())) == 1
        if part.problem or (others and (is_single or part.by == BY_FILE_NAME != train.by)):
            del labelled[split]
            notes.append(
                _(LEFT_OUT[bool(others)]).format(
                    folder=split_folders[split].name,
                    others=and_more(others, 3),
                    path=shlex.quote(str(split_folders[split])),
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
        *note_if(empty, _(NO_IMAGES), folder=folder.name, empty=and_more(empty, 3)),
        *note_if(
            here.images,
            _("{folder}: images beside the class folders were ignored ({number:,})"),
            folder=folder.name,
            number=len(here.images),
        ),
        *note_if(
            deep,
            _("{folder}: folders inside {classes} count as that class"),
            folder=folder.name,
            classes=and_more(deep, 3),
        ),
    ]
    names = {image: inner.name for inner, images in classes.items() for image in images}
    return Labelled(BY_FOLDER, _composed(names), ignored, lost=lost, notes=notes)


def _by_file_name(folder: Path, images: list[Path], pattern: re.Pattern[str]) -> Labelled:
    """Return the images whose file names have a label."""
    if not images:
        return Labelled(BY_FILE_NAME, problem=_without_images(folder))
    matches = {image: pattern.search(image.name) for image in images}
    names = {image: match["label"] for image, match in matches.items() if match and match["label"]}
    others = [image.name for image in images if image not in names]
    if not names:
        message = _(
            "{folder}: images must have labels; found no class folders, and {number:,} file names "
            "that do not match {rule}, such as {name!r}."
        )
        problem = message.format(
            folder=folder,
            number=len(images),
            rule=_("label.number") if pattern is FILE_NAME else repr(pattern.pattern),
            name=others[0],
        )
        tables = _tables_in(folder, folder.absolute().parent)
        return Labelled(BY_FILE_NAME, problem=sentences(problem, tables, a_data_source_is()))
    notes = note_if(
        others,
        _("file names without a label were ignored ({number:,}): {names}"),
        number=len(others),
        names=and_more(others, 3),
    )
    return Labelled(BY_FILE_NAME, _composed(names), notes=notes)


def _losses(labelled: dict[str, Labelled], ignored: Counter[str]) -> list[str]:
    """Return notes on classes that are missing and on images that are of a kind not read."""
    lost = [
        _("{name} ({files})").format(name=name, files=counted(files))
        for part in labelled.values()
        for name, files in part.lost.items()
    ]
    # The last kind is that of files without a suffix, such as LICENSE, which are no images.
    unread = Counter({kind: ignored[kind] for kind in NOT_READ[:-1] if ignored[kind]})
    return [
        *note_if(
            lost,
            _(LOST),
            lost=and_more(lost, 3),
            advice=_(CONVERT),
        ),
        *note_if(
            unread and not lost,
            _("images of kinds that cannot be read were left out: {unread}. {advice}"),
            unread=counted(unread),
            advice=_(CONVERT),
        ),
    ]


def _composed(names: dict[Path, str]) -> dict[Path, str]:
    """Return the names in Unicode's composed form; macOS writes file names decomposed."""
    return {image: unicodedata.normalize("NFC", name) for image, name in names.items()}


def _without_images(folder: Path) -> str:
    """Return what is wrong with a folder without images, and what to do."""
    inside = walk(folder).ignored
    if inside[OF_RUNS] and inside.keys() <= {OF_RUNS, SYSTEM}:
        message = _(
            "{folder}: a data source must hold labelled images; this folder holds runs, and no "
            "images besides. Name the folder of the images."
        )
        return str(message.format(folder=folder))
    names = sorted(entry.name for entry in folder.iterdir())
    message = ngettext(
        "{folder}: a data source must hold images; found {number:,} entry, which is no image: "
        "{names}.",
        "{folder}: a data source must hold images; found {number:,} entries and no image "
        "({names}).",
        len(names),
    )
    if not names:
        message = _("{folder}: a data source must hold images; this folder is empty.")
    cannot_be_read = not inside.keys().isdisjoint(NOT_READ[:-1])
    return sentences(
        message.format(folder=folder, number=len(names), names=and_more(names, 3)),
        _(CONVERT) if cannot_be_read else "",
        _tables_in(folder),
        a_data_source_is(),
    )


def _tables_in(*folders: Path) -> str:
    """Return the advice to name a table that lies in the folders, or nothing."""
    names = sorted(entry.name for folder in folders for entry in folder.iterdir())
    tables = [name for name in names if name.lower().endswith((".csv", ".tsv", ".npz"))]
    advice = _("To use {tables}, name that file.")
    return advice.format(tables=one_of(tables[:3])) if tables else ""
