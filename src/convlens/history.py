"""History: the table `history.csv` of a run, with a row for each finished epoch."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convlens.errors import RunError
from convlens.files import storage_errors
from convlens.language import _

HISTORY_COLUMNS = (
    "epoch",
    "seconds",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
)

Row = dict[str, float | None]


def read_history(path: Path) -> list[Row]:
    """Return a row for each epoch; a value is None where it was not measured.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: float(value) if value else None for name, value in row.items()}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError) as error:
        raise RunError(
            _("{folder}: history.csv cannot be read; {reason}.").format(
                folder=path.parent, reason=getattr(error, "strerror", None) or error
            )
        ) from error


def write_history(path: Path, rows: Sequence[Mapping[str, Any]], *, append: bool) -> None:
    """Write rows after the rows that are there, or instead of them.

    Raises:
        StorageError: If the file cannot be written.
    """
    with (
        storage_errors(path, _("the history")),
        path.open("a" if append else "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        if not append:
            writer.writeheader()
        writer.writerows(rows)
