"""Inventory: what the folders of runs hold, what can be resumed, and how much disk they take.

Everything is read from the small files of a run, without the engine.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from convlens.altered import altered
from convlens.errors import RunError
from convlens.language import N_, _
from convlens.lock import is_locked, was_killed
from convlens.run_contents import COMPARISON, FEW, FOLDS, SEARCH, TRAINING, Contents
from convlens.run_folder import (
    files_of,
    images_used,
    is_begun,
    is_finished,
    is_run,
    resume_command,
    study_of,
)

FINISHED = N_("finished")
IN_TRAINING = N_("in training")
RESUMABLE = N_("can be resumed")
NOT_BEGUN = N_("not begun")
ALTERED = N_("settings or split changed")
DAMAGED = N_("damaged")
PROGRESS = {
    TRAINING: N_("epochs {done} of {asked}"),
    FOLDS: N_("folds {done} of {asked}"),
    FEW: N_("draws {done} of {asked}"),
    SEARCH: N_("trials {done} of {asked}"),
    COMPARISON: N_("networks {done} of {asked}"),
}


@dataclass(frozen=True)
class Entry:
    """What a folder of a run holds.

    Attributes:
        folder: The folder.
        kind: TRAINING, FOLDS, FEW, SEARCH or COMPARISON.
        state: FINISHED, IN_TRAINING, RESUMABLE, NOT_BEGUN, ALTERED or DAMAGED.
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
            return _("logistic regression") if is_known else "-"
        return _(PROGRESS[self.kind]).format(done=self.done, asked=self.asked)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return vars(self) | {
            "folder": str(self.folder),
            "began": None if self.began is None else self.began.isoformat(timespec="seconds"),
        }


def look(folder: Path) -> Entry:
    """Return what a folder of a run holds."""
    found = Contents(folder)
    found.check_archives()
    changed = altered(folder)
    found.problems += changed
    done, asked = found.attempt(found.count, (0, 0))
    unknown: tuple[float | None, str] = (None, "")
    score, scored = found.attempt(found.score, unknown)
    network = found.attempt(found.network, "-")
    no_facts: dict[str, Any] = {}
    facts = found.attempt(found.facts, no_facts)
    began = found.attempt(lambda: found.began(facts), None)
    whole = study_of(folder) or folder
    state = _state(found, whole, changed)
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
    found = Contents(folder)
    done, asked = found.attempt(found.count, (0, 0))
    is_known = asked > 0 and not found.problems
    return _(PROGRESS[found.kind]).format(done=done, asked=asked) if is_known else ""


def bytes_of(path: Path) -> int:
    """Return the size of a file; 0 if whoever works in its folder has removed it just now."""
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0


def _state(found: Contents, whole: Path, changed: list[str]) -> str:
    """Return the state of a folder.

    Args:
        found: What its files say.
        whole: The study that it is a part of, whose training is its own, or the folder itself.
        changed: What is said of settings and splits that were changed.
    """
    has_result = found.is_finished or is_finished(whole)
    # Whoever predicts images with a finished run, or exports it, locks its folder, too.
    if is_locked(whole) and (found.problems or not has_result):
        return IN_TRAINING
    if found.problems:
        return ALTERED if found.problems == changed else DAMAGED
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
    found = [look(path) for path in folder.iterdir() if is_run(path)]
    return sorted(
        found,
        key=lambda one: (one.began.timestamp() if one.began else 0.0, one.folder.name),
        reverse=True,
    )
