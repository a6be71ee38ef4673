"""Joining: move the images of an import into the classes of a workspace."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlens.data.walk import walk
from convlens.errors import ImageError
from convlens.files import numbered, storage_errors
from convlens.folders import make_folder, sync_folder
from convlens.language import _, ngettext
from convlens.reasons import system_reason
from convlens.studio.content import MOST_IMAGES, checked_name, holds
from convlens.studio.history import Step
from convlens.studio.import_content import notes_of, understood
from convlens.studio.imports import Imports, Waiting
from convlens.studio.names import class_name
from convlens.studio.problem import TOO_LARGE, Problem
from convlens.studio.workspace import Workspace

MOST_REFUSED = 100  # that are named


@dataclass
class Joined:
    """What became of the images of an import.

    Attributes:
        added: The number of images that were added.
        already: The number of those that were there already.
        refused: Names and reasons of those that cannot be read.
        notes: Remarks on the import.
    """

    added: int = 0
    already: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return vars(self) | {"refused": self.refused[:MOST_REFUSED]}


def finish_import(
    workspace: Workspace, imports: Imports, name: str, choice: Mapping[str, object]
) -> Joined:
    """Add the images of an import to a workspace, as one step.

    Args:
        workspace: The workspace.
        imports: Its imports.
        name: The name of the import.
        choice: `class` or `class_name` for all images; otherwise they have those of the import.

    Raises:
        Problem: If a class cannot be, or if there are too many images.
        StorageError: If the disk is full; what has no class yet stays in the import.
    """
    one = imports.of(name)
    with one.lock, workspace.lock:
        one.require_there()
        workspace.require_own()
        done = Joined()
        wanted = _wanted(workspace, one, choice, done)
        if len(workspace.listing.items) + len(wanted) > MOST_IMAGES:
            raise Problem(
                _("a workspace may have {most:,} images; this one would have more.").format(
                    most=MOST_IMAGES
                ),
                TOO_LARGE,
            )
        folders = _folders(workspace, set(wanted.values()))
        _move_all(workspace, one, wanted, folders, done)
        imports.drop(name)
    return done


def _wanted(
    workspace: Workspace, one: Waiting, choice: Mapping[str, object], done: Joined
) -> dict[Path, str]:
    """Return the class of each image."""
    if choice.get("class") is not None:
        of_all = workspace.class_of(choice["class"])
        return dict.fromkeys(walk(one.content).images, of_all)
    if choice.get("class_name") is not None:
        return dict.fromkeys(walk(one.content).images, str(choice["class_name"]))
    dataset = understood(one)
    done.notes += notes_of(one, dataset)
    if dataset.splits is not None:
        done.notes.append(
            _(
                "the images come split into train, val and test; a workspace splits them itself. "
                "To keep their splits, open their folder with: convlens studio FOLDER"
            )
        )
    names = [dataset.class_names[label] for label in dataset.labels.tolist()]
    return {Path(path): label for path, label in zip(dataset.images, names, strict=True)}


def _folders(workspace: Workspace, names: Iterable[str]) -> dict[str, Path]:
    """Return the folder of each class, which may be new; it is made if it gets an image."""
    known = workspace.listing.class_names
    alike = {name.casefold(): name for name in known}
    new = {name: class_name(name, known) for name in sorted(names) if name.casefold() not in alike}
    folders = {}
    for name in names:
        there = alike.get(name.casefold())
        if there is not None:
            folders[name] = workspace.folder_of(there)
            continue
        folders[name] = workspace.places.images / new[name]
    return folders


def _move_all(
    workspace: Workspace,
    one: Waiting,
    wanted: Mapping[Path, str],
    folders: Mapping[str, Path],
    done: Joined,
) -> None:
    root = workspace.places.images
    step = Step("add", 0)
    moves: list[tuple[Path, Path]] = []
    taken: set[Path] = set()
    for path, label in wanted.items():
        try:
            content = path.read_bytes()
            name = checked_name(path.name, content)
        except (ImageError, Problem, OSError) as error:
            shown = path.relative_to(one.content).as_posix()
            said = system_reason(error) if isinstance(error, OSError) else str(error.args[0])
            done.refused.append({"name": shown, "message": said})
            continue
        target = _target(folders[label] / name, content, taken)
        if target.exists():
            done.already += 1
            continue
        taken.add(target)
        moves.append((path, target))
        file = target.relative_to(root).as_posix()
        step.moves.append((step.in_trash(file), f"images/{file}"))
    step.number = len(moves)
    if moves:
        workspace.history.push(step)
    try:
        used = {target.parent for _path, target in moves}
        with storage_errors(root, _("the images")):
            for folder in used:
                make_folder(folder)
            for path, target in moves:
                path.rename(target)
            for folder in used:
                sync_folder(folder)
    finally:
        workspace.rescan()
    done.added = len(moves)
    if done.refused:
        text = ngettext(
            "{number:,} file was no image that can be read.",
            "{number:,} files were no images that can be read.",
            len(done.refused),
        )
        done.notes.append(text.format(number=len(done.refused)))


def _target(path: Path, content: bytes, taken: set[Path]) -> Path:
    """Return a path that is free, or has these bytes already."""
    return next(
        one
        for one in numbered(path, path.suffix)
        if one not in taken and (not os.path.lexists(one) or holds(one, content))
    )
