"""Views: what a page shows of a workspace, as plain data."""

import random
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.dataset import Dataset, check, split_of
from convlens.data.walk import walk
from convlens.errors import DataError
from convlens.language import _, again
from convlens.language_choice import language
from convlens.studio.asking import Query
from convlens.studio.changes import class_id
from convlens.studio.history import Step
from convlens.studio.listing import Item, time_of
from convlens.studio.problem import on_page
from convlens.studio.workspace import Workspace
from convlens.text import printable

COLUMNS = ("id", "name", "label", "given", "excluded", "split")
SEED = 17  # of the shuffled order, which stays the same


class Views:
    """What pages ask for most, kept until the workspace changes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept: dict[object, Any] = {}
        self._version = 0

    def keep(self, key: object, make: Callable[[], Any]) -> Any:
        """Return what was made for a key since the last change, or make it."""
        if self._version != self._workspace.version:
            self._version = self._workspace.version
            self._kept = {}
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def counts(self) -> dict[str, Counter[str]]:
        """Return the numbers of images by class: "images", "own", "excluded", "relabelled_in"."""
        found: dict[str, Counter[str]] = self.keep("counts", self._count)
        return found

    def _count(self) -> dict[str, Counter[str]]:
        marks = self._workspace.marks
        items = self._workspace.listing.items
        counts = {name: Counter[str]() for name in ("images", "excluded", "relabelled_in")}
        counts["own"] = Counter(item.given for item in items)
        counts["images"] = counts["own"].copy()
        for row in marks.rows.values():
            item = self._workspace.listing.by_file.get(row.file)
            if item is None:
                continue
            counts["images"][item.given] -= 1
            if row.action == "exclude":
                counts["excluded"][item.given] += 1
            else:
                counts["images"][row.value] += 1
                counts["relabelled_in"][row.value] += 1
        return counts

    def classes(self) -> list[dict[str, Any]]:
        """Return the classes."""
        counts = self.counts()
        return [
            {
                "id": class_id(name),
                "name": printable(name),
                "images": counts["images"][name],
                "own": counts["own"][name],
                "excluded": counts["excluded"][name],
                "relabelled_in": counts["relabelled_in"][name],
            }
            for name in self._workspace.listing.class_names
        ]

    def state(self) -> dict[str, Any]:
        """Return everything that a page needs first."""
        workspace = self._workspace
        counts = self.counts()
        missing, command = self.command()
        notes = [again(note) for note in workspace.listing.notes]
        notes += [again(workspace.trouble)] if workspace.trouble else []
        return {
            "version": workspace.version,
            "session": workspace.session,
            "workspace": printable(workspace.places.root),
            "name": printable(workspace.places.root.name),
            "source": None if workspace.is_own else printable(workspace.places.source),
            "kind": "own" if workspace.is_own else "opened",
            "kind_text": again(workspace.listing.kind),
            "may_add": workspace.is_own,
            "classes": self.classes(),
            "total": len(workspace.listing.items),
            "excluded": sum(counts["excluded"].values()),
            "relabelled": sum(counts["relabelled_in"].values()),
            "notes": [printable(note) for note in notes],
            "trash": {"images": self.keep("trash", lambda: images_in(workspace.places.trash))},
            **undo_and_redo(workspace),
            "list": printable(workspace.places.list),
            "command": command,
            "command_missing": missing,
        }

    def command(self) -> tuple[str, str | None]:
        """Return why nothing can be trained yet, or nothing, and the command that trains."""
        found: tuple[str, str | None] = self.keep(("command", language()), self._command)
        return found

    def _command(self) -> tuple[str, str | None]:
        workspace = self._workspace
        if not any(count["images"] for count in self.classes()):
            return _(
                "There is no image to train on: add some, or take back what is left out."
            ), None
        try:
            check(self.counted())
        except DataError as error:
            source = workspace.places.source or str(workspace.places.images)
            return on_page(error.args[0], source, again(workspace.listing.kind)), None
        source = workspace.places.source or str(workspace.places.images)
        words = ["convlens", "train", source]
        if workspace.is_own and any(map(split_of, workspace.listing.class_names)):
            words += ["--layout", "classes"]
        if workspace.marks.matter(workspace.listing):
            words += ["--using", str(workspace.places.list)]
        return "", printable(shlex.join(words))

    def counted(self) -> Dataset:
        """Return a data set of the images that are used, with the labels of the list.

        Its images are there to be counted and looked at; those of an array are not among them.
        """
        workspace = self._workspace
        items = [one for one in workspace.listing.items if not workspace.marks.is_excluded(one)]
        labels = [self._label(item) for item in items]
        own = set(labels) if workspace.listing.dataset is None else set(workspace.listing.folders)
        names = tuple(name for name in workspace.listing.class_names if name in own)
        numbers = {name: number for number, name in enumerate(names)}
        has_splits = any(item.split for item in items)
        return Dataset(
            source=workspace.places.source or str(workspace.places.images),
            kind=again(workspace.listing.kind),
            images=[item.path or Path(item.file) for item in items],
            labels=np.array([numbers[label] for label in labels], np.int64),
            class_names=names,
            splits=np.array([item.split for item in items]) if has_splits else None,
        )

    def _label(self, item: Item) -> str:
        """Return the class of an image; its own one where the list names a class without folder."""
        label = self._workspace.marks.label(item)
        return label if label in self._workspace.listing.folders else item.given

    def rows(self, query: Query, offset: int, limit: int) -> dict[str, Any]:
        """Return some of the images that a page asks for, in columns."""
        chosen: list[Item] = self.keep(query, lambda: self._chosen(query))
        marks = self._workspace.marks
        numbers = {name: i for i, name in enumerate(self._workspace.listing.class_names)}
        rows = [
            (
                item.id,
                printable(item.file),
                numbers[self._label(item)],
                numbers[item.given],
                int(marks.is_excluded(item)),
                item.split,
            )
            for item in chosen[offset : offset + limit]
        ]
        return {
            "version": self._workspace.version,
            "total": len(chosen),
            "offset": offset,
            "columns": COLUMNS,
            "rows": rows,
        }

    def _chosen(self, query: Query) -> list[Item]:
        marks = self._workspace.marks
        listing = self._workspace.listing
        items: Sequence[Item] = listing.items
        if query.ids is not None:
            items = [listing.by_id[one] for one in query.ids if one in listing.by_id]
        tests: dict[str, Callable[[Item], bool]] = {
            "all": lambda item: True,
            "used": lambda item: not marks.is_excluded(item),
            "excluded": marks.is_excluded,
            "relabelled": lambda item: marks.label(item) != item.given,
        }
        name = query.class_name
        search = query.search.casefold()
        chosen = [
            item
            for item in items
            if tests[query.shown](item)
            and (name is None or marks.label(item) == name)
            and (not search or search in item.file.casefold())
        ]
        if query.order == "shuffled":
            random.Random(SEED).shuffle(chosen)
        elif query.order != "name":
            chosen.sort(key=_time_of, reverse=query.order == "newest")
        return chosen


def _time_of(item: Item) -> int:
    return 0 if item.path is None else time_of(item.path)


def images_in(folder: Path) -> int:
    """Return the number of images in a folder."""
    return len(walk(folder).images) if folder.is_dir() else 0


def undo_and_redo(workspace: Workspace) -> dict[str, Any]:
    """Return what can be undone and done again."""

    def said(steps: list[Step]) -> dict[str, str] | None:
        return {"text": steps[-1].text} if steps else None

    return {"undo": said(workspace.history.done), "redo": said(workspace.history.undone)}
