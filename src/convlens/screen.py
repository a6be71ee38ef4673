"""Screen: what a training shows in the terminal, a row an epoch and a bar within it."""

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

COLUMNS = (  # heading, width, format
    ("epoch", 7, "{:d}"),
    ("seconds", 9, "{:.1f}"),
    ("loss", 9, "{:.4f}"),
    ("accuracy", 10, "{:.4f}"),
    ("val_loss", 10, "{:.4f}"),
    ("val_accuracy", 14, "{:.4f}"),
    ("learning_rate", 15, "{:.2e}"),
)


def duration(seconds: float) -> str:
    """Return seconds as one would say them.

    >>> duration(8.2), duration(75), duration(7320)
    ('8 s', '1 min 15 s', '2 h 02 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Screen:
    """Prints to the terminal; `quiet` prints nothing, and without a terminal the bar is left out.

    Without `rows` a training shows its bar only.
    """

    def __init__(
        self, *, quiet: bool = False, console: Console | None = None, rows: bool = True
    ) -> None:
        self.console = console or Console(quiet=quiet, highlight=False, soft_wrap=True)
        self.rows = rows
        self._bar: Progress | None = None
        self._began = 0.0
        self._first = 0

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print a line as it is, in a rich style such as "bold"."""
        self.console.print(escape(text), style=style)

    def note(self, text: str) -> None:
        """Print something that the user should know."""
        self.console.print(f"[yellow]note[/yellow]  {escape(text)}")

    def facts(self, rows: list[tuple[str, str]]) -> None:
        """Print names and values in two aligned columns."""
        width = max(len(name) for name, _ in rows) + 2
        for name, value in rows:
            lines = value.splitlines() or [""]
            self.console.print(f"[dim]{name:<{width}}[/dim]{escape(lines[0])}")
            for line in lines[1:]:
                self.console.print(" " * width + escape(line))

    def columns(self, rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> None:
        """Print aligned columns under the headings of the first row; `left` are those of words.

        Unlike a rich table it is never cut to the terminal.
        """
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for number, row in enumerate(rows):
            cells = [
                cell.ljust(width) if place in left else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.say("  ".join(cells).rstrip(), None if number else "dim")

    def start(self, done: int, total: int) -> None:
        """Open the table of epochs; `done` of `total` steps lie behind (a resumed run)."""
        if self.rows:
            self.say()
            self.say(
                "best: the highest validation accuracy so far; the classifier is that epoch", "dim"
            )
            self.say("".join(f"{name:>{width}}" for name, width, _ in COLUMNS), "bold")
        self._began, self._first = time.monotonic(), done
        self._bar = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[left]}"),
            console=self.console,
            transient=True,
            refresh_per_second=4,
            disable=not self.console.is_terminal,
        )
        self._bar.add_task("starting", total=total, completed=done, left="")
        self._bar.start()

    def step(self, epoch: int, epochs: int, done: int, loss: float) -> None:
        """Move the bar to `done` steps of the whole training; `epoch` counts from 0."""
        if self._bar is None:
            return
        task = self._bar.tasks[0]
        pace = (time.monotonic() - self._began) / max(done - self._first, 1)
        left = duration(pace * ((task.total or done) - done))
        self._bar.update(
            task.id,
            completed=done,
            description=f"epoch {epoch + 1} of {epochs}  loss {loss:.4f}",
            left=f"{left} left",
        )

    def epoch(self, row: dict[str, Any], *, best: bool) -> None:
        """Print the row of a finished epoch; the best so far carries a mark."""
        if not self.rows:
            return
        cells = [
            f"{form.format(row[name]) if row.get(name) is not None else '-':>{width}}"
            for name, width, form in COLUMNS
        ]
        self.console.print("".join(cells) + ("  [green]best[/green]" if best else ""))

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def counter(self, label: str) -> "Counter":
        """Return a context that gives a callable (done, total) and shows a bar, for decoding and the like."""
        return Counter(self.console, label)


class Counter:
    """A bar for work that is counted: `with counter as progress: progress(done, total)`."""

    def __init__(self, console: Console, label: str) -> None:
        self._bar = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}  "),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._label = label

    def __enter__(self) -> "Counter":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` is finished."""
        if not self._bar.tasks:
            self._bar.add_task(self._label, total=total)
            self._bar.start()
        self._bar.update(self._bar.tasks[0].id, completed=done)
