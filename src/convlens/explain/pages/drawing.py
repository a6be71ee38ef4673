"""Drawing: a page of a calculation as one figure, laid out in inches, in the look of all charts."""

from collections.abc import Iterator
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from convlens.charts.style import BLUE, GREY, INK, LINE, ORANGE, RED, Chart, style, width
from convlens.explain.pages.page import Block, Curve, Grid, Lines, Page, Row, Table

EDGE, GAP = 0.45, 0.34  # inches around the page and between blocks
LINE_HEIGHT, SIGN = 0.25, 0.5
HALF = 0.0735  # inches of half a Chinese character at 10 points
CURVE = (6.4, 3.0)


def draw_page(page: Page) -> Chart:
    """Return a page as a figure; `savefig` writes it."""
    with style(_texts(page)):
        sizes = [_size(block) for block in page.blocks]
        title = width(page.title) * HALF * 1.5
        total = max([4.0, title, _pairs_width(page.facts), *(w for w, _ in sizes)]) + 2 * EDGE
        height = 2 * EDGE + 0.42 + LINE_HEIGHT * len(page.facts) + sum(h + GAP for _, h in sizes)
        figure = Chart(figsize=(total, height), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, total), ylim=(height, 0))  # inches, downwards
        axes.axis("off")
        axes.text(EDGE, EDGE + 0.1, page.title, fontsize=14, va="center_baseline", color=INK)
        y = EDGE + 0.42
        _draw_pairs(axes, page.facts, y)
        y += LINE_HEIGHT * len(page.facts)
        for block, (_, high) in zip(page.blocks, sizes, strict=True):
            _draw(axes, block, y + GAP)
            y += high + GAP
    return figure


def _texts(page: Page) -> Iterator[str]:
    """Yield what has to be drawn, for the choice of fonts."""
    yield from (page.title, *(text for fact in page.facts for text in fact))
    for block in page.blocks:
        if isinstance(block, Row):
            yield from (item if isinstance(item, str) else item.title for item in block.items)
        else:
            yield block.title
        if isinstance(block, Lines):
            yield from (text for line in block.lines for text in line)
        if isinstance(block, Table):
            yield from (*block.columns, *(cell for row in block.rows for cell in row))


def _size(block: Block) -> tuple[float, float]:
    """Return (width, height) of a block in inches."""
    if isinstance(block, Row):
        grids = [_grid_size(item) for item in block.items if isinstance(item, Grid)]
        signs = sum(_sign_width(item) for item in block.items if isinstance(item, str))
        return sum(w for w, _ in grids) + signs, max(h for _, h in grids)
    head = LINE_HEIGHT if block.title else 0.0
    if isinstance(block, Lines):
        return _pairs_width(block.lines), head + LINE_HEIGHT * len(block.lines)
    if isinstance(block, Table):
        return sum(_column_widths(block)), head + LINE_HEIGHT * (len(block.rows) + 1)
    return CURVE[0], CURVE[1] + head + 0.5


def _sign_width(sign: str) -> float:
    return max(SIGN, width(sign) * HALF * 1.3 + 0.3)


def _cell(grid: Grid) -> tuple[float, float, float]:
    """Return (width, height, points of text) of a grid's cells: smaller where there are many."""
    longest = max(len(text) for row in grid.texts() for text in row)
    points = 10.0 if grid.values.shape[1] <= 16 else 7.0
    side = 0.4 * points / 10
    return max(side, (longest * HALF + 0.12) * points / 10), side, points


def _grid_size(grid: Grid) -> tuple[float, float]:
    cell_width, cell_height, _ = _cell(grid)
    rows, columns = grid.values.shape
    return max(
        columns * cell_width, width(grid.title) * HALF * 0.95
    ), rows * cell_height + LINE_HEIGHT


def _draw(axes: Axes, block: Block, y: float) -> None:
    if isinstance(block, Row):
        _draw_row(axes, block, y)
        return
    if block.title:
        axes.text(EDGE, y + LINE_HEIGHT / 2, block.title, va="center_baseline", color=GREY)
        y += LINE_HEIGHT
    if isinstance(block, Lines):
        _draw_pairs(axes, block.lines, y)
    elif isinstance(block, Table):
        _draw_table(axes, block, y)
    else:
        _draw_curve(axes, block, y)


def _names_width(pairs: tuple[tuple[str, str], ...]) -> float:
    longest = max((width(name) for name, _ in pairs), default=0)
    return longest * HALF + 0.25 if longest else 0.0


