"""What the lessons hold, cell by cell, for the tests of them."""

import functools
import re

import jupytext

from convlens.lessons.notebook import find_lessons, read_notebook

LESSONS = find_lessons()
DECKS = ("000", "001", "002", "003", "004")


@functools.cache
def code_cells(number: str) -> tuple[str, ...]:
    return tuple(
        cell.source for cell in read_notebook(LESSONS[number]).cells if cell.cell_type == "code"
    )


@functools.cache
def texts(number: str) -> tuple[str, ...]:
    """The cells of text as they are written, in both languages."""
    written = jupytext.read(LESSONS[number].path, fmt="py:percent")
    return tuple(cell.source for cell in written.cells if cell.cell_type == "markdown")


def headings(number: str) -> list[str]:
    return [found for text in texts(number) for found in re.findall(r"^#+ (.+)$", text, re.M)]


def code(number: str) -> str:
    return "\n\n".join(code_cells(number))
