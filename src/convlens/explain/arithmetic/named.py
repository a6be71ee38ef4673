"""Named images and filters small enough to compute by hand, and a user's own: typed, from a CSV or an image file."""

import csv
from pathlib import Path

import numpy as np

from convlens.errors import ConfigError, DataError
from convlens.explain.arithmetic.exact import Numbers, as_numbers, read_matrix
from convlens.preprocess import IMAGE_SUFFIXES, open_image

LARGEST = 40  # cells along a side whose numbers can still be read


def _draw_x(side: int) -> str:
    """Return an X of 1 on -1 whose arms leave a border of one cell."""
    inner = range(1, side - 1)
    rows = [
        " ".join(
            "1" if row in inner and column in (row, side - 1 - row) else "-1"
            for column in range(side)
        )
        for row in range(side)
    ]
    return "; ".join(rows)


IMAGES = {  # name -> (numbers, what it is)
    "x9": (_draw_x(9), "the X of deck 004, 9 x 9"),
    "seven": (
        "1 2 3 1 1 1 1; 4 5 6 1 1 1 1; 7 8 9 2 3 4 1; 1 1 1 1 1 0 2; 1 2 1 0 1 1 1; 1 3 4 2 1 1 1; 1 1 3 4 4 1 2",
        "the 7 x 7 numbers of deck 001",
    ),
    "pool-001": ("5 2 3 1; 4 1 1 6; 7 8 2 9; 1 1 1 1", "the 4 x 4 numbers that deck 001 pools"),
    "pool-004": ("1 3 2 9; 7 4 1 5; 8 5 2 3; 4 2 1 4", "the 4 x 4 numbers that deck 004 pools"),
}
FILTERS = {
    "left-diagonal": ("1 -1 -1; -1 1 -1; -1 -1 1", "deck 004's \\"),
    "cross": ("1 -1 1; -1 1 -1; 1 -1 1", "deck 004's X"),
    "right-diagonal": ("-1 -1 1; -1 1 -1; 1 -1 -1", "deck 004's /"),
    "plus": ("0 1 0; 1 1 1; 0 1 0", "deck 001's +"),
    "identity": ("0 0 0; 0 1 0; 0 0 0", "leaves an image as it is"),
    "blur": ("1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9", "the mean of nine cells"),
    "sharpen": ("0 -1 0; -1 5 -1; 0 -1 0", "a cell against its neighbours"),
    "edges": ("0 1 0; 1 -4 1; 0 1 0", "Laplace's: 0 where nothing changes"),
    "sobel-x": ("-1 0 1; -2 0 2; -1 0 1", "answers to upright edges"),
    "sobel-y": ("-1 -2 -1; 0 0 0; 1 2 1", "answers to level edges"),
}


def get_image(text: str) -> Numbers:
    """Return the (height, width, channels) numbers of a name, a file, or numbers such as '1 2; 3 4'.

    An image file is read as grey, 0 to 255; a CSV has a row a line.

    Raises:
        ConfigError: nothing of the kind, or not a matrix of numbers.
        DataError: a file that cannot be read, or with more than LARGEST cells along a side.
    """
    return _get(text, "--image", IMAGES)


def get_filter(text: str) -> Numbers:
    """Return the (height, width, channels) numbers of one filter; see `get_image`."""
    return _get(text, "--filter", FILTERS)


def _get(text: str, what: str, named: dict[str, tuple[str, str]]) -> Numbers:
    if text in named:
        return read_matrix(named[text][0], what)
    path = Path(text).expanduser()
    if path.suffix.lower() in (*IMAGE_SUFFIXES, ".csv"):
        values = _read_file(path)
    elif any(character.isdigit() for character in text) and not text.strip()[0].isalpha():
        values = read_matrix(text, what)
    else:
        raise ConfigError(
            f"{what} must be one of {', '.join(named)}, a CSV or image file, or numbers such as '1 2; 3 4'; "
            f"found {text!r}."
        )
    if max(values.shape[:2]) > LARGEST:
        raise DataError(
            f"{what} must have at most {LARGEST} x {LARGEST} cells, or nobody could read its numbers; found "
            f"{values.shape[0]} x {values.shape[1]}. Make it smaller first."
        )
    return values


def _read_file(path: Path) -> Numbers:
    if path.suffix.lower() != ".csv":
        return as_numbers(np.asarray(open_image(path).convert("L"))[..., None])[0]
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [" ".join(row) for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read as CSV; {getattr(error, 'strerror', None) or error}."
        ) from error
    return read_matrix("; ".join(rows), str(path))