def _pairs_width(pairs: tuple[tuple[str, str], ...]) -> float:
    return _names_width(pairs) + max((width(text) for _, text in pairs), default=0) * HALF


def _draw_pairs(axes: Axes, pairs: tuple[tuple[str, str], ...], y: float) -> None:
    for number, (name, text) in enumerate(pairs):
        middle = y + (number + 0.5) * LINE_HEIGHT
        axes.text(EDGE, middle, name, va="center_baseline", color=GREY)
        axes.text(EDGE + _names_width(pairs), middle, text, va="center_baseline")


def _draw_row(axes: Axes, row: Row, y: float) -> None:
    height = _size(row)[1] - LINE_HEIGHT
    x = EDGE
    for item in row.items:
        if isinstance(item, str):
            wide = _sign_width(item)
            axes.text(
                x + wide / 2,
                y + LINE_HEIGHT + height / 2,
                item,
                ha="center",
                va="center",
                fontsize=13,
            )
            x += wide
            continue
        wide, high = _grid_size(item)
        _draw_grid(axes, item, x, y + (height + LINE_HEIGHT - high) / 2)
        x += wide


def _draw_grid(axes: Axes, grid: Grid, x: float, y: float) -> None:
    cell_width, cell_height, points = _cell(grid)
    axes.text(x, y + 0.1, grid.title, va="center_baseline", color=GREY, fontsize=9.5)
    y += LINE_HEIGHT
    for r, (texts, colors) in enumerate(zip(grid.texts(), grid.colors(), strict=True)):
        for c, (text, color) in enumerate(zip(texts, colors, strict=True)):
            border = grid.is_border(r, c)
            place = (x + c * cell_width, y + r * cell_height)
            axes.add_patch(
                Rectangle(
                    place, cell_width, cell_height, facecolor=color, edgecolor=LINE, linewidth=0.7
                )
            )
            axes.text(
                place[0] + cell_width / 2, place[1] + cell_height * 0.52, text, ha="center", va="center",
                fontsize=points, color="#AAAAAA" if border else INK,
            )  # fmt: skip
    if grid.mark is not None:
        top, bottom, left, right = grid.mark
        corner = (x + left * cell_width, y + top * cell_height)
        size = ((right - left) * cell_width, (bottom - top) * cell_height)
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=RED, linewidth=2.2, zorder=3))


def _column_widths(table: Table) -> list[float]:
    columns = zip(table.columns, *table.rows, strict=True)
    return [max(width(text) for text in column) * HALF + 0.32 for column in columns]


def _draw_table(axes: Axes, table: Table, y: float) -> None:
    x = EDGE
    for index, wide in enumerate(_column_widths(table)):
        right = table.is_right(index)
        place, align = (x + wide - 0.32, "right") if right else (x, "left")
        axes.text(
            place,
            y + LINE_HEIGHT / 2,
            table.columns[index],
            ha=align,
            va="center_baseline",
            color=GREY,
        )
        for number, row in enumerate(table.rows):
            axes.text(
                place, y + (number + 1.5) * LINE_HEIGHT, row[index], ha=align, va="center_baseline"
            )
        x += wide
    axes.plot([EDGE, x - 0.32], [y + LINE_HEIGHT] * 2, color=LINE, linewidth=1)


def _draw_curve(axes: Axes, curve: Curve, y: float) -> None:
    figure: Any = axes.figure
    total, height = figure.get_size_inches()
    left, low = EDGE + 0.65, y + CURVE[1]
    inner = figure.add_axes(
        (left / total, 1 - low / height, (CURVE[0] - 0.65) / total, (CURVE[1] - 0.05) / height),
        facecolor="none",
    )
    inner.plot(*curve.line, color=BLUE)
    if curve.points is not None:
        inner.plot(*curve.points, "o", color=ORANGE, markersize=6, zorder=3)
    if curve.bound is not None:
        inner.axhline(curve.bound, color=GREY, linewidth=1, linestyle="--")
    inner.set(xlabel=curve.across, ylabel=curve.up)
    if curve.log:
        inner.set_yscale("log")
    else:
        inner.yaxis.set_major_locator(MaxNLocator(6))
        inner.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
    inner.xaxis.set_major_locator(MaxNLocator(7))
    inner.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{x:,g}")
    )  # a plain minus: some fonts' own is wide
