"""Trial table: a search on the screen, a row a trial."""

from typing import Any

from optuna.trial import FrozenTrial, TrialState

from convlens.screen import Screen
from convlens.studies.space import Space, varied_fields

SECONDS = "seconds"  # attribute of a trial


def seconds_of(trial: FrozenTrial) -> float:
    """Return the seconds that a trial took, without the time between a stop and its resume."""
    return float(trial.user_attrs.get(SECONDS, 0.0))


class TrialTable:
    """The trials on the screen, a row each, a column for each field that is varied."""

    def __init__(self, space: Space, screen: Screen) -> None:
        self.screen = screen
        names = [
            *space,
            *(["learning_rate"] if "optimizer" in space and "learning_rate" not in space else []),
        ]
        self.widths = {
            name: max(
                len(name),
                *(len(shown(value)) for value in space[name].ends) if name in space else (7,),
            )
            for name in names
        }

    def heading(self) -> None:
        """Print the names of the columns."""
        fields = "  ".join(f"{name:>{width}}" for name, width in self.widths.items())
        self.screen.say(
            f"\n{'trial':>5}  {'val':>6}  {'epochs':>6}  {'seconds':>7}  {fields}", "bold"
        )

    def row(self, trial: FrozenTrial, ending: str = "") -> None:
        """Print a trial; its score is the best of its epochs."""
        values = varied_fields(trial)
        fields = "  ".join(
            f"{shown(values.get(name, '-')):>{width}}" for name, width in self.widths.items()
        )
        best = max(trial.intermediate_values.values(), default=None)
        score = "-" if best is None else f"{100 * best:.1f} %"
        epochs = len(trial.intermediate_values)
        early = "  stopped early" if trial.state == TrialState.PRUNED else ""
        self.screen.say(
            f"{trial.number:>5}  {score:>6}  {epochs:>6}  {seconds_of(trial):>7.1f}  {fields}{early}"
        )
        if trial.state == TrialState.FAIL and ending:
            self.screen.note(ending)


def shown(value: Any) -> str:
    """Return a value for the eye."""
    return f"{value:.2g}" if isinstance(value, float) else str(value)
