"""Run: the folder `runs/<name>/`, which holds all that is known of a training."""

import csv
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.config import Config
from convlens.data.dataset import SPLITS
from convlens.data.prepared import Prepared
from convlens.data.splits import Splits
from convlens.errors import RunError, StorageError
from convlens.files import with_present_names

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier


HISTORY_COLUMNS = (
    "epoch",
    "seconds",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
)


@dataclass(frozen=True)
class Run:
    """A training's folder: `run.toml`, `data.json`, `history.csv`, `state/`, `classifier.keras`, reports and plots."""

    folder: Path

    @classmethod
    def create(cls, name: str | Path | None, default: str) -> "Run":
        """Make a new folder: `runs/<name>`, or the path itself where the name has a folder in it.

        Args:
            name: what the user asked for; None takes `default`, with a number where that is taken.
            default: such as "cats_dogs-small_resnet".

        Raises:
            RunError: the folder the user asked for exists.
            StorageError: it cannot be made.
        """
        if name is not None:
            folder = cls.place(name)
            cls.refuse_taken(folder)
        else:
            safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in default)
            folder, number = Path("runs") / safe, 2
            while _taken(folder):
                folder, number = Path("runs") / f"{safe}-{number}", number + 1
        try:
            (folder / "state").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{folder}: the run folder cannot be made; {error.strerror or error}."
            ) from error
        return cls(folder)

    @classmethod
    def open(cls, name: str | Path) -> "Run":
        """Return an existing run by its folder or its name under `runs/`. Raises RunError where there is none."""
        folder = Path(name) if Path(name).is_dir() else cls.place(name)
        if not (folder / "run.toml").is_file():
            cls._name_inner(folder)
            others = sorted(
                Path("runs").glob("*/run.toml"), key=lambda path: path.stat().st_mtime, reverse=True
            )
            named = ", ".join(path.parent.name for path in others[:5])
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            known = f" Runs here, newest first: {named}{more}." if others else ""
            raise RunError(
                f"{name}: a run is a folder that `convlens train` made, with run.toml inside.{known}"
            )
        return cls(folder)

    @classmethod
    def find_classifier(cls, name: str | Path) -> Path:
        """Return the classifier file of a run, or the file itself.

        Raises:
            RunError: there is no such run, or it is a search or a comparison, whose runs lie inside.
        """
        if Path(name).is_file():
            return Path(name)
        run = cls.open(name)
        if not run.classifier_path.is_file():
            cls._name_inner(run.folder)
        return run.classifier_path

    @staticmethod
    def _name_inner(folder: Path) -> None:
        """Raise RunError where a folder is a search or a comparison: name the runs inside that have a classifier."""
        kind = next(
            (one for one in ("search", "compare") if (folder / f"{one}.json").is_file()), None
        )
        if kind is None:
            return
        inner = sorted(
            folder.rglob("classifier.keras"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        named = ", ".join(str(path.parent) for path in inner[:5])
        more = f" and {len(inner) - 5} more" if len(inner) > 5 else ""
        found = (
            f"its runs with a classifier, newest first: {named}{more}"
            if inner
            else "no run inside has a classifier"
        )
        raise RunError(
            f"{folder}: this was made by `convlens {kind}` and is no run itself; {found}."
        )

    @staticmethod
    def place(name: str | Path) -> Path:
        """Return where a run of that name lies."""
        path = Path(name)
        return path if len(path.parts) > 1 else Path("runs") / path

    @staticmethod
    def refuse_taken(folder: Path) -> None:
        """Raise RunError where a new run would overwrite something."""
        if _taken(folder):
            raise RunError(
                f"{folder}: a new run needs a folder that does not exist yet. Take another --run name, "
                "or go on with this one: --run and --resume alone."
            )

    @property
    def config(self) -> Config:
        """The resolved configuration."""
        return Config.from_toml(self.folder / "run.toml")

    @property
    def data(self) -> dict[str, Any]:
        """What was trained on: source, class names, counts, fingerprint, the division."""
        return self.read("data.json")

    @property
    def report(self) -> dict[str, Any]:
        """The content of `report.json`."""
        return self.read("report.json")

    @property
    def history(self) -> list[dict[str, float | None]]:
        """A row an epoch, as in `history.csv`; None where a value was not measured."""
        try:
            with (self.folder / "history.csv").open(newline="", encoding="utf-8") as file:
                return [
                    {k: float(v) if v else None for k, v in row.items()}
                    for row in csv.DictReader(file)
                ]
        except OSError as error:
            raise RunError(
                f"{self.folder}: history.csv cannot be read; {error.strerror or error}."
            ) from error

    @property
    def classifier_path(self) -> Path:
        """Where the classifier of the best epoch lies."""
        return self.folder / "classifier.keras"

    @property
    def start_path(self) -> Path:
        """Where a network that is not of the zoo lies as it was before the training."""
        return self.folder / "state" / "start.keras"

    @property
    def finished(self) -> bool:
        """Whether the run ended with its report."""
        return (self.folder / "report.json").exists()

    def divided(self, prepared: Prepared) -> Prepared:
        """Return the run's images with the division that the run recorded.

        Raises:
            RunError: these are other images than those of the run.
        """
        data = self.data
        if data["fingerprint"] != prepared.fingerprint:
            raise RunError(
                f"{prepared.dataset.source}: these are not the images of {self.folder} (their fingerprint differs). "
                "Give the run's own images; others can be scored with evaluate --data."
            )
        train, val, test = (np.array(data["splits"][name], np.int64) for name in SPLITS)
        return replace(prepared, splits=Splits(train, val, test))

    def classifier(self, precision: str = "float32") -> "Classifier":
        """Load the classifier of the best epoch. Raises ClassifierError where no epoch was finished."""
        from convlens.classifier.classifier import (
            Classifier,
        )  # here, so that a run can be read before the engine is chosen

        return Classifier.load(self.classifier_path, precision=precision)

    def write_history(self, rows: list[dict[str, Any]], *, append: bool) -> None:
        """Write rows to `history.csv`, after those that are there or instead of them. Raises StorageError."""
        path = self.folder / "history.csv"
        try:
            with path.open("a" if append else "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, HISTORY_COLUMNS)
                if not append:
                    writer.writeheader()
                writer.writerows(rows)
        except OSError as error:
            raise StorageError(
                f"{path}: this cannot be written; {error.strerror or error}."
            ) from error

    def write(self, name: str, text: str) -> None:
        """Write a text file of the folder, all or nothing. Raises StorageError."""
        path = self.folder / name
        partial = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            raise StorageError(
                f"{path}: this cannot be written; {error.strerror or error}."
            ) from error
        finally:
            partial.unlink(missing_ok=True)

    def part(self, name: str) -> "Run":
        """Return the run of a part of this one, its folder made. Raises StorageError."""
        part = Run(self.folder / name)
        try:
            (part.folder / "state").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{part.folder}: the folder cannot be made; {error.strerror or error}."
            ) from error
        return part

    def write_figure(self, name: str, figure: Any) -> Path:
        """Write a matplotlib figure as `plots/<name>.png`; return its path. Raises StorageError."""
        path = self.folder / "plots" / f"{name}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=120)
        except OSError as error:
            raise StorageError(
                f"{path}: this cannot be written; {error.strerror or error}."
            ) from error
        return path

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the folder. Raises RunError where it is missing or damaged."""
        try:
            content: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(
                f"{self.folder / name}: this file of the run cannot be read; {error}."
            ) from error
        present: dict[str, Any] = with_present_names(content)
        return present


def _taken(folder: Path) -> bool:
    """Return whether a folder holds more than a run that was killed before it wrote its configuration."""
    if not folder.exists():
        return False
    begun = not (folder / "run.toml").exists() and folder.is_dir()
    return not (
        begun and {path.name for path in folder.iterdir()} <= {"state", "plots", "data.json"}
    )
