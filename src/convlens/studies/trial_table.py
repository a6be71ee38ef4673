"""Trial table: the trials of a search in the terminal, one row per trial."""

from typing import Any

from optuna.trial import FrozenTrial, TrialState

from convlens.screen import Screen
from convlens.studies.sampler import rate_follows_optimizer, varied_fields
from convlens.studies.space import Space

SECONDS = "seconds"  # attribute of a trial


def seconds_of(trial: FrozenTrial) -> float:
    """Return the seconds that a trial took, without the time between a stop and its resume."""
    return float(trial.user_attrs.get(SECONDS, 0.0))


class TrialTable:
    """Prints trials as rows, with one column for each setting that is varied.

    Args:
        space: The settings that are varied.
        screen: Where the table is printed.
    """

    def __init__(self, space: Space, screen: Screen) -> None:
        self.screen = screen
        self.widths = {
            name: max(len(name), *(len(format_value(end)) for end in dimension.ends))
            for name, dimension in space.items()
        }
        if rate_follows_optimizer(space):
            self.widths["learning_rate"] = len("learning_rate")

    def heading(self) -> None:
        """Print the names of the columns."""
        fields = "  ".join(f"{name:>{width}}" for name, width in self.widths.items())
        columns = f"{'trial':>5}  {'val':>6}  {'epochs':>6}  {'seconds':>7}"
        self.screen.say(f"\n{columns}  {fields}", "bold")

    def row(self, trial: FrozenTrial, ending: str = "") -> None:
        """Print a trial. Its score is that of its best epoch.

        Args:
            trial: The trial.
            ending: Why it failed, printed as a note below the row of a failed trial.
        """
        values = varied_fields(trial)
        best = max(trial.intermediate_values.values(), default=None)
        score = "-" if best is None else f"{100 * best:.1f} %"
        cells = [
            f"{trial.number:>5}",
            f"{score:>6}",
            f"{len(trial.intermediate_values):>6}",
            f"{seconds_of(trial):>7.1f}",
            *(f"{format_value(values.get(name, '-')):>{w}}" for name, w in self.widths.items()),
        ]
        if trial.state == TrialState.PRUNED:
            cells.append("stopped early")
        self.screen.say("  ".join(cells))
        if trial.state == TrialState.FAIL and ending:
            self.screen.note(ending)


def format_value(value: Any) -> str:
    """Return a value as the table shows it, numbers with two digits."""
    return f"{value:.2g}" if isinstance(value, float) else str(value)
