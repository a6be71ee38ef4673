"""Reading: images, filters and rows of numbers from text, from files and by name.

The named ones are small enough to compute by hand. `get_image` and `get_filter` are also
`convlens.get_image` and `convlens.get_filter`.
"""

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from convlens.errors import ConfigError, DataError
from convlens.explain.arithmetic.exact import Numbers, as_numbers, write_shape
from convlens.files import expanded
from convlens.image_file import IMAGE_SUFFIXES
from convlens.language import _, listed
from convlens.preprocess import open_image
from convlens.reasons import damage_reason

# Squares and sums of numbers up to this size stay finite.
LARGEST = 1e100
# An exponent of four digits. A Fraction has all digits of such a number, which may be millions.
LONG_EXPONENT = re.compile(r"[eE][+-]?0*[1-9]\d{3}")
# The longest side of an image, in cells, whose numbers can still be read.
MOST_CELLS = 40
IMAGES = {
    # The X of lecture 004.
    "x9": "-1 -1 -1 -1 -1 -1 -1 -1 -1; "
    "-1 1 -1 -1 -1 -1 -1 1 -1; "
    "-1 -1 1 -1 -1 -1 1 -1 -1; "
    "-1 -1 -1 1 -1 1 -1 -1 -1; "
    "-1 -1 -1 -1 1 -1 -1 -1 -1; "
    "-1 -1 -1 1 -1 1 -1 -1 -1; "
    "-1 -1 1 -1 -1 -1 1 -1 -1; "
    "-1 1 -1 -1 -1 -1 -1 1 -1; "
    "-1 -1 -1 -1 -1 -1 -1 -1 -1",
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


def read_numbers(text: str, what: str = "") -> Numbers:
    """Return the numbers of a line such as "1 -2/3 0.5", separated by blanks or commas.

    Whole numbers and fractions stay exact. If one number has a decimal point, all become float64.

    Args:
        text: The line.
        what: The name of the numbers in an error message, such as "--target"; "numbers" if not
            given.

    Raises:
        ConfigError: If there is no number, or if a word is not a number.
    """
    what = what or _("numbers")
    words = text.replace(",", " ").split()
    if not words:
        raise ConfigError(
            _("{what} must be numbers separated by blanks, such as '1 0 -1'; found none.").format(
                what=what
            )
        )
    return as_numbers(np.array([_read(word, what) for word in words], dtype=object))[0]


def _read(word: str, what: str) -> Fraction | float:
    """Return one number: a float where it is written with a point or an exponent."""
    plain = word.replace("−", "-")
    try:
        value = Fraction("" if LONG_EXPONENT.search(plain) else plain)
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(
            _("{what}: {word!r} is not a number; write 2, -1, 1/3 or 0.5.").format(
                what=what, word=word
            )
        ) from error
    if abs(value) > LARGEST:
        raise ConfigError(
            _("{what}: numbers must lie within -{most:.0e} and {most:.0e}; found {word}.").format(
                what=what, most=LARGEST, word=word
            )
        )
    return float(value) if re.search(r"[.eE]", word) else value


def read_matrix(text: str, what: str = "") -> Numbers:
    """Return the numbers of a text in which ";" ends a row and "|" ends a channel.

    Args:
        text: The text, such as "1 2; 3 4 | 0 0; 0 1".
        what: The name of the numbers in an error message, such as "--filter"; "the matrix" if not
            given.

    Returns:
        The numbers, shaped (height, width, channels).

    Raises:
        ConfigError: If rows differ in length, if channels differ in size, or if a word is not a
            number.

    Example:
        >>> read_matrix("1 2; 3 4 | 0 0; 0 1").shape
        (2, 2, 2)
    """
    what = what or _("the matrix")
    channels = [_read_channel(part, what) for part in text.split("|")]
    if len({channel.shape for channel in channels}) > 1:
        raise ConfigError(
            _("{what}: all channels must have one size; found {sizes}.").format(
                what=what, sizes=listed(write_shape(channel.shape) for channel in channels)
            )
        )
    return np.stack(as_numbers(*channels), axis=-1)


def _read_channel(text: str, what: str) -> Numbers:
    lines = text.strip().strip(";").split(";")
    rows = [read_numbers(line, what) for line in lines]
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        if len(row) != len(rows[0]):
            raise ConfigError(
                _(
                    "{what}: every row must have as many numbers as the first, {count}; row "
                    "{number} has {found}: {line!r}."
                ).format(
                    what=what, count=len(rows[0]), number=number, found=len(row), line=line.strip()
                )
            )
    return np.stack(as_numbers(*rows))


def get_image(text: str) -> Numbers:
    """Return the numbers of an image, shaped (height, width, channels).

    Args:
        text: A name of IMAGES; the path of a CSV with one line for each row, or of an image file,
            which is read as grey from 0 to 255; or numbers such as "1 2; 3 4".

    Raises:
        ConfigError: If it is nothing of the kind, or no matrix of numbers.
        DataError: If a file cannot be read, or if a side has more than MOST_CELLS cells.

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
    path = expanded(text)
    if path.suffix.lower() in (*IMAGE_SUFFIXES, ".csv"):
        values = _read_file(path)
    elif any(character.isdigit() for character in text) and not text.strip()[0].isalpha():
        values = read_matrix(text, what)
    else:
        raise ConfigError(
            _(
                "{what} must be one of {names}, a CSV or image file, or numbers such as '1 2; 3 "
                "4'; found {text!r}."
            ).format(what=what, names=listed(named), text=text)
        )
    height, width = values.shape[:2]
    if max(height, width) > MOST_CELLS:
        raise DataError(
            _(
                "{what} must have at most {most} x {most} cells, so that its numbers can be read; "
                "found {height} x {width}. Make it smaller first."
            ).format(what=what, most=MOST_CELLS, height=height, width=width)
        )
    return values


def _read_file(path: Path) -> Numbers:
    if path.suffix.lower() != ".csv":
        return as_numbers(np.asarray(open_image(path).convert("L"))[..., None])[0]
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [" ".join(row) for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            _("{path}: the file cannot be read as CSV; {reason}.").format(
                path=path, reason=damage_reason(error)
            )
        ) from error
    return read_matrix("; ".join(rows), str(path))
