"""Worksheet paper: a page of A4 that is written from top to bottom: lines, blanks and grids."""

from dataclasses import dataclass

from matplotlib.axes import Axes

from convlens.charts.style import GREY, INK, RED, width
from convlens.explain.microscope.layer import Floats
from convlens.explain.pages.canvas import Point, draw_cells, write

# Inches, all of them.
WIDTH = 8.27  # of A4
HEIGHT = 11.69
EDGE = 0.75
HALF = 0.085  # half a Chinese character at 11.5 points
CHARACTER = 0.0074  # a digit at one point
GAP = 0.4  # between grids

WIDEST = 7  # columns of grids that stand beside each other


@dataclass(frozen=True)
class Part:
    """A grid of a worksheet.

    Attributes:
        title: The title above it.
        values: The numbers (rows, columns).
        given: Whether the numbers are printed on the sheet with blanks too. If not, they are
            answers, which are printed in red.
        sign: The sign before the grid, as "×".
        heads: The texts above the columns.
    """

    title: str
    values: Floats
    given: bool
    sign: str = ""
    heads: tuple[str, ...] = ()


@dataclass
class Paper:
    """A page that is being written.

    Attributes:
        axes: The axes of a canvas of the size of A4.
        y: Where the next line goes, in inches from the top.
        answers: Whether the answers are printed.
        decimals: The number of decimals.
    """

    axes: Axes
    y: float
    answers: bool
    decimals: int

    def line(self, text: str, *, color: str = INK, size: float = 11) -> None:
        """Write a line."""
        write(self.axes, EDGE, self.y, text, fontsize=size, color=color)
        self.y += 0.3

    def note(self, text: str) -> None:
        """Write a small grey line."""
        self.line(text, color=GREY, size=9.5)

    def number(self, value: float) -> str:
        """Return a number as it is printed."""
        return f"{value + 0.0:.{self.decimals}f}"

    def blank(self, before: str, value: float) -> None:
        """Write "before =" and a blank, with the value in red if answers are printed."""
        before = f"{before} ="
        write(self.axes, EDGE, self.y, before, fontsize=11.5)
        x = EDGE + width(before) * HALF + 0.15
        self.axes.plot([x, x + 1.3], [self.y + 0.12] * 2, color=INK, linewidth=0.8)
        if self.answers:
            text = self.number(value)
            write(self.axes, x + 0.65, self.y, text, fontsize=11.5, color=RED, ha="center")
        self.y += 0.45

    def ruled_lines(self, count: int) -> None:
        """Draw lines to write on, as many of them as the page has room for."""
        for _ in range(count):
            if self.y < HEIGHT - EDGE - 0.3:
                ends = [EDGE, WIDTH - EDGE]
                self.axes.plot(ends, [self.y + 0.25] * 2, color="#BBBBBB", linewidth=0.7)
                self.y += 0.4

    def grids(self, *parts: Part) -> None:
        """Draw grids of one shape beside each other, or below each other if they are wide."""
        rows, columns = parts[0].values.shape
        below = columns > WIDEST or rows == 1
        across = 1 if below else len(parts)
        cell = min(0.52, (WIDTH - 2 * EDGE - GAP * (across - 1)) / (across * columns))
        longest = max(len(self.number(one)) for part in parts for one in part.values.flat)
        points = min(10.5, (cell - 0.06) / (longest * CHARACTER))
        x = EDGE
        for part in parts:
            title = part.title
            if part.sign and below:
                title = f"{part.sign} {part.title}"
            elif part.sign:
                middle = self.y + 0.1 + rows * cell / 2
                write(self.axes, x - 0.2, middle, part.sign, fontsize=14, ha="center")
            write(self.axes, x, self.y, title, fontsize=9, color=GREY)
            if part.heads:
                self.y += 0.2
            self._grid(part, (x, self.y + 0.14), cell, points)
            if below:
                self.y += rows * cell + GAP
            else:
                x += columns * cell + GAP
        self.y += 0.1 if below else rows * cell + 0.45

    def _grid(self, part: Part, corner: Point, cell: float, points: float) -> None:
        """Draw the numbers of a grid in squares with this side and this font size."""
        for column, head in enumerate(part.heads):
            x = corner[0] + (column + 0.5) * cell
            write(self.axes, x, corner[1] - 0.09, head, color=GREY, fontsize=8, ha="center")
        ink = INK if part.given else RED
        printed = part.given or self.answers
        squares = [
            [(self.number(value) if printed else "", ink, "white") for value in row]
            for row in part.values.tolist()
        ]
        draw_cells(self.axes, squares, corner, (cell, cell), points, "#999999")
