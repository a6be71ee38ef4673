"""Page: what a calculation shows, once for terminal, PNG and HTML: grids of numbers, lines, tables and curves."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.sizes import Border
from convlens.explain.arithmetic.writing import write_numbers

WHITE, ABOVE, BELOW = (
    (255, 255, 255),
    (0, 114, 178),
    (224, 138, 0),
)  # the last two: style.BLUE, style.ORANGE
NO_BORDER = Border()
DEEPEST = 0.55  # of the colour, so that black numbers can be read on it

Mark = tuple[int, int, int, int]  # first row, one past the last, first column, one past the last


@dataclass(frozen=True)
class Grid:
    """Numbers in rows and columns.

    Attributes:
        values: (rows, columns), its border included.
        title: above it.
        border: how many of the cells are border.
        mark: cells to be outlined.
        opens: opens a cell (row, column) for the HTML page; None where there is nothing to open.
        source: whether an opened cell marks its window here.
        largest: the absolute value with the deepest colour; the largest of its own where not given.
        decimals: after the point.
    """

    values: Numbers
    title: str = ""
    border: Border = NO_BORDER
    mark: Mark | None = None
    opens: "Callable[[int, int], Opened] | None" = None
    source: bool = False
    largest: float | None = None
    decimals: int = 3

    def is_border(self, row: int, column: int) -> bool:
        """Return whether a cell belongs to the border."""
        top, bottom, left, right = self.border
        rows, columns = self.values.shape
        return not (top <= row < rows - bottom and left <= column < columns - right)

    def texts(self) -> list[list[str]]:
        """Return the numbers for the eye."""
        rows, columns = self.values.shape
        texts = write_numbers(self.values, self.decimals)
        return [texts[row * columns : (row + 1) * columns] for row in range(rows)]

    def colors(self) -> list[list[str]]:
        """Return "#rrggbb" of each cell: blue above 0, orange below, white for 0 and the border."""
        numbers = self.values.astype(np.float64)
        largest = self.largest or float(np.abs(numbers).max()) or 1.0
        return [
            [
                "#ffffff" if self.is_border(r, c) else _color(value / largest)
                for c, value in enumerate(row)
            ]
            for r, row in enumerate(numbers.tolist())
        ]


def _color(share: float) -> str:
    depth, full = min(abs(share), 1.0) * DEEPEST, ABOVE if share > 0 else BELOW
    return "#" + "".join(
        f"{round(w + (f - w) * depth):02x}" for w, f in zip(WHITE, full, strict=True)
    )


@dataclass(frozen=True)
class Row:
    """Grids beside each other with signs between, as image ∗ filter = map."""

    items: tuple[Grid | str, ...]


@dataclass(frozen=True)
class Lines:
    """Lines of a calculation, (name, text) each; the texts stand below each other."""

    lines: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of texts; columns of numbers stand to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    def is_right(self, column: int) -> bool:
        """Return whether a column is one of numbers."""
        return all(re.fullmatch(r"(all|-?[\d.,/e+-]+( x \d+)*)?", row[column]) for row in self.rows)


@dataclass(frozen=True)
class Curve:
    """A curve, with points on it.

    Attributes:
        title: above it.
        across: what the horizontal axis is.
        up: what the vertical axis is.
        line: (x, y) of the curve.
        points: (x, y) to be marked.
        log: whether the vertical axis is logarithmic.
        bound: a level to be drawn, or None.
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
    """A cell of a map, opened: the window to mark in the sources, and its calculation."""

    mark: Mark
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A title, facts (name, text), and blocks one below the other."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    blocks: tuple[Block, ...] = field(default=())
