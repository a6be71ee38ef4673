"""Beside: reports of a run in folders of their own, `evaluations/<name>/`.

They are on other images than those of the run, or on those of a run that can still go on. Such a
report is written under a hidden name, see `convlens.hidden`, and its folder takes the place of an
earlier one as a whole. A process that is killed therefore leaves no report in part, nor a mixture
of two, and the next evaluation removes what it has left.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.errors import RunError
from convlens.files import numbered, storage_errors
from convlens.hidden import FORMER, give_name, hidden_folder, remove_leftovers
from convlens.language import _
from convlens.report.finish import EVALUATIONS, looks_in
from convlens.report.predictions import PREDICTIONS
from convlens.report.results import Scored, say_report, show_scores, write_evaluation
from convlens.run import Run
from convlens.screen import Screen

# What the hidden folders are named after, whatever images are scored. The next evaluation therefore
# finds those of all others.
HIDDEN_NAME = "report"
OF_REPORT = (PREDICTIONS, "report.html", "report.json", "plots")


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
    place = run.folder / EVALUATIONS / HIDDEN_NAME
    with (
        screen.status(_("writing the report")),
        storage_errors(place.parent, _("the folder of the report")),
        hidden_folder(place) as hidden,
    ):
        write_evaluation(run, hidden, classifier, scored, extra)
        folder = next(
            folder for folder in _folders(run, dataset) if _is_moved(hidden, folder, dataset.path)
        )
    say_report(folder, screen)
    return folder


def looks_before(run: Run, dataset: Dataset) -> int:
    """Return how often the test images of a run were used for the report on images of a place."""
    for folder in takewhile(os.path.lexists, _folders(run, dataset)):
        if _evaluated(folder) == dataset.path:
            return looks_in(folder)
    return 0


def _folders(run: Run, dataset: Dataset) -> Iterator[Path]:
    """Yield the folders that a report may have; the first has the name of the images.

    An earlier report gets its name back if a process was killed while it replaced it.
    """
    for folder in numbered(run.folder / EVALUATIONS / dataset.name.replace("/", "_")):
        remove_leftovers(folder)
        yield folder


def _is_moved(hidden: Path, folder: Path, path: str) -> bool:
    """Move a report into a folder, and return whether that was possible.

    Args:
        hidden: The folder in which the report was written.
        folder: Its new folder. If it exists, it must have a report on images of the same place.
        path: Where the images lie.

    Raises:
        OSError: If the disk fails.
    """
    if os.path.lexists(folder):
        if _evaluated(folder) != path:
            return False
        _keep_others(folder, hidden)
    try:
        with hidden_folder(folder) as aside:
            give_name(hidden, folder, aside / FORMER)
    except OSError:
        if not os.path.lexists(folder):
            raise
        return False  # Another process has just taken the name.
    return True


def _keep_others(folder: Path, hidden: Path) -> None:
    """Copy what others have put beside a report, such as notes, to the one that replaces it."""

    def of_report(place: str, names: list[str]) -> set[str]:
        return {*OF_REPORT} & {*names} if Path(place) == folder else set()

    # Without the permissions, so that the copies can be brought to the disk.
    shutil.copytree(
        folder,
        hidden,
        ignore=of_report,
        copy_function=shutil.copyfile,
        ignore_dangling_symlinks=True,
        dirs_exist_ok=True,
    )


def _evaluated(folder: Path) -> str | None:
    """Return where the images of a report lie, or None if there is no report."""
    try:
        return Run(folder).report.get("evaluated_path")
    except RunError:
        return None
