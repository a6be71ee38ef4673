"""Layout: tell whether the folders inside a folder are classes, or splits with classes inside."""

import re
from itertools import combinations, islice
from pathlib import Path

from convlens.data.dataset import SPLITS, note_if, refuse_if, split_of
from convlens.data.formats.idx import idx_files
from convlens.data.walk import NO_SUFFIX, entries, holds_images, walk
from convlens.errors import DataError
from convlens.files import and_more
from convlens.language import N_, _, all_of

# 0.46.jpg, cat.4001.jpg, cat_12.png, cat-12.png, cat (12).jpg
FILE_NAME = re.compile(r"^(?P<label>.+?)[ ._-]+\(?\d+\)?(\.[^.]+)?$")

# Folders that data sets have beside "train" and that are no classes.
ASIDE = re.compile(
    r"(un|non)[-_ ]?label+ed|extra|samples?|hold[-_ ]?out|pred(iction)?s?|(train|test|val)[-_ ]?\d+"
)

TAKEN_AS_CLASSES = {  # by whether it is one folder
    True: N_(
        "{names}: taken as a class, not as a split, because there are other folders beside it; "
        "--layout splits takes it as a split"
    ),
    False: N_(
        "{names}: taken as classes, not as splits, because there are other folders beside them; "
        "--layout splits takes them as splits"
    ),
}
# Files of images that cannot be read. A folder of nothing else is a class that would be lost.
# fmt: off
NOT_READ = (
    ".heic", ".heif", ".hif", ".jxl", ".svg", ".eps", ".exr", ".hdr", ".xcf", ".dcm", ".fits",
    ".npy", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw",
    NO_SUFFIX,
)
# fmt: on


def unwrapped(folder: Path, layout: str) -> Path:
    """Return the folder that holds the classes; unpacked archives often add folders around it."""
    while not idx_files(folder):
        here = entries(folder)
        inside = here.folders
        if len(inside) > 1:
            # Annotations and the like lie beside the images.
            classes = (inner for inner in inside if holds_images(inner) or _is_unread(inner))
            inside = list(islice(classes, 2))
        if len(inside) != 1 or here.images:
            break
        if layout != "classes" and split_of(inside[0].name):
            break
        within = entries(inside[0])
        if within.images or not (within.folders or idx_files(inside[0])):
            break
        folder = inside[0]
    return folder


def _is_unread(folder: Path) -> bool:
    """Return whether a folder has images, but only of kinds that cannot be read."""
    kinds = walk(folder).ignored.keys() - {NO_SUFFIX}
    return not holds_images(folder) and not kinds.isdisjoint(NOT_READ)


def find_splits(root: Path, layout: str) -> tuple[dict[str, Path], list[str]]:
    """Return the train, val and test folders inside a folder, and notes for the user.

    There are none if the images are not split. A folder may be called "train" because its images
    train, or because it is a class, of trains. With the layout "auto" it is a class if folders
    beside it would otherwise be lost, unless what is inside it shows that it is a split.

    Args:
        root: The folder.
        layout: "classes", "splits" or "auto".

    Raises:
        DataError: If two folders mean the same split, or if both readings lose images.
    """
    inside_root = entries(root).folders
    folders = [folder for folder in inside_root if holds_images(folder)]
    named = {folder: split for folder in folders if (split := split_of(folder.name)) is not None}
    if layout == "classes":
        return {}, []
    if not named:
        return {}, _alike(folders)
    others = [folder for folder in folders if folder not in named]
    if all(entries(folder).images for folder in named):
        # Beside images without folders, a folder of unread images is a class that would be lost.
        others += [folder for folder in inside_root if folder not in folders and _is_unread(folder)]
    classes = others
    if "train" in named.values():
        classes = [folder for folder in others if not ASIDE.fullmatch(folder.name.casefold())]
    if layout == "auto" and classes:
        inside = {folder: class_names_in(folder) for folder in named}
        if not _are_splits(named, inside):
            _refuse_doubt(root, named, inside, classes)
            return {}, _taken_as_classes(list(named))
    found: dict[str, Path] = {}
    for folder, split in named.items():
        if split in found:
            raise DataError(
                _(
                    "{root}: each split must be one folder; both {first} and {second} mean "
                    "{split}. Rename one of them, or take every folder as a class with --layout "
                    "classes."
                ).format(root=root, first=found[split].name, second=folder.name, split=split)
            )
        found[split] = folder
    notes = note_if(
        others,
        _(
            "{others}: left out, because the images are taken as split into {splits}; --layout "
            "classes takes every folder as a class"
        ),
        others=and_more([folder.name for folder in others]),
        splits=all_of(folder.name for folder in named),
    )
    return {split: _part(found[split]) for split in SPLITS if split in found}, notes


