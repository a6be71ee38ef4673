"""Stage: a part of a training; what each of them answers for."""

from typing import Protocol

from convlens.report.finish import Predict
from convlens.run import Run
from convlens.training.checkpoint import State

Facts = list[tuple[str, str]]


class Stage(Protocol):
    """A part of a training; `Training` runs one after the other."""

    @property
    def expected(self) -> float:
        """The seconds that the stage takes, as `costs` has measured them."""

    def facts(self) -> dict[str, str]:
        """Return what this stage does differently from what the setup says; see `Setup.facts`."""
        return {}

    def costs(self) -> Facts:
        """Return the time and the memory that the stage takes, measured, as `Setup.facts`."""

    def run(self, run: Run) -> State:
        """Train, and leave the best classifier in the run folder."""

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return what the scores are computed with; None stands for the classifier itself."""
        return None
