"""Page: a calculation as blocks of grids, lines, tables and curves, whatever shows it.

The views build pages. `terminal` prints a page, `drawing` makes a figure of it, and `html` a file
for a browser.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.windows import Border
from convlens.explain.arithmetic.writing import write_numbers

WHITE = (255, 255, 255)
ABOVE = (0, 114, 178)  # BLUE of convlens.charts.style
BELOW = (224, 138, 0)  # ORANGE of convlens.charts.style
DEEPEST = 0.55  # share of a colour, so that black digits can be read on it
NO_BORDER = Border()

Mark = tuple[int, int, int, int]  # first row, one past the last, first column, one past the last


class Cell(NamedTuple):
    """A cell of a grid.

    Attributes:
        text: The number.
        color: The background as "#rrggbb": blue above 0, orange below, white for 0 and the border.
        border: Whether the cell belongs to the border.
        marked: Whether the cell is outlined.
    """

    text: str
    color: str
    border: bool
    marked: bool


@dataclass(frozen=True)
class Grid:
    """Numbers in rows and columns.

    Attributes:
        values: The numbers (rows, columns), including the border.
        title: The title above the grid.
        border: How many rows and columns of the grid are border.
        mark: The cells that are outlined.
        opens: A function that opens a cell (row, column) for HTML; None if nothing opens.
        source: Whether an opened cell marks its window in this grid.
        largest: The absolute value with the deepest colour; by default the largest of the grid.
        decimals: The number of decimals.
    """

    values: Numbers
    title: str = ""
    border: Border = NO_BORDER
    mark: Mark | None = None
    opens: "Callable[[int, int], Opened] | None" = None
    source: bool = False
    largest: float | None = None
    decimals: int = 3

    def cells(self) -> list[list[Cell]]:
        """Return the cells, row by row."""
        rows, columns = self.values.shape
        texts = write_numbers(self.values, self.decimals)
        numbers = self.values.astype(np.float64)
        largest = self.largest or float(np.abs(numbers).max()) or 1.0
        inside = np.zeros((rows, columns), bool)
        inside[
            self.border.top : rows - self.border.bottom,
            self.border.left : columns - self.border.right,
        ] = True
        marked = np.zeros((rows, columns), bool)
        top, bottom, left, right = self.mark or (0, 0, 0, 0)
        marked[top:bottom, left:right] = True
        return [
            [
                Cell(
                    texts[row * columns + column],
                    _color(numbers[row, column] / largest if inside[row, column] else 0.0),
                    not inside[row, column],
                    bool(marked[row, column]),
                )
                for column in range(columns)
            ]
            for row in range(rows)
        ]


def _color(share: float) -> str:
    """Return the colour of a value, given as a share of the value with the deepest colour."""
    depth = DEEPEST * min(abs(share), 1.0)
    full = ABOVE if share > 0 else BELOW
    mixed = [round(white + (one - white) * depth) for white, one in zip(WHITE, full, strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*mixed)


@dataclass(frozen=True)
class Row:
    """Grids beside each other with signs between them, as image ∗ filter = map."""

    items: tuple[Grid | str, ...]


def intersperse(sign: str, grids: Sequence[Grid]) -> list[Grid | str]:
    """Return grids with a sign between each two."""
    return [item for grid in grids for item in (sign, grid)][1:]


@dataclass(frozen=True)
class Lines:
    """Lines of a calculation, each a name and a text."""

    lines: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of texts. Columns of numbers are aligned to the right.

    Attributes:
        columns: The headings.
        rows: The texts, row by row.
        title: The title above the table.
        words: Words that stand in the place of a number, such as "all".
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    words: tuple[str, ...] = ()

    def is_right(self, column: int) -> bool:
        """Return whether a column is one of numbers."""
        texts = [row[column] for row in self.rows if row[column] not in self.words]
        return all(re.fullmatch(r"(-?[\d.,/e+-]+( x \d+)*)?", text) for text in texts)


@dataclass(frozen=True)
class Curve:
    """A curve with points on it.

    Attributes:
        title: The title above it.
        across: The label of the horizontal axis.
        up: The label of the vertical axis.
        line: The points (x, y) that the curve connects.
        points: The points (x, y) that are marked.
        log: Whether the vertical axis is logarithmic.
        bound: The height of a dashed horizontal line, or None.
    """

    title: str
    across: str
    up: str
    line: tuple[Numbers, Numbers]
    points: tuple[Numbers, Numbers] | None = None
    log: bool = False
    bound: float | None = None


Block = Row | Lines | Table | Curve


@dataclass(frozen=True)
class Opened:
    """An opened cell of a map: the window to mark in the sources, and the calculation."""

    mark: Mark
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A title, facts as pairs of a name and a text, and blocks from top to bottom."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    blocks: tuple[Block, ...] = ()
