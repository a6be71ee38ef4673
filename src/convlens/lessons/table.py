"""Table: the results of lessons beside those of the lectures, also as a Markdown file."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convlens.backend import versions
from convlens.evaluation.scores import Score
from convlens.files import write_atomically
from convlens.language import N_, _

HEADINGS = (
    N_("deck"),
    N_("program"),
    N_("the deck"),
    N_("here"),
    N_("95 % interval"),
    N_("images"),
    N_("seconds"),
)
STAND_INS = N_("Other images than the deck's: {names}. Nothing is compared there.")
FOOTNOTE = N_(
    "Made by `make lessons`. Accuracy is that of the test images, with Wilson's 95 % interval. "
    "Seconds are those\nof training, on {cores} cores ({machine}), Keras {keras} on {engine}."
)


@dataclass(frozen=True)
class Result:
    """The result of a program of a lecture, as it was obtained here.

    Attributes:
        deck: The number of the lesson.
        program: The name of the program.
        published: The accuracy that the lecture gives, or None.
        score: The accuracy here.
        seconds: The time of the training, or None if it was not measured.
        stand_in: The images that replaced those of the lecture, or None. With other images there
            is nothing to compare.
    """

    deck: str
    program: str
    published: float | None
    score: Score
    seconds: float | None
    stand_in: str | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table, under HEADINGS."""
        published = ""
        if self.stand_in is not None:
            published = _("other images")
        elif self.published is not None:
            published = "{percent:.2f} %".format(percent=100 * self.published)
        return (
            self.deck,
            self.program,
            published,
            "{percent:.2f} %".format(percent=100 * self.score.value),
            "[{low:.2f}, {high:.2f}]".format(low=100 * self.score.low, high=100 * self.score.high),
            "{n:,}".format(n=self.score.n),
            "" if self.seconds is None else "{seconds:.0f}".format(seconds=self.seconds),
        )


def result_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Return the rows of the table of results; the first has the headings."""
    return [tuple(map(_, HEADINGS)), *(result.cells() for result in results)]


def write_table(path: Path, results: Sequence[Result]) -> None:
    """Write the results as Markdown.

    Raises:
        StorageError: If the file cannot be written.
    """
    headings, *rows = result_rows(results)
    lines = [
        _("# What the decks' programs give today"),
        "",
        _row(headings),
        "|---|---|" + "---:|" * (len(headings) - 2),
        *map(_row, rows),
    ]
    stand_ins = {result.stand_in for result in results if result.stand_in is not None}
    if stand_ins:
        lines += ["", _(STAND_INS).format(names="; ".join(sorted(stand_ins)))]
    made = versions()
    footnote = _(FOOTNOTE).format(
        cores=os.cpu_count(),
        machine=platform.machine(),
        keras=made["keras"],
        engine=made["engine"],
    )
    write_atomically(path, "\n".join([*lines, "", footnote]) + "\n", _("the table"))


def _row(cells: Sequence[str]) -> str:
    return "| {cells} |".format(cells=" | ".join(cells))
