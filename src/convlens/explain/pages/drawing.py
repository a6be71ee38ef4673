"""Drawing: a page of a calculation as one figure, in the look of all charts."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogFormatter, MaxNLocator
from matplotlib.transforms import Bbox, TransformedBbox

from convlens.charts.style import BLUE, GREY, INK, LINE, ORANGE, RED, Chart, style, width
from convlens.explain.pages.canvas import (
    Point,
    Shown,
    draw_cells,
    draw_shown,
    open_canvas,
    outline,
    resize_canvas,
    write,
)
from convlens.explain.pages.page import Block, Curve, Grid, Lines, Page, Row, Table

# Inches, all of them.
EDGE = 0.45  # around the page
GAP = 0.34  # between blocks
LINE_HEIGHT = 0.25
HALF = 0.0735  # half a Chinese character at 10 points
COLUMN_GAP = 0.32
MAP_SIDE = 2.1
MAP_GAP = 0.35


class PlainLogFormatter(LogFormatter):
    """The labels of a logarithmic axis, with a plain minus, since that of some fonts is wide."""

    @staticmethod
    def fix_minus(s: str) -> str:
        """Return a label as it is."""
        return s


def draw_page(page: Page, maps: Sequence[Shown] = ()) -> Chart:
    """Return a page as a figure; `savefig` writes it.

    Args:
        page: The page to draw.
        maps: Maps and images that are drawn above the page.
    """
    # Fonts are chosen by characters, and the representation of a page has all of them.
    with style([repr(page), *(one.title for one in maps)]):
        figure, axes = open_canvas(1, 1)
        y = EDGE
        if maps:
            draw_shown(axes, maps, (EDGE, y + 0.3), MAP_SIDE, MAP_GAP)
            y += MAP_SIDE + 0.75
        write(axes, EDGE, y + 0.1, page.title, fontsize=14, color=INK)
        y += 0.08
        widths = [4.0, width(page.title) * HALF * 1.5, len(maps) * (MAP_SIDE + MAP_GAP)]
        facts = [Lines(page.facts)] if page.facts else []
        for block in (*facts, *page.blocks):
            wide, high = _draw(axes, block, y + GAP)
            y += GAP + high
            widths.append(wide)
        resize_canvas(axes, max(widths) + 2 * EDGE, y + EDGE)
    return figure


def _draw(axes: Axes, block: Block, y: float) -> Point:
    """Draw a block and return its (width, height)."""
    if isinstance(block, Row):
        return _draw_row(axes, block, y)
    head = LINE_HEIGHT if block.title else 0.0
    write(axes, EDGE, y + head / 2, block.title, color=GREY)
    wide, high = DRAWERS[type(block)](axes, block, y + head)
    return wide, head + high


def _draw_row(axes: Axes, row: Row, y: float) -> Point:
    """Draw grids and signs beside each other, all centred on one height below their titles."""
    sizes = [_size(item) for item in row.items]
    height = max(high for _, high in sizes)
    middle = y + (height + LINE_HEIGHT) / 2
    x = EDGE
    for item, (wide, high) in zip(row.items, sizes, strict=True):
        if isinstance(item, str):
            write(axes, x + wide / 2, middle, item, ha="center", va="center", fontsize=13)
        else:
            _draw_grid(axes, item, x, y + (height - high) / 2)
        x += wide
    return x - EDGE, height


def _size(item: Grid | str) -> Point:
    """Return the (width, height) of a grid with its title, or of a sign."""
    if isinstance(item, str):
        return max(0.5, width(item) * HALF * 1.3 + 0.3), 0.0
    cell_width, cell_height, _ = _cell(item)
    rows, columns = item.values.shape
    title = width(item.title) * HALF * 0.95
    return max(columns * cell_width, title), rows * cell_height + LINE_HEIGHT


def _cell(grid: Grid) -> tuple[float, float, float]:
    """Return (width, height, font size) of the cells of a grid: smaller if they are many."""
    longest = max(len(cell.text) for row in grid.cells() for cell in row)
    points = 10.0 if grid.values.shape[1] <= 16 else 7.0
    side = 0.4 * points / 10
    return max(side, (longest * HALF + 0.12) * points / 10), side, points


def _draw_grid(axes: Axes, grid: Grid, x: float, y: float) -> None:
    cell_width, cell_height, points = _cell(grid)
    write(axes, x, y + 0.1, grid.title, color=GREY, fontsize=9.5)
    y += LINE_HEIGHT
    cells = [
        [(cell.text, "#AAAAAA" if cell.border else INK, cell.color) for cell in row]
        for row in grid.cells()
    ]
    draw_cells(axes, cells, (x, y), (cell_width, cell_height), points)
    if grid.mark is not None:
        top, bottom, left, right = grid.mark
        corner = (x + left * cell_width, y + top * cell_height)
        size = ((right - left) * cell_width, (bottom - top) * cell_height)
        outline(axes, corner, size, RED, linewidth=2.2)


def _draw_lines(axes: Axes, lines: Lines, y: float) -> Point:
    names, texts = (max(map(width, column)) * HALF for column in zip(*lines.lines, strict=True))
    indent = names + 0.25 if names else 0.0
    for number, (name, text) in enumerate(lines.lines):
        middle = y + (number + 0.5) * LINE_HEIGHT
        write(axes, EDGE, middle, name, color=GREY)
        write(axes, EDGE + indent, middle, text)
    return indent + texts, LINE_HEIGHT * len(lines.lines)


def _draw_table(axes: Axes, table: Table, y: float) -> Point:
    x = EDGE
    for index, texts in enumerate(zip(table.columns, *table.rows, strict=True)):
        wide = max(map(width, texts)) * HALF
        side, place = ("right", x + wide) if table.is_right(index) else ("left", x)
        for number, text in enumerate(texts):
            middle = y + (number + 0.5) * LINE_HEIGHT
            write(axes, place, middle, text, ha=side, color=INK if number else GREY)
        x += wide + COLUMN_GAP
    axes.plot([EDGE, x - COLUMN_GAP], [y + LINE_HEIGHT] * 2, color=LINE, linewidth=1)
    return x - EDGE, LINE_HEIGHT * (len(table.rows) + 1)


def _draw_curve(axes: Axes, curve: Curve, y: float) -> Point:
    wide = 6.4
    high = 3.0
    left = 0.65
    figure: Any = axes.figure
    inner = figure.add_axes((0, 0, 1, 1), facecolor="none")
    # The canvas does not have its final size yet, so the place is looked up when it is drawn.
    place = Bbox([[EDGE + left, y + 0.05], [EDGE + wide, y + high]])
    found = TransformedBbox(place, axes.transData - figure.transFigure)
    inner.set_axes_locator(lambda *_: found)
    inner.plot(*curve.line, color=BLUE)
    if curve.points is not None:
        inner.plot(*curve.points, "o", color=ORANGE, markersize=6, zorder=3)
    if curve.bound is not None:
        inner.axhline(curve.bound, color=GREY, linewidth=1, linestyle="--")
    inner.set(xlabel=curve.across, ylabel=curve.up)
    # A plain minus, since that of some fonts is wide.
    plain = FuncFormatter(lambda value, _: f"{value:,g}")
    inner.xaxis.set_major_locator(MaxNLocator(7))
    inner.xaxis.set_major_formatter(plain)
    if curve.log:
        inner.set_yscale("log")
        # The default formatter writes mathematical notation, which is not parsed here.
        inner.yaxis.set_major_formatter(PlainLogFormatter())
        inner.yaxis.set_minor_formatter(PlainLogFormatter())
    else:
        inner.yaxis.set_major_locator(MaxNLocator(6))
        inner.yaxis.set_major_formatter(plain)
    return wide, high + 0.5


DRAWERS: dict[type, Any] = {Lines: _draw_lines, Table: _draw_table, Curve: _draw_curve}
