"""Terminal: a page of a calculation as calm, aligned text."""

from rich.console import Console
from rich.text import Text

from convlens.explain.pages.page import Block, Curve, Grid, Lines, Page, Row, Table


def print_page(page: Page, console: Console | None = None) -> None:
    """Print a page; grids stand beside each other where the terminal is wide enough."""
    console = console or Console(highlight=False)
    console.print(Text(page.title, style="bold"))
    _print_pairs(page.facts, console)
    for block in page.blocks:
        console.print()
        _print_block(block, console)


def _print_pairs(pairs: tuple[tuple[str, str], ...], console: Console) -> None:
    wide = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        console.print(
            Text.assemble((f"{name:<{wide + 2}}" if wide else "", "dim"), text), soft_wrap=True
        )


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
    """Print aligned columns; a number is never cut, the terminal wraps where it is too narrow."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    widths = [max(len(text) for text in column) for column in columns]
    for number, row in enumerate((table.columns, *table.rows)):
        cells = [
            f"{text:>{wide}}" if table.is_right(index) else f"{text:<{wide}}"
            for index, (text, wide) in enumerate(zip(row, widths, strict=True))
        ]
        console.print(
            Text("   ".join(cells).rstrip(), style="" if number else "dim"), soft_wrap=True
        )


def _print_row(row: Row, console: Console) -> None:
    """Print grids side by side with their signs at half height, in as many lines of grids as the width asks for."""
    parts = [
        _grid_lines(item) if isinstance(item, Grid) else [Text(item, style="bold")]
        for item in row.items
    ]
    fitting: list[list[Text]] = []
    for part in parts:
        if fitting and sum(_wide(one) + 2 for one in fitting) + _wide(part) > console.width:
            _print_beside(fitting, console)
            fitting = []
        fitting.append(part)
    _print_beside(fitting, console)


def _wide(lines: list[Text]) -> int:
    return max(len(line) for line in lines)


def _print_beside(parts: list[list[Text]], console: Console) -> None:
    height = max(len(lines) for lines in parts)
    for number in range(height):
        line = Text()
        for index, lines in enumerate(parts):
            first = (
                (height + 1) // 2 if len(lines) == 1 and height > 1 else 0
            )  # a sign stands at half height
            here = lines[number - first] if 0 <= number - first < len(lines) else Text()
            line.append("  " if index else "")
            line.append_text(here)
            line.append(" " * (_wide(lines) - len(here)))
        line.rstrip()
        console.print(line, soft_wrap=True)


def _grid_lines(grid: Grid) -> list[Text]:
    """Return its title and a line a row; marked cells stand in brackets, which also show without colour."""
    texts = grid.texts()
    wide = max(len(text) for row in texts for text in row)
    top, bottom, left, right = grid.mark or (0, 0, 0, 0)
    lines = [Text(grid.title, style="dim")]
    for r, row in enumerate(texts):
        line, inside = Text(), top <= r < bottom
        for c, text in enumerate(row):
            opening, closing = inside and c == left, inside and c == right
            if c and wide > 1:
                line.append("]" if closing else " ")
                closing = False
            line.append("[" if opening else "]" if closing else " ")
            style = (
                "bold" if inside and left <= c < right else "dim" if grid.is_border(r, c) else ""
            )
            line.append(f"{text:>{wide}}", style=style)
        line.append("]" if inside and right == len(row) else " ")
        lines.append(line)
    return lines


def _print_curve(curve: Curve, console: Console) -> None:
    """Print points of the curve as a table, with bars where the axis is not logarithmic."""
    xs, ys = curve.line
    highest = float(max(ys)) or 1.0
    rows = []
    for index in sorted({round(index) for index in _spread(len(xs), curve.log)}):
        bar = "" if curve.log else "▇" * round(30 * max(float(ys[index]), 0) / highest)
        rows.append((f"{float(xs[index]):,.6g}", f"{float(ys[index]):.6g}", bar))
    _print_table(Table((curve.across, curve.up, ""), tuple(rows)), console)


def _spread(count: int, log: bool) -> list[float]:
    """Return about ten indices from first to last, each about three times the one before where `log`."""
    if not log:
        return [index * (count - 1) / 10 for index in range(11)]
    found, index = [0.0], 1.0
    while index < count - 1:
        found.append(index)
        index *= 10**0.5
    return [*found, count - 1]
