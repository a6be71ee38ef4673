"""Scores: what the reports of the runs of a workspace say, and which images they speak of."""

import threading
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convlens.data.correction_lists import Correction, read_list
from convlens.errors import ConvlensError
from convlens.evaluation.predictions import Predictions
from convlens.report.predictions import PREDICTIONS, read_predictions
from convlens.report.versions import Comparison, compare_runs, same_folder
from convlens.run_folder import read_json
from convlens.studio.listing import Item, time_of
from convlens.studio.marks import MADE
from convlens.studio.run_list import RunList
from convlens.studio.scores.predicting import Predicting
from convlens.studio.workspace import Workspace
from convlens.text import original

KEPT = 16  # runs whose predictions stay in memory


class Scores:
    """The scores of a workspace.

    Attributes:
        predicting: What writes the predictions of older runs.
    """

    def __init__(self, workspace: Workspace, runs: RunList) -> None:
        self.predicting = Predicting(workspace.places.hidden)
        self._workspace = workspace
        self._runs = runs
        self._lock = threading.Lock()  # of what is kept; several requests come at once
        self._kept: dict[Path, tuple[int, Predictions]] = {}
        self._compared: tuple[tuple[object, ...], Comparison] | None = None

    @property
    def told(self) -> int:
        """A number that rises with each piece of progress."""
        return self.predicting.told

    def predictions(self, folder: Path) -> Predictions:
        """Return what a run predicts for its test images.

        Raises:
            RunError: If the file is missing or damaged.
        """
        time = time_of(folder / PREDICTIONS)
        with self._lock:
            known = self._kept.get(folder)
            if known is None or known[0] != time:
                known = (time, read_predictions(folder))
                if len(self._kept) >= KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[folder] = known
        return known[1]

    def compared(self, names: list[str]) -> Comparison:
        """Return runs side by side; see `compare_runs`."""
        folders = [self._runs.find(name) for name in names]
        watched = (PREDICTIONS, "report.json", "data.json")
        stamp = tuple((one, *(time_of(one / name) for name in watched)) for one in folders)
        known = self._compared  # which another request may replace at any time
        if known is None or known[0] != stamp:
            known = (stamp, compare_runs(folders))
            self._compared = known
        return known[1]

    def state_of_predictions(self, folder: Path) -> dict[str, Any]:
        """Return whether it is known what a run predicts for each image, or how far that is."""
        asked = self.predicting.status(folder.name)
        if asked.get("state") == "running":
            return asked
        if not (folder / PREDICTIONS).exists():
            return asked or {"state": "missing"}
        try:
            self.predictions(folder)
        except ConvlensError as error:
            return {"state": "failed", "message": str(error.args[0])}
        return {"state": "ready"}

    def source_of(self, folder: Path) -> str:
        """Return where the images of a run lie now, also if the workspace was moved or copied."""
        data = read_json(folder / "data.json")
        path = str(data["path"])
        elsewhere = Path(path).exists() and not self.is_of_workspace(data)
        return path if elsewhere else self.source

    @property
    def source(self) -> str:
        """The images of the workspace."""
        return self._workspace.places.source or str(self._workspace.places.images)

    def is_of_workspace(self, data: Mapping[str, Any]) -> bool:
        """Return whether a run was trained on the images of this workspace.

        Args:
            data: The content of data.json of the run.
        """
        path = str(data.get("path", ""))
        places = self._workspace.places
        # A copy has its own images, although the original may still be there.
        former = {str(Path(root) / places.images.name) for root in places.former}
        is_copied = places.source is None and path in former
        return is_copied or same_folder(path, self.source)

    def items(self, data: Mapping[str, Any], files: list[str]) -> list[Item | None]:
        """Return the images of the workspace that a run was tested on; None for one that is gone.

        Args:
            data: The content of data.json of the run.
            files: The names of the images in the run.
        """
        if not self.is_of_workspace(data):
            return [None] * len(files)
        by_file = self._workspace.listing.by_file
        return [by_file.get(file) or by_file.get(_composed(file)) for file in files]

    def has_other_list(self, folder: Path, data: Mapping[str, Any]) -> bool:
        """Return whether the list says something else now of an image than when a run was trained.

        Rows for images that are gone change nothing.

        Args:
            folder: The folder of the run.
            data: The content of data.json of the run.
        """
        used: set[tuple[str, str, str]] = set()
        for one in data.get("lists", ()):
            used |= {_said(row) for row in read_list(folder / one["file"]).corrections}
        there = {_composed(item.file) for item in self._workspace.listing.items} if used else set()
        effective = {row for row in used if row[1] in MADE and row[0] in there}
        return effective != {_said(row) for row in self._workspace.marks.rows.values()}

    def close(self) -> None:
        """End what goes on in the background."""
        self.predicting.stop()


def _said(row: Correction) -> tuple[str, str, str]:
    return (_composed(original(row.file).replace("\\", "/")), row.action, row.value)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
