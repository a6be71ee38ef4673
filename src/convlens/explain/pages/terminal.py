"""Terminal: a page of a calculation as calm, aligned text."""

from rich.console import Console
from rich.text import Text

from convlens.explain.pages.page import Block, Curve, Grid, Lines, Page, Row, Table

BAR = 30  # characters of the longest bar of a curve
STEPS = 10  # between the points of a curve that are printed


def print_page(page: Page, console: Console | None = None) -> None:
    """Print a page. Grids stand beside each other if the terminal is wide enough.

    Args:
        page: The page to print.
        console: The console to print on; by default one for the standard output.
    """
    console = console or Console(highlight=False)
    console.print(Text(page.title, style="bold"))
    _print_pairs(page.facts, console)
    for block in page.blocks:
        console.print()
        _print_block(block, console)


def _print_pairs(pairs: tuple[tuple[str, str], ...], console: Console) -> None:
    widest = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        label = f"{name:<{widest + 2}}" if widest else ""
        console.print(Text.assemble((label, "dim"), text), soft_wrap=True)


def _print_block(block: Block, console: Console) -> None:
    if isinstance(block, Row):
        _print_row(block, console)
        return
    if block.title:
        console.print(Text(block.title, style="dim"))
    if isinstance(block, Lines):
        _print_pairs(block.lines, console)
    elif isinstance(block, Table):
        _print_table(block, console)
    else:
        _print_curve(block, console)


def _print_table(table: Table, console: Console) -> None:
    """Print aligned columns. No number is cut; a narrow terminal wraps the line."""
    columns = zip(table.columns, *table.rows, strict=True)
    widths = [max(len(text) for text in column) for column in columns]
    for number, row in enumerate((table.columns, *table.rows)):
        cells = [
            text.rjust(width) if table.is_right(column) else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        style = "" if number else "dim"
        console.print(Text("   ".join(cells).rstrip(), style=style), soft_wrap=True)


def _print_row(row: Row, console: Console) -> None:
    """Print grids side by side with their signs, in as many rows as the terminal needs."""
    fitting: list[list[Text]] = []
    for item in row.items:
        part = _grid_lines(item) if isinstance(item, Grid) else [Text(item, style="bold")]
        if fitting and sum(_width(one) + 2 for one in fitting) + _width(part) > console.width:
            _print_beside(fitting, console)
            fitting = []
        fitting.append(part)
    _print_beside(fitting, console)


def _width(lines: list[Text]) -> int:
    return max(len(line) for line in lines)


def _print_beside(parts: list[list[Text]], console: Console) -> None:
    """Print parts beside each other. A sign, which is a part of one line, stands at half height."""
    height = max(len(lines) for lines in parts)
    for number in range(height):
        line = Text()
        for index, lines in enumerate(parts):
            above = (height + 1) // 2 if len(lines) == 1 and height > 1 else 0
            here = lines[number - above] if 0 <= number - above < len(lines) else Text()
            line.append("  " if index else "")
            line.append_text(here)
            line.append(" " * (_width(lines) - len(here)))
        line.rstrip()
        console.print(line, soft_wrap=True)


def _grid_lines(grid: Grid) -> list[Text]:
    """Return the title of a grid and a line for each row.

    Marked cells stand in brackets, which are visible without colour too. Cells of one character
    need a place of its own for the bracket that closes; wider ones have it in the next gap.
    """
    cells = grid.cells()
    width = max(len(cell.text) for row in cells for cell in row)
    lines = [Text(grid.title, style="dim")]
    for row in cells:
        line = Text()
        marked = [False, *(cell.marked for cell in row), False]
        for column, cell in enumerate(row):
            opening = cell.marked and not marked[column]
            closing = marked[column] and not cell.marked
            if column and width > 1:
                line.append("]" if closing else " ")
                closing = False
            line.append("[" if opening else "]" if closing else " ")
            style = "bold" if cell.marked else "dim" if cell.border else ""
            line.append(cell.text.rjust(width), style=style)
        line.append("]" if row[-1].marked else " ")
        lines.append(line)
    return lines


def _print_curve(curve: Curve, console: Console) -> None:
    """Print points of the curve as a table, with bars unless the axis is logarithmic."""
    xs, ys = curve.line
    highest = float(max(ys)) or 1.0
    rows = []
    for index in _spread(len(xs), curve.log):
        bar = "" if curve.log else "▇" * round(BAR * max(float(ys[index]), 0) / highest)
        rows.append((f"{float(xs[index]):,.6g}", f"{float(ys[index]):.6g}", bar))
    _print_table(Table((curve.across, curve.up, ""), tuple(rows)), console)


def _spread(count: int, log: bool) -> list[int]:
    """Return about ten indices from the first to the last; with `log` they grow threefold."""
    last = count - 1
    found = [index * last / STEPS for index in range(STEPS + 1)]
    if log:
        powers = [10 ** (power / 2) for power in range(2 * len(str(count)))]
        found = [0, *(index for index in powers if index < last), last]
    return sorted({round(index) for index in found})
