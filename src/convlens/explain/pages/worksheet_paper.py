"""Worksheet paper: a page of A4 written from top to bottom: lines, blanks, and grids of numbers."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from convlens.charts.style import GREY, INK, RED, width
from convlens.explain.microscope.value import Floats

WIDTH, HEIGHT, EDGE = 8.27, 11.69, 0.75  # inches: A4
HALF = 0.085  # inches of half a Chinese character at 11.5 points
CHARACTER = 0.0074  # inches of a digit at one point
WIDEST = 7  # columns of grids that stand beside each other


@dataclass(frozen=True)
class Part:
    """A grid.

    Attributes:
        title: above it.
        values: (rows, columns).
        given: whether its numbers are printed on the sheet with blanks too.
        sign: what stands before it, as "×".
        heads: above the columns.
        answer: whether its numbers are answers, which stand in red.
    """

    title: str
    values: Floats
    given: bool
    sign: str = ""
    heads: tuple[str, ...] = ()
    answer: bool = False


@dataclass
class Paper:
    """A page; `y` is where the next line goes."""

    axes: Axes
    words: dict[str, str]
    y: float
    answers: bool
    decimals: int
    steps: int = 0

    def line(self, text: str, *, color: str = INK, size: float = 11, x: float = EDGE) -> None:
        """Write a line."""
        self.axes.text(x, self.y, text, fontsize=size, color=color, va="center")
        self.y += 0.3

    def note(self, text: str) -> None:
        """Write a small grey line."""
        self.line(text, color=GREY, size=9.5)

    def step(self, text: str) -> None:
        """Write a numbered line: what is to be done."""
        self.steps += 1
        self.line(f"{self.steps}.  {text}", size=11.5)

    def write(self, value: float) -> str:
        """Return a number."""
        return f"{value + 0.0:.{self.decimals}f}"

    def blank(self, before: str, value: float) -> None:
        """Write a line with a blank, or with its answer."""
        self.axes.text(EDGE, self.y, before, fontsize=11.5, va="center")
        x = EDGE + width(before) * HALF + 0.15
        self.axes.plot([x, x + 1.3], [self.y + 0.12] * 2, color=INK, linewidth=0.8)
        if self.answers:
            self.axes.text(
                x + 0.65,
                self.y,
                self.write(value),
                fontsize=11.5,
                color=RED,
                va="center",
                ha="center",
            )
        self.y += 0.45

    def grids(self, *parts: Part) -> None:
        """Draw grids beside each other with their signs between, or below each other where they are wide."""
        rows, columns = parts[0].values.shape
        below = columns > WIDEST or rows == 1
        across = 1 if below else len(parts)
        cell = min(0.52, (WIDTH - 2 * EDGE - 0.4 * (across - 1)) / (across * columns))
        longest = max(len(self.write(one)) for part in parts for one in part.values.flat)
        sizes = (cell, min(10.5, (cell - 0.06) / (longest * CHARACTER)))
        x = EDGE
        for part in parts:
            if part.sign and not below:
                middle = self.y + 0.1 + rows * cell / 2
                self.axes.text(x - 0.2, middle, part.sign, fontsize=14, ha="center", va="center")
            title = f"{part.sign} {part.title}" if part.sign and below else part.title
            self.axes.text(x, self.y, title, fontsize=9, color=GREY, va="center")
            if part.heads:
                self.y += 0.2
            self._grid(part, (x, self.y + 0.14), sizes)
            if below:
                self.y += rows * cell + 0.4
            else:
                x += columns * cell + 0.4
        self.y += 0.1 if below else rows * cell + 0.45

    def _grid(self, part: Part, corner: tuple[float, float], sizes: tuple[float, float]) -> None:
        """Draw numbers in squares; `sizes` are those of a square in inches and of the text in points."""
        cell, size = sizes
        color = RED if part.answer else INK
        for column, head in enumerate(part.heads):
            place = (corner[0] + (column + 0.5) * cell, corner[1] - 0.09)
            self.axes.text(*place, head, color=GREY, fontsize=8, ha="center", va="center")
        for row, line in enumerate(part.values.tolist()):
            for column, value in enumerate(line):
                x, y = corner[0] + column * cell, corner[1] + row * cell
                self.axes.add_patch(
                    Rectangle((x, y), cell, cell, fill=False, edgecolor="#999999", linewidth=0.7)
                )
                text = self.write(value) if part.given or self.answers else ""
                self.axes.text(
                    x + cell / 2,
                    y + cell / 2,
                    text,
                    color=color,
                    fontsize=size,
                    ha="center",
                    va="center_baseline",
                )
