"""Named: images and filters small enough to compute by hand, and those of a user.

Those of a user are typed, or come from a CSV or an image file. The functions of this module are
`convlens.get_image` and `convlens.get_filter`.
"""

import csv
from pathlib import Path

import numpy as np

from convlens.errors import ConfigError, DataError
from convlens.explain.arithmetic.exact import Numbers, as_numbers, read_matrix
from convlens.preprocess import IMAGE_SUFFIXES, open_image

# The longest side of an image, in cells, whose numbers can still be read.
LARGEST = 40


def _draw_x(side: int) -> str:
    """Return an X of 1 on -1 whose arms leave a border of one cell."""
    image = np.full((side, side), -1)
    for place in range(1, side - 1):
        image[place, [place, side - 1 - place]] = 1
    return "; ".join(" ".join(map(str, row)) for row in image)


IMAGES = {
    # The X of lecture 004.
    "x9": _draw_x(9),
    # The image of lecture 001.
    "seven": "1 2 3 1 1 1 1; 4 5 6 1 1 1 1; 7 8 9 2 3 4 1; 1 1 1 1 1 0 2; 1 2 1 0 1 1 1; "
    "1 3 4 2 1 1 1; 1 1 3 4 4 1 2",
    # The numbers that lecture 001 pools, and those that lecture 004 pools.
    "pool-001": "5 2 3 1; 4 1 1 6; 7 8 2 9; 1 1 1 1",
    "pool-004": "1 3 2 9; 7 4 1 5; 8 5 2 3; 4 2 1 4",
}
FILTERS = {
    # The filters \, X and / of lecture 004, and + of lecture 001.
    "left-diagonal": "1 -1 -1; -1 1 -1; -1 -1 1",
    "cross": "1 -1 1; -1 1 -1; 1 -1 1",
    "right-diagonal": "-1 -1 1; -1 1 -1; 1 -1 -1",
    "plus": "0 1 0; 1 1 1; 0 1 0",
    # The image itself, the mean of nine cells, and a cell against its neighbours.
    "identity": "0 0 0; 0 1 0; 0 0 0",
    "blur": "1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9",
    "sharpen": "0 -1 0; -1 5 -1; 0 -1 0",
    # The operator of Laplace, and those of Sobel for vertical and for horizontal edges.
    "edges": "0 1 0; 1 -4 1; 0 1 0",
    "sobel-x": "-1 0 1; -2 0 2; -1 0 1",
    "sobel-y": "-1 -2 -1; 0 0 0; 1 2 1",
}


def get_image(text: str) -> Numbers:
    """Return the numbers of an image, shaped (height, width, channels).

    Args:
        text: A name of IMAGES; the path of a CSV with one line for each row, or of an image file,
            which is read as grey from 0 to 255; or numbers such as "1 2; 3 4".

    Raises:
        ConfigError: If it is nothing of the kind, or no matrix of numbers.
        DataError: If a file cannot be read, or if a side has more than LARGEST cells.

    Example:
        >>> get_image("pool-001")[..., 0].tolist()[0]
        [Fraction(5, 1), Fraction(2, 1), Fraction(3, 1), Fraction(1, 1)]
    """
    return _get(text, "--image", IMAGES)


def get_filter(text: str) -> Numbers:
    """Return the numbers of one filter, shaped (height, width, channels); see `get_image`.

    Args:
        text: A name of FILTERS, the path of a CSV or image file, or numbers such as "1 0; 0 1".

    Raises:
        ConfigError: See `get_image`.
        DataError: See `get_image`.
    """
    return _get(text, "--filter", FILTERS)


def _get(text: str, what: str, named: dict[str, str]) -> Numbers:
    if text in named:
        return read_matrix(named[text], what)
    path = Path(text).expanduser()
    if path.suffix.lower() in (*IMAGE_SUFFIXES, ".csv"):
        values = _read_file(path)
    elif any(character.isdigit() for character in text) and not text.strip()[0].isalpha():
        values = read_matrix(text, what)
    else:
        raise ConfigError(
            "{what} must be one of {names}, a CSV or image file, or numbers such as '1 2; 3 4'; "
            "found {text!r}.".format(what=what, names=", ".join(named), text=text)
        )
    height, width = values.shape[:2]
    if max(height, width) > LARGEST:
        raise DataError(
            "{what} must have at most {most} x {most} cells, so that its numbers can be read; "
            "found {height} x {width}. Make it smaller first.".format(
                what=what, most=LARGEST, height=height, width=width
            )
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
            "{path}: the file cannot be read as CSV; {reason}.".format(
                path=path, reason=getattr(error, "strerror", None) or error
            )
        ) from error
    return read_matrix("; ".join(rows), str(path))
