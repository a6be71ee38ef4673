"""A CSV file that lists images and their labels: path,label[,split][,group]."""

import csv
import io
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convlens.data.dataset import Dataset, split_of
from convlens.data.formats.npz import encode_labels
from convlens.errors import DataError

COLUMNS = {
    "path": (
        "path",
        "filename",
        "file_name",
        "file",
        "filepath",
        "file_path",
        "image",
        "image_path",
        "img",
        "picture",
    ),
    "label": ("label", "class", "class_name", "category", "target"),
    "split": ("split", "subset", "set"),
    "group": ("group", "group_id"),
}
DELIMITERS = ",;\t|"
ENCODINGS = {"utf-8-sig": "UTF-8", "cp950": "Big5 (cp950)", "gb18030": "GB18030"}


@dataclass(frozen=True)
class _Row:
    """A line of the table: its number and its values by column."""

    number: int
    values: dict[str, str]


def load_csv(path: Path) -> Dataset:
    """Return the images that a CSV file lists; paths are relative to the file's folder.

    The first row names the columns; the delimiter may be a comma, semicolon, tab or bar.

    Raises:
        DataError: a column, label or image is missing, a split is unknown, or two rows contradict each other.
    """
    text, notes = _text(path)
    header, rows = _rows(path, text)
    base = path.resolve().parent
    _refuse(
        path, [r for r in rows if not r.values["path"]], "each row must name an image; empty in"
    )
    _refuse(
        path, [r for r in rows if not r.values["label"]], "each row must have a label; empty in"
    )
    files = [_locate(base, row.values["path"]) for row in rows]
    missing = [row for row, file in zip(rows, files, strict=True) if file is None]
    _refuse(path, missing, f"each image must exist (paths start at {base}); missing:", "path")
    images = [file for file in files if file is not None]
    kept = _first_mentions(path, rows, images)
    if len(kept) < len(rows):
        notes.append(f"passed over: {len(rows) - len(kept):,} that repeat an earlier row")
    rows, images = [rows[i] for i in kept], [images[i] for i in kept]
    splits = None
    if "split" in header:
        unknown = [row for row in rows if split_of(row.values["split"]) is None]
        _refuse(path, unknown, "split must be train, val or test; found", "split")
        splits = np.array([split_of(row.values["split"]) for row in rows], dtype=np.str_)
    groups = None
    if (
        "group" in header
    ):  # an empty cell is a group of its own; the blank keeps it apart from names, which are stripped
        groups = np.array([row.values["group"] or f" row {row.number}" for row in rows])
    names = np.array([unicodedata.normalize("NFC", row.values["label"]) for row in rows])
    labels, class_names = encode_labels([names], None, str(path))
    return Dataset(
        str(path), "a CSV file", images, labels, class_names, splits, groups, tuple(notes)
    )


def _text(path: Path) -> tuple[str, list[str]]:
    """Return the text of the file and a note where it is not UTF-8."""
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), []
    for encoding, name in ENCODINGS.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        remark = (
            f"the file is not UTF-8; it was read as {name}: look whether the class names are right"
        )
        return text, [] if encoding == "utf-8-sig" else [remark]
    raise DataError(
        f"{path}: a CSV file must be text in UTF-8; it cannot be read as {', '.join(ENCODINGS.values())}."
    )


def _rows(path: Path, text: str) -> tuple[list[str], list[_Row]]:
    """Return the columns found, by our names, and the rows that are not blank."""
    first = (text.splitlines() or [""])[0]
    for delimiter in DELIMITERS:
        header = next(csv.reader([first], delimiter=delimiter), [])
        places = _places(header)
        if "path" in places and "label" in places:
            break
    else:
        raise DataError(
            f"{path}: row 1 must name the columns path and label (split, group); found {first[:80]!r}."
        )
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for row in reader:
            start = reader.line_num + 1
            if reader.line_num > 1 and any(cell.strip() for cell in row):
                if len(row) > len(header):
                    raise DataError(
                        f"{path}: row {reader.line_num} must have {len(header)} values; found {len(row)}: "
                        f"{delimiter.join(row)[:80]!r}. Put a value that holds {delimiter!r} in quotes."
                    )
                padded = row + [""] * (len(header) - len(row))
                rows.append(
                    _Row(reader.line_num, {name: padded[i].strip() for name, i in places.items()})
                )
    except csv.Error as error:
        raise DataError(
            f"{path}: quotes must be closed and followed by {delimiter!r}; row {start}: {error}."
        ) from error
    if not rows:
        raise DataError(f"{path}: the table must list images; found a header and no rows.")
    return list(places), rows


def _places(header: list[str]) -> dict[str, int]:
    """Return where our columns stand in a header row."""
    plain = [cell.strip().casefold().replace(" ", "_") for cell in header]
    found = {
        ours: next((plain.index(n) for n in names if n in plain), None)
        for ours, names in COLUMNS.items()
    }
    return {ours: place for ours, place in found.items() if place is not None}


def _locate(base: Path, name: str) -> Path | None:
    """Return the file that a row names, also where the table was written on Windows."""
    for spelling in (name, name.replace("\\", "/")):
        if (base / spelling).is_file():
            return base / spelling
    return None


def _refuse(path: Path, rows: list[_Row], rule: str, column: str | None = None) -> None:
    """Raise DataError for rows that break a rule, naming the first three."""
    if not rows:
        return
    first = [
        f"row {row.number}" + (f" {row.values[column]!r}" if column else "") for row in rows[:3]
    ]
    more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    raise DataError(f"{path}: {rule} {', '.join(first)}{more}.")


def _first_mentions(path: Path, rows: list[_Row], images: list[Path]) -> list[int]:
    """Return the indices of the rows that name an image first; raise DataError where a later one contradicts."""
    seen: dict[str, int] = {}
    for i, (row, image) in enumerate(zip(rows, images, strict=True)):
        first = rows[seen.setdefault(os.path.normpath(image), i)]
        said, says = (
            [row.values[name] for name in row.values if name != "path"] for row in (first, row)
        )
        if said != says:
            raise DataError(
                f"{path}: rows {first.number} and {row.number} must agree on {row.values['path']!r}; "
                f"found {said} and {says}."
            )
    return list(seen.values())
