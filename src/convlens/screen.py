"""Screen: what a person sees in the terminal. It shows events and decides nothing.

Lines are never cut or wrapped to the width of the terminal, so that a file has them whole. That is
why facts and columns are not rich tables, which fit themselves to a width. Only a table that is
wider than the terminal goes on in further lines below each row, since the terminal would wrap it in
the middle of a cell.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from convlens.columns import FURTHER, aligned, in_lines
from convlens.language import N_, _, ngettext
from convlens.progress import ProgressFile
from convlens.text import in_line

COLUMNS = (  # of the table of epochs: name in the history, which is the heading; width; format
    (N_("epoch"), 7, "{:d}"),
    (N_("seconds"), 9, "{:.1f}"),
    (N_("loss"), 9, "{:.4f}"),
    (N_("accuracy"), 10, "{:.4f}"),
    (N_("val_loss"), 10, "{:.4f}"),
    (N_("val_accuracy"), 14, "{:.4f}"),
    (N_("learning_rate"), 15, "{:.2e}"),
)

BEST = N_(
    "best: the highest validation accuracy so far, and among equal ones the lowest validation "
    "loss; the classifier is that epoch"
)
LAST = N_("without validation images, the classifier is the last epoch")

FACT = 13  # cells of the name of a fact that stands alone


def duration(seconds: float) -> str:
    """Return a number of seconds as one would say it.

    >>> duration(8.2), duration(75), duration(7320)
    ('8 s', '1 min 15 s', '2 h 02 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return _("{rest} s").format(rest=rest)
    if minutes < 60:
        return _("{minutes} min {rest:02d} s").format(minutes=minutes, rest=rest)
    return _("{hours} h {minutes:02d} min").format(hours=minutes // 60, minutes=minutes % 60)


def count_epochs(count: int) -> str:
    """Return a number of epochs in words.

    >>> count_epochs(1), count_epochs(20)
    ('1 epoch', '20 epochs')
    """
    return ngettext("{count:,} epoch", "{count:,} epochs", count).format(count=count)


def marked(word: str, style: str, text: str) -> str:
    """Return the markup of a line that begins with a word in a style, such as note or error."""
    return "[{style}]{word}[/{style}]  {text}".format(style=style, word=word, text=escape(text))


class Screen:
    """Prints what happens in a training: lines, tables and a bar.

    Args:
        quiet: Whether nothing is printed.
        console: Where the lines go. The default is standard output. The bar is shown on terminals
            only.
        rows: Whether a training prints a row for each epoch; otherwise it shows only its bar.
    """

    def __init__(
        self, *, quiet: bool = False, console: Console | None = None, rows: bool = True
    ) -> None:
        self.console = console or Console(emoji=False, quiet=quiet, highlight=False, soft_wrap=True)
        self.rows = rows
        self._has_printed = False
        self._last = 0  # the last epoch in the table
        self._goes_on = False  # whether the next table is the rest of it
        self._bar: Progress | None = None
        self._progress = ProgressFile.asked_for()

    @property
    def room(self) -> int:
        """The cells of a line of the terminal; a file has room for lines of any length."""
        return self.console.width if _is_terminal(self.console) else sys.maxsize

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print a line as it is, in a style of rich such as "bold"."""
        self._print(escape(text), style=style)

    def gap(self) -> None:
        """Print an empty line, unless nothing stands above it."""
        if self._has_printed:
            self.say()

    def _print(self, text: str | Text, **how: Any) -> None:
        self._has_printed = True
        self.console.print(text, **how)

    def note(self, text: str) -> None:
        """Print something that the user should know."""
        self._print(marked(_("note"), "yellow", in_line(text)))

    def fact(self, name: str, value: str) -> None:
        """Print a name and a value in one line; several such lines are aligned."""
        self.facts([(name, value)], width=FACT)

    def facts(self, rows: Sequence[tuple[str, str]], width: int = 0) -> None:
        """Print names and values in two aligned columns; a value may have several lines.

        Args:
            rows: The names and values.
            width: The least width of the names in cells, with the blanks behind them.
        """
        width = max(width, max(cell_len(name) for name, value in rows) + 2)
        for name, value in rows:
            text = escape(value).replace("\n", "\n" + " " * width)
            self._print(
                "[dim]{name}[/dim]{text}".format(name=set_cell_size(name, width), text=text)
            )

    def columns(self, rows: Sequence[Sequence[str | Text]], left: Sequence[int] = (0,)) -> None:
        """Print a table in aligned columns.

        Args:
            rows: The cells of each row, see `aligned`. The first row has the headings.
            left: The numbers of the columns that are aligned to the left.
        """
        parts = in_lines(rows, self.room)
        tables = [
            aligned([row[part] for row in rows], [place - part.start for place in left])
            for part in parts
        ]
        for number, lines in enumerate(zip(*tables, strict=True)):
            for line in (lines[0], *(Text(FURTHER) + line for line in lines[1:])):
                line.rstrip()
                self._print(line, style=None if number else "dim", soft_wrap=True)

    def go_on(self) -> None:
        """Let the next table of epochs be the rest of the last one."""
        self._goes_on = True

    def start(self, done: int, total: int, chooses: bool = True) -> None:
        """Open the table of epochs and the bar.

        Args:
            done: The steps that were done before, by the run that is resumed.
            total: The steps of the whole training.
            chooses: Whether validation images choose the best epoch; else it is the last one.
        """
        if not self._goes_on:
            self._last = 0
        if self.rows and not self._goes_on:
            self.say()
            self.say(_(BEST if chooses else LAST), "dim")
            headings = [" " * (width - cell_len(_(name))) + _(name) for name, width, _f in COLUMNS]
            self.say("".join(headings), "bold")
        self._goes_on = False
        self._bar = _progress(
            self.console, TextColumn("{task.percentage:>3.0f} %  {task.fields[left]}")
        )
        self._bar.add_task(_("starting"), total=total, completed=done, left="", first=done)
        self._bar.start()

    def step(self, epoch: int, epochs: int, done: int, loss: float) -> None:
        """Move the bar.

        Args:
            epoch: The number of the epoch, counted from 0.
            epochs: The epochs of the whole training.
            done: The steps that are done, of the whole training.
            loss: The loss so far in this epoch.
        """
        if self._bar is None:
            return
        task = self._bar.tasks[0]
        seconds_per_step = (task.elapsed or 0) / max(done - task.fields["first"], 1)
        total = task.total or done
        seconds = seconds_per_step * (total - done)
        self._bar.update(
            task.id,
            completed=done,
            description=_("epoch {epoch} of {epochs}  loss {loss:.4f}").format(
                epoch=epoch + 1, epochs=epochs, loss=loss
            ),
            left=_("{left} left").format(left=duration(seconds)),
        )
        stage = _("epoch {epoch} of {epochs}").format(epoch=epoch + 1, epochs=epochs)
        self._progress.tell(stage, done, total, seconds)

    def epoch(self, row: dict[str, Any], *, best: bool) -> None:
        """Print the row of a finished epoch once; `best` marks the best one so far."""
        if not self.rows or row["epoch"] <= self._last:
            return
        self._last = row["epoch"]
        cells = [
            ("-" if row.get(name) is None else form.format(row[name])).rjust(width)
            for name, width, form in COLUMNS
        ]
        mark = "  [green]{best}[/green]".format(best=_("best")) if best else ""
        self._print("".join(cells) + mark)

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def stage(self, text: str) -> None:
        """Note what begins now, for those who watch the progress; nothing is printed."""
        self._progress.tell(text, 0, 0)

    @contextmanager
    def status(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show in a terminal what is being done; yield a function that shows another text."""
        if not _is_terminal(self.console):
            yield lambda _text: None
            return
        with self.console.status(text) as shown:
            yield shown.update

    @contextmanager
    def counter(self, label: str) -> Iterator["Counter"]:
        """Show a bar for work that is counted, such as decoding.

        Args:
            label: The name of the work.

        Yields:
            What moves the bar when it is called with (done, total).
        """
        bar = _progress(
            self.console,
            TextColumn(_("{task.completed:,.0f} of {task.total:,.0f}") + "  "),
            TimeRemainingColumn(),
        )

        try:
            yield Counter(bar, label, self._progress)
        finally:
            bar.stop()


class Counter:
    """Moves the bar of a work that is counted.

    Args:
        bar: The bar.
        label: The name of the work.
        progress: Where it is written besides.
    """

    def __init__(self, bar: Progress, label: str, progress: ProgressFile) -> None:
        self._bar = bar
        self._label = label
        self._progress = progress

    def __call__(self, done: int, total: int) -> None:
        """Show how much is done; the first call shows the bar."""
        if not self._bar.tasks:
            self._bar.add_task(self._label, total=total)
            self._bar.start()
        self._bar.update(self._bar.tasks[0].id, completed=done)
        self._progress.tell(self._label, done, total)

    def part(self, label: str) -> "Counter":
        """Return the counter of another part of the work, whose bar takes the place of this one."""
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        return Counter(self._bar, label, self._progress)


def _is_terminal(console: Console) -> bool:
    """Return whether lines go to a terminal; with FORCE_COLOR, rich calls a file one, too."""
    return console.is_terminal and console.file.isatty()


def _progress(console: Console, *columns: ProgressColumn) -> Progress:
    """Return a bar with its description before it and the columns after it."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        *columns,
        console=console,
        transient=True,
        refresh_per_second=4,
        disable=not _is_terminal(console),
    )
