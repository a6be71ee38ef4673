"""Summary formats: the rows of `convlens summary`, for the terminal and for other programs."""

import csv
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convlens.cli.output import print_json
from convlens.language import N_, _, listed

if TYPE_CHECKING:
    from convlens.anatomy.stages import Stage
    from convlens.anatomy.summary import LayerRow

Fact = dict[str, str | int | float]

# The headings of the columns, which are the keys of the data in every language.
MAP = N_("map")
WORKING = N_("what works on it")
SHARE_OF_PARAMETERS = N_("% of parameters")
SHARE_OF_MULTIPLY_ADDS = N_("% of multiply-adds")
NUMBERS = (N_("parameters"), N_("multiply-adds"), N_("sees"), N_("stride"))
# Columns of words, which are aligned to the left; the others hold numbers.
WORDS = (N_("layer"), N_("kind"), N_("output"), MAP, WORKING)
# Parts of the names of layers, and how they are shortened in the terminal.
SHORTER = (
    ("Normalization", "Norm"),
    ("Pooling", "Pool"),
    ("Average", "Avg"),
    ("Padding", "Pad"),
)
# Columns whose cells may be folded, with the width for which there must be room.
FOLDED = {"layer": 14, "kind": 10, WORKING: 16}
# Columns that are left out, in this order, if the terminal is too narrow.
OPTIONAL = ("stride", SHARE_OF_PARAMETERS, SHARE_OF_MULTIPLY_ADDS, "kind")
SPACING = 2


def layer_facts(rows: list["LayerRow"]) -> list[Fact]:
    """Return a row for each layer."""
    return [
        {
            "layer": row.name,
            "kind": row.kind,
            "output": _by(row.output_shape),
            **_numbers(row, rows),
            "stride": _side(row.stride) if row.stride else "",
        }
        for row in rows
    ]


def stage_facts(rows: list["LayerRow"]) -> list[Fact]:
    """Return a row for each stage."""
    from convlens.anatomy.describe import describe
    from convlens.anatomy.stages import divide

    return [
        {
            MAP: _by(stage.output_shape),
            WORKING: "\n".join(describe(stage.parts)),
            **_numbers(stage, rows),
        }
        for stage in divide(rows)
    ]


def _numbers(part: "LayerRow | Stage", rows: list["LayerRow"]) -> Fact:
    """Return the numbers of a layer or stage, also as percentages of the network's."""
    params = max(sum(row.params for row in rows), 1)
    multiply_adds = max(sum(row.multiply_adds for row in rows), 1)
    return {
        "parameters": part.params,
        SHARE_OF_PARAMETERS: round(100 * part.params / params, 2),
        "multiply-adds": part.multiply_adds,
        SHARE_OF_MULTIPLY_ADDS: round(100 * part.multiply_adds / multiply_adds, 2),
        "sees": _side(part.receptive_field) if part.receptive_field else "all",
    }


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _side(pair: tuple[int, int]) -> str:
    """Return (height, width) as "7", or as "7x5" if they differ."""
    return str(pair[0]) if pair[0] == pair[1] else _by(pair)


def print_table(facts: list[Fact]) -> None:
    """Print the rows as a table that fits the terminal.

    Columns for which the terminal is too narrow are left out and named. No number is cut.
    """
    console = Console(emoji=False, highlight=False)
    left_out = []
    for head in OPTIONAL:
        if head in facts[0] and _least_width(facts) > console.width:
            facts = [{key: fact[key] for key in fact if key != head} for fact in facts]
            left_out.append(head)
    table = Table(box=None, pad_edge=False, padding=(0, SPACING, 0, 0), header_style="dim")
    for head in facts[0]:
        table.add_column(
            _short(head),
            justify="left" if head in WORDS else "right",
            overflow="fold",
            no_wrap=head not in FOLDED,
        )
    for fact in facts:
        table.add_row(*(escape(_cell(head, value)) for head, value in fact.items()))
    Console(emoji=False, highlight=False, width=max(console.width, _least_width(facts))).print(
        table
    )
    if left_out:
        console.print(
            _("in a wider terminal also: {columns}").format(columns=listed(map(_, left_out))),
            style="dim",
            soft_wrap=True,
        )


def _least_width(facts: list[Fact]) -> int:
    """Return the width that a table needs if names are folded and numbers are not."""
    widths = [
        FOLDED.get(head)
        or max(cell_len(_short(head)), *(cell_len(_cell(head, fact[head])) for fact in facts))
        for head in facts[0]
    ]
    return sum(widths) + SPACING * len(widths)


def _short(head: str) -> str:
    """Return the heading of a column in the terminal."""
    if head == "multiply-adds":
        return _("mult-adds")
    return "%" if head.startswith("%") else _(head)


def _cell(head: str, value: str | float) -> str:
    from convlens.anatomy.summary import rounded

    if not value:
        return ""
    if isinstance(value, str):
        if head == "kind":
            for long, short in SHORTER:
                value = value.replace(long, short)
        return _translated(head, value)
    if head == "multiply-adds":
        return rounded(int(value))
    return f"{value:,}" if head == "parameters" else f"{value:.1f}"


def _translated(head: str, value: str) -> str:
    """Return a cell in the chosen language: a layer sees a number of pixels, or all of them."""
    return _("all") if (head, value) == ("sees", "all") else value


def print_markdown(facts: list[Fact]) -> None:
    """Print the rows as a table in Markdown."""
    heads = list(facts[0])
    rules = ["---" if head in WORDS else "---:" for head in heads]
    print(f"| {' | '.join(map(_, heads))} |")  # noqa: T201
    print(f"|{'|'.join(rules)}|")  # noqa: T201
    for fact in facts:
        cells = [
            f"{value:,}" if isinstance(value, int) else _translated(head, str(value))
            for head, value in fact.items()
        ]
        line = " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells)
        print(f"| {line} |")  # noqa: T201


def print_csv(facts: list[Fact]) -> None:
    """Print the rows as CSV."""
    writer = csv.DictWriter(sys.stdout, list(facts[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(facts)


PRINTERS: dict[str, Callable[[list[Fact]], None]] = {
    "markdown": print_markdown,
    "csv": print_csv,
    "json": partial(print_json, indent=1),
}
