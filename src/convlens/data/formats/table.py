"""Table: a CSV file that lists images and their labels, path,label[,split][,group]."""

import csv
import io
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset, note_if, refuse_if, split_of
from convlens.data.formats.encoding import Reading, readings
from convlens.data.labels import encode_labels
from convlens.data.walk import located
from convlens.errors import DataError
from convlens.files import and_more
from convlens.language import _

# fmt: off
COLUMNS = {
    "path": (
        "path", "filename", "file_name", "file", "filepath", "file_path",
        "image", "image_path", "img", "picture",
    ),
    "label": ("label", "class", "class_name", "category", "target"),
    "split": ("split", "subset", "set"),
    "group": ("group", "group_id"),
}
# fmt: on
DELIMITERS = ",;\t|"
LEAST_LIKELY = 0.4  # of an encoding
LOOKED_UP = 200  # names on the disk, for each encoding


@dataclass(frozen=True)
class _Row:
    """A row of the table: its number in the file and its values by column."""

    number: int
    values: dict[str, str]


def load_csv(path: Path) -> Dataset:
    """Return the images that a CSV file lists; paths are relative to the folder of the file.

    The first row names the columns. The delimiter can be a comma, a semicolon, a tab or a bar.

    Raises:
        DataError: If a column, a label or an image is missing, a split is unknown, or two rows
            contradict each other.
    """
    base = path.resolve().parent
    reading, notes = _read(path, base)
    header, rows = _rows(path, reading.text)
    _refuse(
        [row for row in rows if not row.values["path"]],
        _("{path}: each row must name an image; it is empty in {rows}."),
        path=path,
    )
    rows, unlabelled = _without_unlabelled_splits(rows)
    notes += note_if(
        unlabelled, _("ignored rows: {number:,} of a split without any label"), number=unlabelled
    )
    _refuse(
        [row for row in rows if not row.values["label"]],
        _("{path}: each row must have a label; it is empty in {rows}."),
        path=path,
    )
    files = {row.number: located(base, row.values["path"], reading.encoding) for row in rows}
    _refuse(
        [row for row in rows if files[row.number] is None],
        _("{path}: each image must exist (paths start at {base}); missing: {rows}."),
        "path",
        path=path,
        base=base,
    )
    images = [file for file in files.values() if file is not None]
    kept = _first_mentions(path, rows, images)
    notes += note_if(
        len(kept) < len(rows),
        _("ignored rows: {number:,} that repeat an earlier row"),
        number=len(rows) - len(kept),
    )
    rows = [rows[i] for i in kept]
    splits = _splits(path, rows) if "split" in header else None
    groups = _groups(rows) if "group" in header else None
    names = np.array([unicodedata.normalize("NFC", row.values["label"]) for row in rows])
    labels, class_names = encode_labels([names], None, str(path))
    return Dataset(
        source=str(path),
        kind=_("a CSV file"),
        images=[images[i] for i in kept],
        labels=labels,
        class_names=class_names,
        splits=splits,
        groups=groups,
        notes=tuple(notes),
    )


def _groups(rows: list[_Row]) -> NDArray[np.str_]:
    """Return (n,) the groups that the rows name.

    An image without a group is a group of its own. The blank keeps its name apart from the names
    in the table, which are stripped.
    """
    return np.array([row.values["group"] or f" row {row.number}" for row in rows])


def _splits(path: Path, rows: list[_Row]) -> NDArray[np.str_]:
    """Return (n,) the splits that the rows name.

    Raises:
        DataError: If a row names none.
    """
    _refuse(
        [row for row in rows if split_of(row.values["split"]) is None],
        _("{path}: split must be train, val or test; found {rows}."),
        "split",
        path=path,
    )
    return np.array([split_of(row.values["split"]) for row in rows], dtype=np.str_)


def _without_unlabelled_splits(rows: list[_Row]) -> tuple[list[_Row], int]:
    """Return the rows without those of a val or test that has no label, and how many these are."""
    labelled = {split_of(row.values.get("split", "")) for row in rows if row.values["label"]}
    if "train" not in labelled:
        return rows, 0
    kept = [row for row in rows if split_of(row.values["split"]) in {None, *labelled}]
    return kept, len(rows) - len(kept)


def _read(path: Path, base: Path) -> tuple[Reading, list[str]]:
    """Return the text of the file, and a note if it is not in Unicode.

    Of several encodings, the one counts in which the most images and labels are names on the disk,
    and then the most likely one.

    Raises:
        DataError: If no encoding is likely.
    """
    found = readings(path.read_bytes())
    if len(found) == 1 and found[0].encoding.startswith("utf"):
        return found[0], []
    on_disk = [_names_on_disk(path, base, reading) for reading in found]
    rank = [(number, reading.likelihood) for number, reading in zip(on_disk, found, strict=True)]
    best = max(rank, default=(0, 0))
    if max(best) < LEAST_LIKELY:
        raise DataError(
            _(
                "{path}: a CSV file must be text in UTF-8; this one is not, and its encoding "
                "cannot be told. Save it as UTF-8 (in a spreadsheet: CSV UTF-8)."
            ).format(path=path)
        )
    reading = found[rank.index(best)]
    note = _(
        "the file is not in UTF-8 and was read as {name}; check that the class names are right, or "
        "save it as UTF-8"
    )
    return reading, [note.format(name=_(reading.name))]


