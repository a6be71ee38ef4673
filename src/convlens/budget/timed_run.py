"""Timed run: what every training with a time budget needs, whichever network it trains."""

import sys
from pathlib import Path

from convlens.budget.deadline import Clock, Deadline, train_until
from convlens.budget.measure import measure_costs
from convlens.budget.plan import Costs, Plan
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.errors import Interrupted
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.fine_tune_stage import FineTuneStage

TIMED = 0.03  # share of the time that is left which is spent on timing steps,
LEAST_TIMED = 2.0  # but at least and
MOST_TIMED = 15.0  # at most so many seconds


class TimedRun:
    """A run with a time budget.

    Args:
        dataset: The labelled images.
        config: The configuration that the user asked for.
        clock: The time budget.
        screen: Where the progress is shown.
        given: The names of the settings that the user has given.
    """

    def __init__(
        self, dataset: Dataset, config: Config, clock: Clock, screen: Screen, given: frozenset[str]
    ) -> None:
        self.dataset = dataset
        self.config = config
        self.clock = clock
        self.screen = screen
        self.given = given
        self.facts: list[tuple[str, str]] = []  # what was measured and chosen, for the user
        self.folder: Run | None = None
        self.head_alone = False  # whether a resumed run would train only the head

    def how_to_go_on(self) -> str:
        """Return what a stopped run has kept, and how to continue it."""
        if self.folder is None:
            return "Nothing was trained yet; give the same command again."
        how = self.folder.how_to_resume()
        if not self.head_alone:
            return how
        return (
            "{how} (it ends with the head alone: whether its layers learn was not chosen "
            "yet)".format(how=how)
        )

    def add_fact(self, label: str, template: str, **fields: object) -> None:
        """Add a fact that is printed when the training is announced."""
        self.facts.append((label, template.format(**fields)))

    def begin(self, setup: Setup, name: str | Path | None) -> Run:
        """Create the run folder; from here on the run can be resumed."""
        self.folder = Run.create(name, f"{self.dataset.name}-{setup.origin.name}")
        setup.describe(self.folder, budget=self.clock.seconds)
        return self.folder

    def measure(self, trainer: Trainer) -> Costs:
        """Return the costs of a training, measured in a small share of the time that is left."""
        try:
            return measure_costs(
                trainer, min(max(TIMED * self.clock.left, LEAST_TIMED), MOST_TIMED)
            )
        except Interrupted:
            # Its message tells how to resume a run that is not kept.
            raise KeyboardInterrupt from None

    def train(
        self,
        stage: Trainer | FineTuneStage,
        run: Run,
        length: Plan,
        start: float,
        most: int = sys.maxsize,
    ) -> None:
        """Train as planned and keep the deadline; see `Deadline.within` for `start` and `most`."""

        def prepare(length: Plan) -> None:
            stage.set_length(length.epochs, length.steps_per_epoch)
            stage.setup.describe(run, budget=self.clock.seconds)

        deadline = Deadline.within(self.clock.seconds, length, start, most)
        prepare(length)
        note = train_until(stage, run, length, deadline, prepare)
        if note:
            self.screen.note(note)
