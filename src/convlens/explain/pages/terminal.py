"""Terminal: a page of a calculation as calm, aligned text."""

from rich.console import Console
from rich.text import Text

from convlens.explain.pages.page import Block, Curve, Grid, Lines, Page, Row, Table

BAR = 30  # characters of the longest bar of a curve
STEPS = 10  # between the points of a curve that are printed
# What stands before a cell, by whether the cell before it and the cell itself are marked.
BRACKETS = {(False, True): " [", (True, False): "] "}

Part = list[Text]  # lines below each other


def print_page(page: Page, console: Console | None = None) -> None:
    """Print a page. Grids stand beside each other if the terminal is wide enough.

    Args:
        page: The page to print.
        console: The console to print on; by default one for the standard output.
    """
    console = console or Console(emoji=False, highlight=False)
    console.print(Text(page.title, style="bold"))
    _print_block(Lines(page.facts), console)
    for block in page.blocks:
        console.print()
        _print_block(block, console)


def _print_block(block: Block, console: Console) -> None:
    if isinstance(block, Row):
        _print_row(block, console)
        return
    if block.title:
        console.print(Text(block.title, style="dim"))
    if isinstance(block, Lines):
        names = _aligned([Text(name, style="dim") for name, _ in block.lines])
        texts = [Text(text) for _, text in block.lines]
        _print_beside([names, texts] if any(map(len, names)) else [texts], console)
        return
    table = _curve_table(block) if isinstance(block, Curve) else block
    columns = [
        _aligned([Text(head, style="dim"), *map(Text, texts)], right=table.is_right(number))
        for number, (head, *texts) in enumerate(zip(table.columns, *table.rows, strict=True))
    ]
    _print_beside(columns, console, gap=3)


def _print_row(row: Row, console: Console) -> None:
    """Print grids side by side with their signs, in as many rows as the terminal needs."""
    fitting: list[Part] = []
    for item in row.items:
        part = _grid_lines(item) if isinstance(item, Grid) else [Text(item, style="bold")]
        if fitting and sum(_width(one) + 2 for one in [*fitting, part]) - 2 > console.width:
            _print_beside(fitting, console)
            fitting = []
        fitting.append(part)
    _print_beside(fitting, console)


def _width(part: Part) -> int:
    return max((line.cell_len for line in part), default=0)


def _aligned(part: Part, *, right: bool = False) -> Part:
    """Pad lines to the width of the longest, and return them."""
    width = _width(part)
    for line in part:
        line.align("right" if right else "left", width)
    return part


def _print_beside(parts: list[Part], console: Console, gap: int = 2) -> None:
    """Print parts beside each other. A sign, which is a part of one line, stands at half height.

    No number is cut; a narrow terminal wraps the line.
    """
    height = max(map(len, parts))
    for part in parts:
        above = (height + 1) // 2 if len(part) == 1 and height > 1 else 0
        _aligned(part)
        part[:0] = [Text(" " * _width(part))] * above
        part += [Text(" " * _width(part))] * (height - len(part))
    for cells in zip(*parts, strict=True):
        line = Text(" " * gap).join(cells)
        line.rstrip()
        console.print(line, soft_wrap=True)


def _grid_lines(grid: Grid) -> Part:
    """Return the title of a grid and a line for each row.

    Marked cells stand in brackets, which are visible without colour too. Cells of one character
    need a place of its own for the bracket that closes; wider ones have it in the next gap.
    """
    cells = grid.cells()
    width = max(len(cell.text) for row in cells for cell in row)
    lines = [Text(grid.title, style="dim")]
    for row in cells:
        line = Text()
        before = False
        for column, cell in enumerate(row):
            bracket = BRACKETS.get((before, cell.marked), "  ")
            if width == 1 or not column:
                bracket = bracket.strip() or " "
            line.append(bracket)
            style = "dim" if cell.border else ""
            if cell.marked:
                style = "bold"
            line.append(cell.text.rjust(width), style=style)
            before = cell.marked
        line.append("]" if before else " ")
        lines.append(line)
    return lines


def _curve_table(curve: Curve) -> Table:
    """Return points of the curve as a table, with bars unless the axis is logarithmic."""
    xs, ys = curve.line
    highest = float(max(ys)) or 1.0
    rows = []
    for index in _spread(len(xs), curve.log):
        bar = "" if curve.log else "▇" * round(BAR * max(float(ys[index]), 0) / highest)
        rows.append((f"{float(xs[index]):,.6g}", f"{float(ys[index]):.6g}", bar))
    return Table((curve.across, curve.up, ""), tuple(rows))


def _spread(count: int, log: bool) -> list[int]:
    """Return about ten indices from the first to the last; with `log` they grow threefold."""
    last = count - 1
    found = [index * last / STEPS for index in range(STEPS + 1)]
    if log:
        powers = [10 ** (power / 2) for power in range(2 * len(str(count)))]
        found = [0, *(index for index in powers if index < last), last]
    return sorted({round(index) for index in found})
