"""Predictions: the file `predictions.csv`, which says what was predicted for each scored image.

Its columns are file, true, predicted, and then the probability of each class under the name of the
class. The names of images are those of lists of corrections, see `Dataset.file_name`, so that they
stay the same when the images are moved together.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convlens.errors import RunError
from convlens.evaluation.evaluate import Evaluation
from convlens.evaluation.predictions import Predictions
from convlens.files import write_atomically
from convlens.language import N_, _
from convlens.reasons import damage_reason
from convlens.text import as_cell, of_cell, original, printable

PREDICTIONS = "predictions.csv"
COLUMNS = ("file", "true", "predicted")
DIGITS = 6  # significant digits of a probability
UNREADABLE = N_("{path}: this file of the run cannot be read; {reason}.")


def write_predictions(folder: Path, evaluation: Evaluation, files: Sequence[str]) -> None:
    """Write predictions.csv into the folder of a report, as spreadsheets open it, too.

    Args:
        folder: The folder.
        evaluation: The scores with the probabilities.
        files: The names of the images.

    Raises:
        StorageError: If the file cannot be written.
    """
    names = [as_cell(printable(name)) for name in evaluation.class_names]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, *names])
    rows = zip(
        files, evaluation.labels, evaluation.predicted, evaluation.probabilities, strict=True
    )
    for file, label, predicted, probabilities in rows:
        shares = [f"{share:.{DIGITS}g}" for share in probabilities.tolist()]
        writer.writerow([as_cell(printable(file)), names[label], names[predicted], *shares])
    write_atomically(folder / PREDICTIONS, "\ufeff" + text.getvalue(), _("the predictions"))


def read_predictions(folder: Path) -> Predictions:
    """Return the content of predictions.csv.

    Raises:
        RunError: If the file is missing or damaged.
    """
    path = folder / PREDICTIONS
    try:
        text = path.read_text(encoding="utf-8-sig")
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        return _parsed(header, rows)
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise RunError(_(UNREADABLE).format(path=path, reason=damage_reason(error))) from error


def _parsed(header: list[str], rows: list[list[str]]) -> Predictions:
    """Return the predictions of a table.

    Raises:
        ValueError: If a cell cannot be.
        LookupError: If a class is not among the columns.
    """
    spelled = header[len(COLUMNS) :]
    if tuple(header[: len(COLUMNS)]) != COLUMNS or not spelled:
        raise ValueError(COLUMNS)
    numbers = {name: number for number, name in enumerate(spelled)}
    shares = np.array([row[len(COLUMNS) :] for row in rows], np.float64)
    shares = shares.reshape(len(rows), len(spelled))
    if not ((shares >= 0) & (shares <= 1.001)).all():
        raise ValueError(PREDICTIONS)
    return Predictions(
        class_names=tuple(original(of_cell(name)) for name in spelled),
        files=tuple(original(of_cell(row[0])) for row in rows),
        labels=np.array([numbers[row[1]] for row in rows], np.int64),
        predicted=np.array([numbers[row[2]] for row in rows], np.int64),
        probabilities=shares,
    )
