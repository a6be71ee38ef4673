"""Table: the results of lessons as a Markdown file, beside those of the lectures."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from convlens.backend import versions
from convlens.files import write_atomically
from convlens.lessons.lesson import Result, result_rows

STAND_INS = "Other images than the deck's: {names}. Nothing is compared there."
FOOTNOTE = (
    "Made by `make lessons`. Accuracy is that of the test images, with Wilson's 95 % interval. "
    "Seconds are those\nof training, on {cores} cores ({machine}), Keras {keras} on {engine}."
)


def write_table(path: Path, results: Sequence[Result]) -> None:
    """Write the results as Markdown.

    Raises:
        StorageError: If the file cannot be written.
    """
    headings, *rows = result_rows(list(results))
    lines = ["# What the decks' programs give today", "", _row(headings)]
    lines.append(
        "|{left}{right}|".format(left="---|---|", right="|".join(["---:"] * (len(headings) - 2)))
    )
    lines += [_row(row) for row in rows]
    stand_ins = {result.stand_in for result in results if result.stand_in is not None}
    if stand_ins:
        lines += ["", STAND_INS.format(names="; ".join(sorted(stand_ins)))]
    made = versions()
    footnote = FOOTNOTE.format(
        cores=os.cpu_count(),
        machine=platform.machine(),
        keras=made["keras"],
        engine=made["engine"],
    )
    lines += ["", footnote]
    write_atomically(path, "\n".join(lines) + "\n", "the table")


def _row(cells: Sequence[str]) -> str:
    return "| {cells} |".format(cells=" | ".join(cells))