def _names_on_disk(path: Path, base: Path, reading: Reading) -> int:
    """Return how many names beyond ASCII in a table are those of files and folders."""
    try:
        _, rows = _rows(path, reading.text)
    except DataError:
        return 0
    said = dict.fromkeys(row.values[column] for column in ("label", "path") for row in rows)
    names = [name for name in said if not name.isascii()][:LOOKED_UP]
    beside = {unicodedata.normalize("NFC", entry.stem) for entry in base.iterdir()}
    return sum(
        unicodedata.normalize("NFC", name) in beside
        or located(base, name, reading.encoding) is not None
        for name in names
    )


def _rows(path: Path, text: str) -> tuple[list[str], list[_Row]]:
    """Return the columns that were found, under our names, and the rows that are not blank."""
    start, first = _first_line(text)
    for delimiter in DELIMITERS:
        header = next(csv.reader([first], delimiter=delimiter), [])
        places = _places(header)
        if "path" in places and "label" in places:
            break
    else:
        raise DataError(
            _(
                "{path}: row {row} must name the columns path and label (and may name split and "
                "group); found {first!r}."
            ).format(path=path, row=start, first=first[:80])
        )
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header_row = start
    try:
        for row in reader:
            start = reader.line_num + 1
            if reader.line_num <= header_row or not any(cell.strip() for cell in row):
                continue
            refuse_if(
                len(row) > len(header),
                _(
                    "{path}: row {row} must have {expected} values; found {found}: {text!r}. Put a "
                    "value that holds {delimiter!r} in quotes."
                ),
                path=path,
                row=reader.line_num,
                expected=len(header),
                found=len(row),
                text=delimiter.join(row)[:80],
                delimiter=delimiter,
            )
            padded = row + [""] * (len(header) - len(row))
            values = {name: padded[place].strip() for name, place in places.items()}
            rows.append(_Row(reader.line_num, values))
    except csv.Error as error:
        raise DataError(
            _(
                "{path}: quotes must be closed and followed by {delimiter!r}; row {row} breaks "
                "this."
            ).format(path=path, delimiter=delimiter, row=start)
        ) from error
    if not rows:
        raise DataError(
            _("{path}: the table must list images; found a header and no rows.").format(path=path)
        )
    return list(places), rows


def _first_line(text: str) -> tuple[int, str]:
    """Return the first row that is not blank, with its number; Excel may put sep=; before it."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not re.fullmatch(r"sep=.", line.strip(), re.IGNORECASE):
            return number, line
    return 1, ""


def _places(header: list[str]) -> dict[str, int]:
    """Return the places of our columns in a header row."""
    plain = [cell.strip().casefold().replace(" ", "_") for cell in header]
    found = {
        column: next((name for name in names if name in plain), None)
        for column, names in COLUMNS.items()
    }
    return {column: plain.index(name) for column, name in found.items() if name is not None}


def _refuse(rows: list[_Row], message: str, column: str | None = None, **fields: Path) -> None:
    """Raise DataError if rows break a rule.

    Args:
        rows: The rows that break it; the first three are named.
        message: The template of the message, with a field `rows`.
        column: The column whose value is shown for each row.
        **fields: The other fields of the template.
    """
    rule = _("row {number}") if column is None else _("row {number} {value!r}")
    found = [rule.format(number=row.number, value=row.values.get(column or "")) for row in rows]
    refuse_if(rows, message, rows=and_more(found, 3), **fields)


def _first_mentions(path: Path, rows: list[_Row], images: list[Path]) -> list[int]:
    """Return the indices of the rows that name their image first.

    Raises:
        DataError: If a later row says something else about the same image.
    """
    seen: dict[str, int] = {}
    for i, (row, image) in enumerate(zip(rows, images, strict=True)):
        first = rows[seen.setdefault(os.path.normpath(image), i)]
        said = [value for name, value in first.values.items() if name != "path"]
        says = [value for name, value in row.values.items() if name != "path"]
        refuse_if(
            said != says,
            _(
                "{path}: rows {first} and {second} must agree on {image!r}; found {said} and "
                "{says}."
            ),
            path=path,
            first=first.number,
            second=row.number,
            image=row.values["path"],
            said=said,
            says=says,
        )
    return list(seen.values())
