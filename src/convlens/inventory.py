"""Inventory: what the folders of runs hold, what can be resumed, and how much disk they take.

Everything is read from the small files of a run, without the engine.
"""

import math
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from convlens.config import Config
from convlens.errors import ConvlensError, RunError
from convlens.history import Row, read_history
from convlens.language import N_, _
from convlens.lock import is_locked, was_killed
from convlens.run_folder import (
    CLASSIFIER,
    COMPARISON_FACTS,
    FOLD_DONE,
    HISTORY,
    NETWORK_DONE,
    REGULARISATION,
    SEARCH_FACTS,
    SETTINGS,
    files_of,
    images_used,
    is_begun,
    is_claimed,
    is_finished,
    read_json,
    resume_command,
    study_of,
)
from convlens.unread import is_logistic_regression

Value = TypeVar("Value")

FINISHED = N_("finished")
IN_TRAINING = N_("in training")
RESUMABLE = N_("can be resumed")
NOT_BEGUN = N_("not begun")
DAMAGED = N_("damaged")

TRAINING = N_("training")
FOLDS = N_("cross-validation")
FEW = N_("few images")
SEARCH = N_("search")
COMPARISON = N_("comparison")
PROGRESS = {
    TRAINING: N_("epochs {done} of {asked}"),
    FOLDS: N_("folds {done} of {asked}"),
    FEW: N_("draws {done} of {asked}"),
    SEARCH: N_("trials {done} of {asked}"),
    COMPARISON: N_("networks {done} of {asked}"),
}
ARCHIVES = (CLASSIFIER, "state/start.keras", "state/state.npz")
WRONG = (ConvlensError, LookupError, TypeError, ValueError, OSError)  # that damaged files raise


@dataclass(frozen=True)
class Entry:
    """What a folder of a run holds.

    Attributes:
        folder: The folder.
        kind: TRAINING, FOLDS, FEW, SEARCH or COMPARISON.
        state: FINISHED, IN_TRAINING, RESUMABLE, NOT_BEGUN or DAMAGED.
        killed: Whether the process that worked on it last was killed.
        began: When it began, as its own files say, or else the time of its settings.
        network: The name of the network, or of all networks of a comparison.
        images: The number of images, or None if it is not known.
        used: How many of them were used, or None if it is not known.
        done: The epochs, folds, draws, trials or networks that are done.
        asked: How many of them were asked for; 0 where nothing is trained by steps.
        score: The accuracy, or None if there is none yet.
        scored: The images of that accuracy: "test", "validation" or others.
        size: The bytes of all its files.
        problems: What is wrong with its files.
        resume: The command that continues it, or "".
    """

    folder: Path
    kind: str
    state: str
    killed: bool
    began: datetime | None
    network: str
    images: int | None
    used: int | None
    done: int
    asked: int
    score: float | None
    scored: str
    size: int
    problems: tuple[str, ...]
    resume: str

    @property
    def progress(self) -> str:
        """What is done of what was asked for, in words."""
        if not self.asked:
            # Of a damaged folder, and of one without settings, this is not known.
            is_known = self.kind == TRAINING and not self.problems and self.network != "-"
            return _("without epochs") if is_known else "-"
        return _(PROGRESS[self.kind]).format(done=self.done, asked=self.asked)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return vars(self) | {
            "folder": str(self.folder),
            "began": None if self.began is None else self.began.isoformat(timespec="seconds"),
        }


