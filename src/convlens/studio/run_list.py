"""Run list: the trainings of a workspace, as their folders say, whoever has begun them."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.data.correction_lists import ACTIONS
from convlens.inventory import FINISHED, IN_TRAINING, NOT_BEGUN, RESUMABLE, Entry, look
from convlens.language import _, again
from convlens.lock import is_locked
from convlens.run_folder import CLASSIFIER, HISTORY, SETTINGS, is_begun, is_claimed, read_json
from convlens.studio.listing import time_of
from convlens.studio.problem import Problem
from convlens.studio.telling import Telling
from convlens.studio.written import seen_in_words, written
from convlens.text import printable

STATES = {
    FINISHED: "finished",
    IN_TRAINING: "training",
    RESUMABLE: "resumable",
    NOT_BEGUN: "not_begun",
}
LOOK_AGAIN = 0.5  # seconds between two looks at the folders
# Of the states that a training has kept. `convlens.training.snapshots`, which writes it, imports
# the engine.
STATES_INDEX = "snapshots/index.json"
WATCHED = (SETTINGS, HISTORY, "report.json", CLASSIFIER)
Stamp = tuple[object, ...]


@dataclass(frozen=True)
class Row:
    """A run as it was when it was looked at."""

    stamp: Stamp
    entry: Entry
    report: dict[str, Any]


class RunList(Telling):
    """The runs of a workspace.

    Attributes:
        folder: The folder in which they lie.
        told: A number that rises whenever one of them has changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__()
        self._lock = threading.Lock()
        self._looked = 0.0
        self._stamps: dict[str, Stamp] = {}
        self._rows: dict[str, Row] = {}

    def refresh(self) -> None:
        """Look whether a run was begun, has made progress, has ended or was removed."""
        with self._lock:
            if time.monotonic() - self._looked < LOOK_AGAIN:
                return
            self._looked = time.monotonic()
            stamps = {path.name: _stamp(path) for path in self._folders()}
            if stamps != self._stamps:
                self._stamps = stamps
                self._tell()

    def _folders(self) -> list[Path]:
        try:
            found = [path for path in self.folder.iterdir() if path.is_dir()]
        except OSError:
            return []
        # A link may lead out of the workspace.
        return [path for path in found if not path.is_symlink() and not path.name.startswith(".")]

    def find(self, name: object) -> Path:
        """Return the folder of a run.

        Raises:
            Problem: If the workspace has no run of this name.
        """
        for path in self._folders():
            if path.name == name and (is_begun(path) or is_claimed(path)):
                return path
        raise Problem(
            _("the workspace has no run {name!r}.").format(name=printable(str(name)[:100])),
            404,
            "run",
        )

    def find_classifier(self, name: object) -> Path:
        """Return the folder of a run that has a classifier.

        Raises:
            Problem: If there is none of this name, or if it has no classifier yet.
        """
        folder = self.find(name)
        if not (folder / CLASSIFIER).is_file():
            raise Problem(
                _("the run {name} has no classifier yet; train it to its end.").format(
                    name=printable(folder.name)
                ),
                409,
                "run",
            )
        return folder

    def rows(self) -> list[dict[str, Any]]:
        """Return what a page shows of each run, the newest first."""
        found = {}
        for path in self._folders():
            if not (is_begun(path) or is_claimed(path)):
                continue
            stamp = _stamp(path)
            row = self._rows.get(path.name)
            found[path.name] = row if row and row.stamp == stamp else _look(path, stamp)
        self._rows = found
        shown = [_shown(row) for row in found.values()]
        return sorted(shown, key=lambda one: (one["began"] or "", one["name"]), reverse=True)


def _stamp(folder: Path) -> Stamp:
    return (*(time_of(folder / name) for name in WATCHED), is_locked(folder))


def _look(folder: Path, stamp: Stamp) -> Row:
    entry = look(folder)
    report: dict[str, Any] = {}
    if entry.state == FINISHED and (folder / "report.json").exists():
        report = read_json(folder / "report.json")
    return Row(stamp, entry, report)


def _shown(row: Row) -> dict[str, Any]:
    entry = row.entry
    began = None if entry.began is None else entry.began.isoformat(timespec="seconds")
    accuracy = row.report.get("metrics", {}).get("accuracy")
    return {
        "name": printable(entry.folder.name),
        "kind": entry.kind,
        "kind_text": _(entry.kind),
        "state": STATES.get(entry.state, "damaged"),
        "state_text": _(entry.state),
        "killed": entry.killed,
        "began": began,
        "network": entry.network,
        "images": entry.images,
        "done": entry.done,
        "asked": entry.asked,
        "progress": entry.progress,
        "score": entry.score,
        "scored": entry.scored,
        "scored_text": seen_in_words(entry.scored),
        "accuracy": None if accuracy is None else written(accuracy),
        "class_names": [printable(name) for name in row.report.get("class_names", [])],
        "has_cells": "confusion" in row.report,
        "corrections": _corrections(row.report),
        "seconds": row.report.get("seconds"),
        "size": entry.size,
        "problems": [printable(again(problem)) for problem in entry.problems],
        "has_classifier": (entry.folder / CLASSIFIER).is_file(),
        "has_states": (entry.folder / STATES_INDEX).is_file(),
        "folder": printable(entry.folder),
        "resume": printable(entry.resume),
    }


def _corrections(report: dict[str, Any]) -> int:
    """Return how many images were corrected by the lists of a run."""
    lists = report.get("data", {}).get("lists", ())
    return sum(one.get(action, 0) for one in lists for action in ACTIONS)
