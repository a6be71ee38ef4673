"""History: what was done in a workspace, so that it can be undone, also after a restart."""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from convlens.data.correction_lists import Correction
from convlens.files import write_atomically
from convlens.language import _, ngettext
from convlens.studio.marks import Rows
from convlens.studio.problem import GONE, Problem

TRASH = ".studio/trash"
MOST = 200  # steps
PAUSE = 1.0  # seconds between two writings while images are added one by one


@dataclass
class Step:
    """One thing that was done.

    Attributes:
        what: A word of `_SAID`.
        number: The number of images, or of classes, that it concerns.
        moves: What lay at the first place before and lies at the second one now, as paths inside
            the workspace.
        before: The rows of the list that changed, as they were.
        after: The same, as they are.
        kept: The other rows before and after, or None if they did not change.
        group: What joins images that were added together, or nothing.
        id: What its folder in the trash is called.
    """

    what: str
    number: int
    moves: list[tuple[str, str]] = field(default_factory=list)
    before: Rows = field(default_factory=dict)
    after: Rows = field(default_factory=dict)
    kept: tuple[list[Correction], list[Correction]] | None = None
    group: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(6))

    def in_trash(self, file: str) -> str:
        """Return where a file or folder lies that this step has taken away, or undone takes."""
        return f"{TRASH}/{self.id}/{file}"

    def require_inside(self, workspace: Path) -> None:
        """Raise Problem if it would move something out of a workspace, or into it.

        The folder of a class may be a link, and somebody else may have written the history.
        """
        root = workspace.resolve()
        for folder in {(workspace / one).parent for move in self.moves for one in move}:
            if not folder.resolve().is_relative_to(root):
                raise Problem(
                    _(
                        "{folder}: this folder lies outside the workspace, where the studio moves "
                        "no files; nothing was changed."
                    ).format(folder=folder),
                    GONE,
                )

    def moved(self, *, forward: bool) -> list[tuple[str, str]]:
        """Return what is moved, from where to where, if it is done or taken back."""
        return self.moves if forward else [(there, here) for here, there in reversed(self.moves)]

    def require_free(self, workspace: Path, *, forward: bool) -> None:
        """Raise Problem if something else lies where it would move a file, before it moves any."""
        moves = self.moved(forward=forward)
        leaving = {here for here, _there in moves}
        for here, there in moves:
            if os.path.lexists(workspace / here) and there not in leaving:
                check_free(workspace / here, workspace / there)

    @property
    def text(self) -> str:
        """What it did, in the chosen language."""
        said = _SAID.get(self.what)
        return "" if said is None else said(self.number)


def check_free(here: Path, there: Path) -> None:
    """Raise Problem if something else lies where a file is to go."""
    if os.path.lexists(there) and not (here.exists() and here.samefile(there)):
        raise Problem(
            _("{path}: something else lies here now; nothing was changed.").format(path=there), GONE
        )


def _counted(pair: Callable[[int], str]) -> Callable[[int], str]:
    return lambda number: pair(number).format(number=number)


_SAID: dict[str, Callable[[int], str]] = {
    "add": _counted(
        lambda n: ngettext("{number:,} image added", "{number:,} images added", n),
    ),
    "remove": _counted(
        lambda n: ngettext("{number:,} image removed", "{number:,} images removed", n),
    ),
    "exclude": _counted(
        lambda n: ngettext("{number:,} image left out", "{number:,} images left out", n),
    ),
    "relabel": _counted(
        lambda n: ngettext("{number:,} image relabelled", "{number:,} images relabelled", n),
    ),
    "restore": _counted(
        lambda n: ngettext("{number:,} image restored", "{number:,} images restored", n),
    ),
    "apply": _counted(
        lambda n: ngettext("{number:,} image corrected", "{number:,} images corrected", n),
    ),
    "create": lambda n: _("a class made"),
    "rename": lambda n: _("a class renamed"),
    "delete": _counted(
        lambda n: ngettext(
            "a class with {number:,} image removed", "a class with {number:,} images removed", n
        ),
    ),
}


class History:
    """The steps of a workspace, in a file.

    Attributes:
        done: What can be undone, the last one at the end.
        undone: What can be done again, the next one at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved = 0.0
        self._is_saved = True
        self.done: list[Step] = []
        self.undone: list[Step] = []
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            self.done = [_read(one) for one in content["done"]]
            self.undone = [_read(one) for one in content["undone"]]
        except (OSError, ValueError, KeyError, TypeError):  # there is none, or it is damaged
            self.done = []
            self.undone = []

    def push(self, step: Step) -> None:
        """Add a step that is about to be done."""
        self.done = [*self.done, step][-MOST:]
        self.undone = []
        self.save()

    def push_image(self, group: str, place: Path, file: str) -> None:
        """Add an image that is about to be added, to the others of its group.

        Args:
            group: What joins them, or nothing.
            place: Where it will lie, inside the workspace.
            file: Its name in lists, under which it goes to the trash if it is undone.
        """
        last = self.done[-1] if self.done else None
        is_of_group = last is not None and last.what == "add" and group and last.group == group
        if last is None or not is_of_group:
            last = Step("add", 0, group=group)
            self.done = [*self.done, last][-MOST:]
            self.undone = []
        last.moves.append((last.in_trash(file), place.as_posix()))
        last.number += 1
        self._is_saved = False
        if time.monotonic() - self._saved > PAUSE or last.number == 1:
            self.save()

    def forget_trash(self) -> None:
        """Remove the steps that need what was in the trash."""
        self.done = [step for step in self.done if step.what not in ("remove", "delete")]
        self.undone = []
        self.save()

    def save(self) -> None:
        """Write the file.

        Raises:
            StorageError: If it cannot be written.
        """
        content = {"done": [_plain(one) for one in self.done]}
        content["undone"] = [_plain(one) for one in self.undone]
        write_atomically(self._path, json.dumps(content), _("the history of the workspace"))
        self._saved = time.monotonic()
        self._is_saved = True

    def close(self) -> None:
        """Write what is not yet on the disk; nothing of a workspace that was removed meanwhile."""
        if not self._is_saved and self._path.parent.is_dir():
            self.save()


def _plain(step: Step) -> dict[str, Any]:
    return {one.name: _cells(getattr(step, one.name)) for one in fields(step)}


def _cells(value: Any) -> Any:
    """Return a value of a step as JSON has it."""
    if isinstance(value, Correction):
        return asdict(value)
    if isinstance(value, dict):
        return {name: _cells(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cells(one) for one in value]
    return value


def _read(content: dict[str, Any]) -> Step:
    step = Step(**content)
    step.moves = [(str(first), str(second)) for first, second in step.moves]
    step.before = _rows(content["before"])
    step.after = _rows(content["after"])
    if content["kept"] is not None:
        before, after = content["kept"]
        step.kept = ([Correction(**one) for one in before], [Correction(**one) for one in after])
    return step


def _rows(content: dict[str, Any]) -> Rows:
    return {file: None if row is None else Correction(**row) for file, row in content.items()}
