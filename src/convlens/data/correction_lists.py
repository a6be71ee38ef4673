"""Correction lists: CSV files that say what to do with images, as a table in a spreadsheet.

Each row names an image file, or the number of an image of an array, and an action:

    exclude   the image is not used
    relabel   the image belongs to the class in the column value
    group     images with the same value stay in one split
    look      nothing; somebody is to look at the image, and to change the action

The columns code, note and run say why the row is there; they are for people.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from convlens.data.dataset import refuse_if
from convlens.data.formats.encoding import Reading, readings
from convlens.errors import DataError
from convlens.files import and_more, expanded, write_atomically
from convlens.language import _, listed
from convlens.reasons import system_reason
from convlens.text import as_cell, of_cell, printable

ACTIONS = ("exclude", "relabel", "group", "look")
NEEDS_VALUE = ("relabel", "group")
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Correction:
    """A row of a list.

    Attributes:
        file: The name of an image, see `Dataset.file_name`.
        action: One of `ACTIONS`.
        value: The class or the group.
        code: The code of the finding that proposes it, see `convlens.audit.codes`.
        note: What a person should know.
        run: The run whose classifier doubts the image, or nothing.
        row: The number of the line in the file; not written.
    """

    file: str
    action: str
    value: str = ""
    code: str = ""
    note: str = ""
    run: str = ""
    row: int = 0


COLUMNS = tuple(field.name for field in fields(Correction) if field.name != "row")


@dataclass(frozen=True)
class CorrectionList:
    """A list as it was read.

    Attributes:
        path: Where it lies.
        content: Its bytes, which are copied into the run folder.
        encoding: The encoding in which it was written.
        corrections: Its rows.
    """

    path: Path
    content: bytes
    encoding: str
    corrections: tuple[Correction, ...]

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.content).hexdigest()


def write_list(path: Path, corrections: Iterable[Correction]) -> None:
    """Write a list that spreadsheets open, too.

    The byte-order mark makes Excel read it as UTF-8. Names that are not UTF-8 have their odd bytes
    escaped, those that would be computed as formulas have an apostrophe before them, and
    `read_list` turns both back.

    Raises:
        StorageError: If the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in corrections:
        writer.writerow([as_cell(printable(getattr(one, column))) for column in COLUMNS])
    write_atomically(path, "\ufeff" + text.getvalue(), _("the list"))


def read_list(path: str | Path) -> CorrectionList:
    """Return a list, also as a spreadsheet has saved it.

    The delimiter can be a comma, a semicolon, a tab or a bar, and the encoding any that
    `convlens.data.formats.encoding` knows. Columns are found by their name, in any order.

    Raises:
        DataError: If the file cannot be read, lacks a column, or has a row that cannot be obeyed.
    """
    place = expanded(path)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise DataError(
            _("{path}: the list cannot be read; {reason}.").format(
                path=path, reason=system_reason(error)
            )
        ) from error
    likely = max(readings(content), key=_likelihood, default=None)
    if likely is None:
        raise DataError(
            _(
                "{path}: a list must be text in UTF-8; this one is not, and its encoding cannot be "
                "told. Save it as UTF-8 (in a spreadsheet: CSV UTF-8)."
            ).format(path=path)
        )
    corrections = tuple(_corrections(place, likely.text))
    return CorrectionList(place, content, likely.encoding, corrections)


def _likelihood(reading: Reading) -> float:
    return reading.likelihood


def _corrections(path: Path, text: str) -> Iterable[Correction]:
    """Yield the rows of a list.

    Raises:
        DataError: If a row cannot be obeyed.
    """
    header, rows = _table(path, text)
    for number, row in rows:
        cells = dict(zip(header, row, strict=False))
        values = {column: of_cell(cells.get(column, "").strip()) for column in COLUMNS}
        # A file may have a blank at its end, but not a class.
        values["file"] = of_cell(cells.get("file", ""))
        refuse_if(
            not values["file"].strip(),
            _("{path}: row {row}: the column file must name an image; it is empty."),
            path=path,
            row=number,
        )
        values["action"] = values["action"].lower()
        refuse_if(
            values["action"] not in ACTIONS,
            _("{path}: row {row}: the action must be one of {known}; found {action!r}."),
            path=path,
            row=number,
            known=listed(ACTIONS),
            action=values["action"],
        )
        refuse_if(
            values["action"] in NEEDS_VALUE and not values["value"],
            _(
                "{path}: row {row}: {action} needs the name of the class or group in the column "
                "value; it is empty."
            ),
            path=path,
            row=number,
            action=values["action"],
        )
        yield Correction(**values, row=number)


def _table(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the columns in lower case, and the rows that are not blank with their numbers.

    Raises:
        DataError: If there is no column for files or actions, or quotes are not closed.
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    skipped = first.strip().lower().startswith("sep=")  # a line that Excel may write
    if skipped:
        text = text.split("\n", 1)[1] if "\n" in text else ""
        first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    # A file may be cut off, or come from another program, so that a quote is left open.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    start = 1 + skipped
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((start, row))
            start = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise DataError(
            _(
                "{path}: quotes must be closed and followed by {delimiter!r}; row {row} breaks "
                "this."
            ).format(path=path, delimiter=delimiter, row=start)
        ) from error
    header = [cell.strip().lower().lstrip("\ufeff") for cell in rows[0][1]] if rows else []
    missing = [column for column in ("file", "action") if column not in header]
    refuse_if(
        missing,
        _("{path}: the first row of a list must name its columns, {columns}; found {first}."),
        path=path,
        columns=listed(COLUMNS),
        first=and_more(header, 6) or _("none"),
    )
    return header, rows[1:]
