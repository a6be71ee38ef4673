"""Watching: how far a training is, whoever has begun it, as a page shows it."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from convlens.errors import ConvlensError, RunError
from convlens.history import read_history
from convlens.language import _
from convlens.report.content import accuracy_in_words, plain_data
from convlens.run_folder import CLASSIFIER, HISTORY, LIVE, is_begun
from convlens.studio.changes import class_id
from convlens.studio.problem import on_page
from convlens.studio.training import entry as states
from convlens.studio.training.entry import STATES, Entry
from convlens.studio.training.queue import Queue
from convlens.studio.training.ways import Images, command_of
from convlens.studio.workspace import Workspace
from convlens.studio.written import written
from convlens.text import printable

MOST_EPOCHS = 600  # points of a curve
MOST_LOG = 20_000  # bytes
HEAD_ANSWERS = Path("state") / "head_answers.json"  # which `HeadStage` writes


def shown(queue: Queue, one: Entry) -> dict[str, Any]:
    """Return a training of the queue as plain data."""
    folder = queue.folder(one)
    can_go_on = one.state in (states.STOPPED, states.KILLED, states.FAILED)
    words: list[str] = []
    with suppress(ConvlensError, OSError):
        words = queue.shown_words(one)
    return {
        "id": one.id,
        "run": printable(one.run),
        "choice": one.choice,
        "asked": one.asked,
        "state": one.state,
        "state_text": _(STATES[one.state]),
        "message": on_page(one.message, Images.of(queue.workspace).source),
        "needed": _needed(queue, one),
        "is_begun": is_begun(folder),
        "stopping": one.stopping,
        "began": one.began or None,
        "ended": one.ended or None,
        "now": time.time(),
        "left": _left(queue, one),
        "progress": _json(queue.logs(one).progress) if one.state == states.RUNNING else None,
        "can_go_on": can_go_on and not (folder / "report.json").exists(),
        "command": command_of(words) if words else None,
    }


def _needed(queue: Queue, one: Entry) -> dict[str, float] | None:
    """Return what the time budget of a training must be, if it has failed as it was too short."""
    if one.state != states.FAILED:
        return None
    found = (_json(queue.logs(one).progress) or {}).get("needed")
    numbers = found if isinstance(found, dict) else {}
    names = ("used", "more", "seconds")
    is_whole = all(type(numbers.get(name)) in (int, float) for name in names)
    return {name: numbers[name] for name in names} if is_whole else None


def _left(queue: Queue, one: Entry) -> float | None:
    """Return the seconds that a training still takes, if they are known."""
    if one.state != states.RUNNING:
        return None
    seconds = one.choice.get("seconds")
    if isinstance(seconds, int) and not one.resumes:
        return max(0.0, one.began + seconds - time.time())
    progress = _json(queue.logs(one).progress) or {}
    left = progress.get("left")
    told = progress.get("time")
    if not isinstance(left, int | float) or not isinstance(told, int | float):
        return None
    return max(0.0, float(left) - (time.time() - told))


def detail(workspace: Workspace, queue: Queue, folder: Path) -> dict[str, Any]:
    """Return what the curves and the mistakes of a run are drawn from."""
    one = queue.of_run(folder.name)
    report = _json(folder / "report.json") or {}
    rows = _history(folder)
    live = _live(workspace, folder)
    return {
        "run": printable(folder.name),
        "history": plain_data(rows),  # the loss of a training that diverges is no number
        "live": live,
        **_scored(report),
        "verdict": printable(_verdict(folder, report, rows, live)),
        "has_classifier": (folder / CLASSIFIER).is_file(),
        "log": "" if one is None else _tail(queue.logs(one).output),
    }


def _scored(report: dict[str, Any]) -> dict[str, Any]:
    """Return the accuracy of a report and what it says of it; studies may have no sentences."""
    scored: dict[str, Any] = {"accuracy": None, "said": ""}
    with suppress(LookupError, TypeError, ValueError):  # a report that is damaged
        scored["accuracy"] = written(report["metrics"]["accuracy"])
        scored["said"] = accuracy_in_words(report) if "confusion" in report else ""
    return scored


def _verdict(
    folder: Path,
    report: dict[str, Any],
    rows: list[dict[str, Any]],
    live: dict[str, Any] | None,
) -> str:
    """Return what the report says of the number of epochs, in the language of the page if it can.

    A head on a backbone may be better than all epochs, which the rows do not tell.
    """
    said = str(report.get("epochs_verdict") or "")
    is_whole = bool(rows) and len(rows) == rows[-1]["epoch"]
    images = live["images"] if live else None
    if not (said and isinstance(images, int) and is_whole) or (folder / HEAD_ANSWERS).exists():
        return said
    from convlens.evaluation.epochs import judge_epochs  # imports SciPy

    return judge_epochs(rows, images)


def _history(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with suppress(RunError):
        if (folder / HISTORY).exists():
            rows = [dict(row) for row in read_history(folder / HISTORY)]
    step = -(-len(rows) // MOST_EPOCHS) or 1
    return rows[::-1][::step][::-1]  # the last epoch is always among them


def _live(workspace: Workspace, folder: Path) -> dict[str, Any] | None:
    """Return the worst mistakes of the last epoch, with the images as requests name them."""
    found = _json(folder / LIVE)
    if found is None:
        return None
    mistakes = []
    with suppress(KeyError, TypeError, AttributeError):
        for one in found["mistakes"]:
            item = workspace.listing.by_file.get(one["file"])
            mistakes.append(
                {
                    "name": printable(one["file"]),
                    "id": None if item is None else item.id,
                    "label": printable(one["label"]),
                    "label_class": class_id(one["label"]),
                    "predicted": printable(one["predicted"]),
                    "predicted_class": class_id(one["predicted"]),
                    "probability": one["probability"],
                    "of_label": one["of_label"],
                }
            )
    numbers = {name: found.get(name) for name in ("epoch", "images", "wrong")}
    return {**numbers, "mistakes": mistakes}


def _json(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return plain_data(content) if isinstance(content, dict) else None
    return None


def _tail(path: Path) -> str:
    """Return the end of what a training has said at its terminal."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MOST_LOG))
            return printable(file.read().decode("utf-8", "replace"))
    except OSError:
        return ""