def class_names_in(folder: Path) -> set[str]:
    """Return the names of the class folders in a folder, or else the labels in its file names."""
    here = entries(folder)
    names = {inner.name for inner in here.folders if holds_images(inner)}
    if names:
        return names
    matches = (FILE_NAME.match(image.name) for image in here.images)
    return {match["label"] for match in matches if match}


def _are_splits(named: dict[Path, str], inside: dict[Path, set[str]]) -> bool:
    """Return whether several folders have the names of splits, and the same classes inside."""
    if len(set(named.values())) < len(named):
        return False
    train = next((folder for folder, split in named.items() if split == "train"), None)
    is_divided = train is not None and len(inside[train]) > 1 and not entries(train).images
    shared = (len(one & other) > 1 for one, other in combinations(inside.values(), 2))
    return (is_divided and len(named) > 1) or any(shared)


def _refuse_doubt(
    root: Path, named: dict[Path, str], inside: dict[Path, set[str]], classes: list[Path]
) -> None:
    """Raise DataError if a folder may be a split, and as a class would hold several classes."""
    beside = {folder.name for folder in classes}
    beside = beside.union(*(class_names_in(folder) for folder in classes))
    for folder, split in named.items():
        is_divided = not entries(folder).images
        refuse_if(
            is_divided
            and ((split == "train" and len(inside[folder]) > 1) or inside[folder] & beside),
            _(
                "{root}: {name} can be a split with the classes {inside}, or a class beside "
                "{classes}. Say which: --layout splits, or --layout classes."
            ),
            root=root,
            name=folder.name,
            inside=and_more(sorted(inside[folder]), 3),
            classes=and_more([other.name for other in classes], 3),
        )


def _taken_as_classes(named: list[Path]) -> list[str]:
    names = and_more([folder.name for folder in named])
    return [_(TAKEN_AS_CLASSES[len(named) == 1]).format(names=names)]


def _alike(folders: list[Path]) -> list[str]:
    """Return a note if the folders hold folders of the same names, as splits do."""
    if len(folders) > 10:
        return []
    inside = {
        folder: {inner.name for inner in entries(folder).folders if holds_images(inner)}
        for folder in folders
    }
    for one, other in combinations(folders, 2):
        shared = sorted(inside[one] & inside[other])
        if len(shared) > 1:
            return [
                _(
                    "{one} and {other} hold folders of the same names ({shared}); if those are the "
                    "classes, call {one} and {other} train and test, or name one of them"
                ).format(one=one.name, other=other.name, shared=and_more(shared, 3))
            ]
    return []


def _part(folder: Path) -> Path:
    """Return the folder with the classes of a split, which may lie deeper, as train/train."""
    here = entries(folder)
    inside = [inner for inner in here.folders if holds_images(inner)]
    is_wrapper = len(inside) == 1 and (
        split_of(inside[0].name) == split_of(folder.name)
        or inside[0].name.casefold() in ("images", "data")
    )
    return inside[0] if is_wrapper and not here.images else folder
