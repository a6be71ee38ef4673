"""Run contents: what the small files in the folder of a run say, and what is wrong with them."""

import csv
import math
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from convlens.config import Config
from convlens.errors import ConvlensError, RunError
from convlens.history import TRIED_COLUMNS, Row, read_history
from convlens.language import N_, _
from convlens.reasons import damage_reason
from convlens.run_folder import (
    CLASSIFIER,
    COMPARISON_FACTS,
    FOLD_DONE,
    HISTORY,
    NETWORK_DONE,
    REGULARISATION,
    SEARCH_FACTS,
    SETTINGS,
    TRIALS,
    is_finished,
    read_json,
)
from convlens.unread import is_logistic_regression

Value = TypeVar("Value")

TRAINING = N_("training")
FOLDS = N_("cross-validation")
FEW = N_("few images")
SEARCH = N_("search")
COMPARISON = N_("comparison")
OF_SEVERAL = {  # what the accuracy of several trainings is
    COMPARISON: N_("{value}, best network"),
    SEARCH: N_("{value}, best trial"),
    FEW: N_("{value}, mean of the draws"),
}
ARCHIVES = (CLASSIFIER, "state/start.keras", "state/state.npz")
WRONG = (ConvlensError, LookupError, TypeError, ValueError, OSError)  # that damaged files raise


class Contents:
    """Reads the files of a folder, and notes what is wrong with them.

    Args:
        folder: The folder of a run, a search or a comparison.

    Attributes:
        problems: What is wrong with its files.
        is_finished: Whether it has its result.
    """

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
            return len(self._trials()), int(self.search["trials"])
        if self.kind == FOLDS:
            return sum(1 for _fold in self.folder.glob(f"fold-*/{FOLD_DONE}")), self.data["folds"]
        if self.kind == FEW:
            done = sum(1 for _draw in self.folder.glob("draw-*/report.json"))
            return done, int(self.data["draws"])
        if self.config is None or is_logistic_regression(self.config):
            return 0, 0
        return len(self.rows), self.config.training.epochs

    def _trials(self) -> list[dict[str, str]]:
        """Return a row for each trial of a search that has ended.

        Raises:
            RunError: If the table of them is damaged.
        """
        if not (self.folder / TRIALS).exists():
            return []
        try:
            with (self.folder / TRIALS).open(newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))
        except (OSError, ValueError, csv.Error) as error:
            raise RunError(
                _("{folder}: {name} cannot be read; {reason}.").format(
                    folder=self.folder, name=TRIALS, reason=damage_reason(error)
                )
            ) from error

    def score(self) -> tuple[float | None, str]:
        """Return the accuracy, and on which images."""
        if self.kind == COMPARISON and self.is_finished:
            return self.comparison["ranking"][0]["test"]["value"], "test"
        report = self.report
        if self.kind == SEARCH and self.is_finished:
            report = self.json(f"trial-{self.search['best']:03d}/report.json")
        metrics = (self.search if self.kind == SEARCH else report).get("metrics", {})
        if "accuracy" in metrics:
            return metrics["accuracy"]["value"], str(report.get("images_seen", "test"))
        known = [row["val_accuracy"] for row in self.rows]
        if (self.folder / REGULARISATION).exists():  # of a linear head
            tried = read_history(self.folder / REGULARISATION, TRIED_COLUMNS)
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
