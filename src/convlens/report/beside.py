"""Beside: reports of a run in folders of their own, `evaluations/<name>/`.

They are on other images than those of the run, or on those of a run that can still go on. Such a
report is written under a hidden name, see `convlens.hidden`, so that a process that is killed
leaves none in part, and the next evaluation removes what it has left.
"""

import os
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.errors import RunError
from convlens.files import numbered, storage_errors
from convlens.folders import make_folder, sync_folder
from convlens.hidden import give_name, hidden_folder
from convlens.language import _
from convlens.report.finish import EVALUATIONS, looks_in
from convlens.report.results import Scored, say_report, show_scores, write_evaluation
from convlens.run import Run
from convlens.run_folder import files_of
from convlens.screen import Screen

# What the hidden folders are named after, whatever images are scored. The next evaluation therefore
# finds those of all others.
WRITTEN = "report"


def publish_beside(
    run: Run, classifier: Classifier, scored: Scored, extra: Mapping[str, Any], screen: Screen
) -> Path:
    """Print scores, and write the report of them into a folder, which is returned.

    It is a new one, or that of an earlier report on images of the same place.

    Args:
        run: The run of the classifier.
        classifier: The classifier that was scored.
        scored: Its scores.
        extra: Further entries of report.json.
        screen: Where the scores are shown.

    Raises:
        StorageError: If a file cannot be written.
    """
    dataset = scored.prepared.dataset
    extra = {"evaluated": dataset.source, "evaluated_path": dataset.path, **extra}
    show_scores(scored.evaluation, screen)
    place = run.folder / EVALUATIONS / WRITTEN
    with (
        screen.console.status(_("writing the report")),
        storage_errors(place.parent, _("the folder of the report")),
        hidden_folder(place) as hidden,
    ):
        write_evaluation(run, hidden, classifier, scored, extra)
        folder = next(
            folder
            for folder in numbered(_first_folder(run, dataset))
            if _is_moved(hidden, folder, dataset.path)
        )
    say_report(folder, screen)
    return folder


def looks_before(run: Run, dataset: Dataset) -> int:
    """Return how often the test images of a run were used for the report on images of a place."""
    for folder in takewhile(os.path.lexists, numbered(_first_folder(run, dataset))):
        if _evaluated(folder) == dataset.path:
            return looks_in(folder)
    return 0


def _first_folder(run: Run, dataset: Dataset) -> Path:
    """Return the folder of a report, unless one on images of another place has this name."""
    return run.folder / EVALUATIONS / dataset.name.replace("/", "_")


def _is_moved(hidden: Path, folder: Path, path: str) -> bool:
    """Move a report into a folder, and return whether that was possible.

    Args:
        hidden: The folder in which the report was written.
        folder: Its new folder. If it exists, it must have a report on images of the same place.
        path: Where the images lie.

    Raises:
        OSError: If the disk fails.
    """
    if not os.path.lexists(folder):
        try:
            give_name(hidden, folder)
        except OSError:
            if not os.path.lexists(folder):
                raise
            return False  # Another process has just taken the name.
        return True
    if _evaluated(folder) != path:
        return False
    # A report counts as there with its report.json, which comes last.
    for file in sorted(files_of(hidden), key=lambda file: file.name == "report.json"):
        target = folder / file.relative_to(hidden)
        make_folder(target.parent)
        file.replace(target)
        sync_folder(target.parent)
    return True


def _evaluated(folder: Path) -> str | None:
    """Return where the images of a report lie, or None if there is no report."""
    try:
        return Run(folder).report.get("evaluated_path")
    except RunError:
        return None
