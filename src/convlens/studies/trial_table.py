"""Trial table: the trials of a search as rows, in the terminal and in trials.csv.

The rows are printed while the trials end, one after the other.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from rich.cells import cell_len

from convlens.columns import FURTHER, in_lines
from convlens.files import write_atomically
from convlens.language import N_, _, recalled
from convlens.run_folder import TRIALS
from convlens.screen import Screen
from convlens.studies.journal import FAILURE, MEDIAN, Search, seconds_of, varied_fields
from convlens.studies.space import Space, rate_follows_optimizer, varied_names

COLUMNS = (  # of trials.csv, before those of the settings
    "trial",
    "state",
    "val_accuracy",
    "epochs",
    "seconds",
    "median",
    "median_of",
    "failure",
)
HEADINGS = {  # of the columns before those of the settings
    "trial": N_("trial"),
    "val": N_("val"),
    "epochs": N_("epochs"),
    "seconds": N_("seconds"),
}


class TrialTable:
    """Prints trials as rows, with one column for each setting that is varied.

    The rows of `add` are in the order of the trials, whatever the order in which they end.

    Args:
        space: The settings that are varied.
        screen: Where the table is printed.
    """

    def __init__(self, space: Space, screen: Screen) -> None:
        self.screen = screen
        self._waiting: dict[int, FrozenTrial] = {}
        self._printed = 0
        self.headings = {name: _(text) for name, text in HEADINGS.items()}
        self.widths = {"trial": 5, "val": 6, "epochs": 6, "seconds": 7}
        for name, heading in self.headings.items():
            self.widths[name] = max(self.widths[name], cell_len(heading))
        self.widths |= {
            name: max(len(name), *(len(format_value(end)) for end in dimension.ends))
            for name, dimension in space.items()
        }
        if rate_follows_optimizer(space):
            self.widths["learning_rate"] = len("learning_rate")
        widest = [" " * width for width in self.widths.values()]
        self._parts = in_lines([widest], screen.room)  # the same for all rows

    def heading(self) -> None:
        """Print the names of the columns."""
        cells = [
            _right(self.headings.get(name, name), width) for name, width in self.widths.items()
        ]
        self.screen.say()
        self._say(cells, "bold")

    def add(self, trial: FrozenTrial) -> None:
        """Print a trial that has ended, or keep its row until those before it are printed."""
        self._waiting[trial.number] = trial
        while (row := self._waiting.pop(self._printed, None)) is not None:
            self.row(row)
            self._printed += 1

    def row(self, trial: FrozenTrial) -> None:
        """Print a trial. Its score is that of its best epoch; below it is why it failed."""
        best = max(trial.intermediate_values.values(), default=None)
        values = varied_fields(trial) | {
            "trial": trial.number,
            "val": "-" if best is None else f"{100 * best:.1f} %",
            "epochs": len(trial.intermediate_values),
            "seconds": f"{seconds_of(trial):.1f}",
        }
        cells = [f"{format_value(values.get(name, '-')):>{w}}" for name, w in self.widths.items()]
        self._say(cells, more=_why_stopped(trial) if trial.state == TrialState.PRUNED else "")
        if failure := trial.user_attrs.get(FAILURE):
            self.screen.note(recalled(failure))

    def _say(self, cells: Sequence[str], style: str | None = None, more: str = "") -> None:
        """Print the cells of a row, in further lines where a terminal is too narrow for one.

        What is more to say stands behind them, or in a line of its own if there is no room.
        """
        lines = [FURTHER * (part.start > 0) + "  ".join(cells[part]) for part in self._parts]
        if more and cell_len(lines[-1] + more) + 2 <= self.screen.room:
            lines[-1] += "  " + more
        elif more:
            lines.append(FURTHER + more)
        for line in lines:
            self.screen.say(line, style)


def _why_stopped(trial: FrozenTrial) -> str:
    """Return why a trial was stopped early, in words."""
    median = trial.user_attrs.get(MEDIAN)
    if median is None:  # An earlier convlens, which did not record it, has stopped the trial.
        return _("stopped early")
    return _("stopped early: the median of {count} trials was {median:.1f} %").format(
        count=median["trials"], median=100 * median["accuracy"]
    )


def write_trials(found: Search, space: Space) -> None:
    """Write trials.csv, with a row for each trial that has ended, in their order.

    The columns `median` and `median_of` say of a trial that was stopped early what it was below
    after its last epoch, and how many earlier trials had this median.

    Raises:
        StorageError: If the file cannot be written. The previous rows stay.
    """
    names = varied_names(space)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*COLUMNS, *names))
    writer.writeheader()
    for trial in found.trials:
        if not trial.state.is_finished():
            continue
        median = trial.user_attrs.get(MEDIAN, {})
        values = varied_fields(trial)
        facts = {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "val_accuracy": max(trial.intermediate_values.values(), default=None),
            "epochs": len(trial.intermediate_values),
            "seconds": round(seconds_of(trial), 3),
            "median": median.get("accuracy"),
            "median_of": median.get("trials"),
            "failure": recalled(trial.user_attrs.get(FAILURE)),
        }
        writer.writerow(facts | {name: values.get(name) for name in names})
    write_atomically(found.folder / TRIALS, text.getvalue(), _("the table of the trials"))


def _right(text: str, width: int) -> str:
    """Return a text at the right end of so many cells."""
    return " " * (width - cell_len(text)) + text


def format_value(value: Any) -> str:
    """Return a value as the table shows it, numbers with two digits."""
    return f"{value:.2g}" if isinstance(value, float) else str(value)
