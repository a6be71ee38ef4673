"""History: the table `history.csv` of a run, with a row for each finished epoch."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convlens.errors import RunError
from convlens.files import write_atomically
from convlens.language import _, listed
from convlens.reasons import damage_reason

HISTORY_COLUMNS = (
    "epoch",
    "seconds",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
)

TRIED_COLUMNS = ("strength", "val_log_loss", "val_accuracy")  # of a linear head

Row = dict[str, float | None]


def read_history(path: Path, columns: Sequence[str] = HISTORY_COLUMNS) -> list[Row]:
    """Return a row for each epoch; a value is None where it was not measured.

    Args:
        path: The table.
        columns: The columns that it must have. The strengths that were tried for a linear head are
            such a table, too.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if "\0" in text:  # as after a power cut
            raise ValueError(_("it has zeros in place of text"))
        rows = csv.DictReader(io.StringIO(text))
        missing = [name for name in columns if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(_("it lacks the columns {names}").format(names=listed(missing)))
        return [
            {name: float(value) if value else None for name, value in row.items()} for row in rows
        ]
    except (OSError, TypeError, ValueError, csv.Error) as error:
        raise RunError(
            _("{folder}: {name} cannot be read; {reason}.").format(
                folder=path.parent, name=path.name, reason=damage_reason(error)
            )
        ) from error


def write_history(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of all finished epochs; the file is replaced as a whole.

    Raises:
        StorageError: If the file cannot be written. The previous rows stay.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HISTORY_COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue(), _("the history"))
