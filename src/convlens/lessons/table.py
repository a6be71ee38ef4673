"""Table: the results of lessons as a Markdown file, the decks' numbers beside ours."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from convlens.backend import versions
from convlens.errors import StorageError
from convlens.lessons.lesson import Result, result_rows


def write_table(path: Path, results: Sequence[Result]) -> None:
    """Write the results. Raises StorageError where the file cannot be written."""
    heading, *rows = result_rows(list(results))
    lines = ["# What the decks' programs give today", ""]
    lines += [f"| {' | '.join(heading)} |", f"|{'---|' * 2}{'---:|' * (len(heading) - 2)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    stand_ins = {result.stand_in for result in results if result.stand_in is not None}
    if stand_ins:
        lines += [
            "",
            f"Other images than the deck's: {'; '.join(sorted(stand_ins))}. Nothing is compared there.",
        ]
    made = versions()
    lines += [
        "",
        "Made by `make lessons`. Accuracy is that of the test images, with Wilson's 95 % interval. Seconds are those",
        f"of training, on {os.cpu_count()} cores ({platform.machine()}), Keras {made['keras']} on {made['engine']}.",
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{path}: the table cannot be written; {error.strerror or error}."
        ) from error