class _Folder:
    """Reads the files of a folder, and notes what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.is_finished = is_finished(folder)
        self.data = self.json("data.json")
        self.search = self.json(SEARCH_FACTS)
        self.comparison = self.json(COMPARISON_FACTS)
        self.config: Config | None = None
        if (folder / SETTINGS).exists():
            self.config = self.attempt(lambda: Config.from_toml(folder / SETTINGS), None)
        self.report = self.json("report.json")
        self.rows: list[Row] = []
        if (folder / HISTORY).exists():
            self.rows = self.attempt(lambda: read_history(folder / HISTORY), [])

    def attempt(self, read: Callable[[], Value], otherwise: Value) -> Value:
        """Return what can be read, or else note why not."""
        try:
            return read()
        except WRONG as error:
            self.problems.append(str(error.args[0] if error.args else error))
            return otherwise

    def json(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file, and nothing if it is missing or damaged."""
        if not (self.folder / name).exists():
            return {}
        return self.attempt(lambda: read_json(self.folder / name), {})

    @property
    def kind(self) -> str:
        """What was begun in this folder."""
        if (self.folder / COMPARISON_FACTS).exists():
            return COMPARISON
        if (self.folder / SEARCH_FACTS).exists():
            return SEARCH
        if "folds" in self.data:
            return FOLDS
        return FEW if "few" in self.data else TRAINING

    def check_archives(self) -> None:
        """Note archives that are cut, and a classifier that is missing."""
        for name in ARCHIVES:
            path = self.folder / name
            if path.exists() and not zipfile.is_zipfile(path):
                self.problems.append(_("{path}: this file is cut or damaged.").format(path=path))
        needs = self.kind in (TRAINING, FOLDS, FEW) and self.is_finished
        if needs and not (self.folder / CLASSIFIER).exists():
            message = _("{path}: this file is missing.")
            self.problems.append(message.format(path=self.folder / CLASSIFIER))

    def count(self) -> tuple[int, int]:
        """Return what is done of what was asked for."""
        if self.kind == COMPARISON:
            names = self.comparison["models"]
            return sum((self.folder / name / NETWORK_DONE).exists() for name in names), len(names)
        if self.kind == SEARCH:
            begun = sum(1 for _trial in self.folder.glob("trial-*/run.toml"))
            running = 0 if self.is_finished else 1
            return max(begun - running, 0), int(self.search["trials"])
        if self.kind == FOLDS:
            return sum(1 for _fold in self.folder.glob(f"fold-*/{FOLD_DONE}")), self.data["folds"]
        if self.kind == FEW:
            done = sum(1 for _draw in self.folder.glob("draw-*/report.json"))
            return done, int(self.data["draws"])
        if self.config is None or is_logistic_regression(self.config):
            return 0, 0
        return len(self.rows), self.config.training.epochs

    def score(self) -> tuple[float | None, str]:
        """Return the accuracy, and on which images."""
        if self.kind == COMPARISON and self.is_finished:
            return self.comparison["ranking"][0]["test"]["value"], "test"
        metrics = (self.search if self.kind == SEARCH else self.report).get("metrics", {})
        if "accuracy" in metrics:
            return metrics["accuracy"]["value"], str(self.report.get("images_seen", "test"))
        known = [row["val_accuracy"] for row in self.rows]
        if (self.folder / REGULARISATION).exists():  # of a linear head
            tried = read_history(self.folder / REGULARISATION)
            losses = [math.inf if (loss := row["val_log_loss"]) is None else loss for row in tried]
            known.append(tried[losses.index(min(losses))]["val_accuracy"])
        return max((one for one in known if one is not None), default=None), "validation"

    def network(self) -> str:
        """Return the name of the network, or those of a comparison."""
        if self.kind == COMPARISON:
            return ", ".join(self.comparison["models"])
        return "-" if self.config is None else self.config.model.model

    def facts(self) -> dict[str, Any]:
        """Return what data.json says of the images; a comparison has it in its networks."""
        if self.kind == COMPARISON and self.comparison:
            return read_json(self.folder / self.comparison["models"][0] / "data.json")
        return self.data

    def began(self, data: Mapping[str, Any]) -> datetime | None:
        """Return when this was begun, by what data.json says, or else by the oldest file."""
        if "began" in data:
            return datetime.fromisoformat(data["began"])
        # Earlier versions did not note it.
        oldest = self.folder / SETTINGS if (self.folder / SETTINGS).exists() else self.folder
        return datetime.fromtimestamp(oldest.stat().st_mtime).astimezone()


def look(folder: Path) -> Entry:
    """Return what a folder of a run holds."""
    found = _Folder(folder)
    found.check_archives()
    done, asked = found.attempt(found.count, (0, 0))
    unknown: tuple[float | None, str] = (None, "")
    score, scored = found.attempt(found.score, unknown)
    network = found.attempt(found.network, "-")
    no_facts: dict[str, Any] = {}
    facts = found.attempt(found.facts, no_facts)
    began = found.attempt(lambda: found.began(facts), None)
    whole = study_of(folder) or folder
    state = _state(found, whole)
    return Entry(
        folder,
        found.kind,
        state,
        state != IN_TRAINING and was_killed(whole),
        began,
        network,
        facts.get("images"),
        found.attempt(lambda: images_used(facts), None),
        done,
        asked,
        score,
        scored,
        sum(map(bytes_of, files_of(folder))),
        tuple(found.problems),
        resume_command(folder) if state == RESUMABLE else "",
    )


def progress_of(folder: Path) -> str:
    """Return what is done of what was asked for, in words; "" if that is not known."""
    found = _Folder(folder)
    done, asked = found.attempt(found.count, (0, 0))
    is_known = asked > 0 and not found.problems
    return _(PROGRESS[found.kind]).format(done=done, asked=asked) if is_known else ""


def bytes_of(path: Path) -> int:
    """Return the size of a file; 0 if whoever works in its folder has removed it just now."""
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0


def _state(found: _Folder, whole: Path) -> str:
    """Return the state of a folder, whose training is that of `whole` where it is a part of it."""
    has_result = found.is_finished or is_finished(whole)
    # Whoever predicts images with a finished run, or exports it, locks its folder, too.
    if is_locked(whole) and (found.problems or not has_result):
        return IN_TRAINING
    if found.problems:
        return DAMAGED
    if has_result:
        return FINISHED
    return RESUMABLE if is_begun(found.folder) else NOT_BEGUN


def find_runs(folder: Path) -> list[Entry]:
    """Return what the runs in a folder hold, the newest first.

    Raises:
        RunError: If there is no such folder.
    """
    if not folder.is_dir():
        message = _("{folder}: runs lie in a folder; there is none of this name.")
        raise RunError(message.format(folder=folder))
    found = [look(path) for path in folder.iterdir() if is_begun(path) or is_claimed(path)]
    return sorted(
        found,
        key=lambda one: (one.began.timestamp() if one.began else 0.0, one.folder.name),
        reverse=True,
    )
