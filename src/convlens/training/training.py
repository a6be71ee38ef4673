"""Training: the stages of one training, from the announcement to the scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convlens.classifier.classifier import Classifier
from convlens.report.finish import Predict, finish
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.fit import Row
from convlens.training.setup import Setup
from convlens.training.trainer import Facts, Stage


@dataclass(frozen=True, eq=False)
class Training:
    """A setup and the stages that train it, in order.

    From scratch there is one stage, the `Trainer`. With a backbone there are a `HeadStage` and,
    where layers are unfrozen, a `FineTuneStage`.

    Attributes:
        setup: The images, the configuration and the network.
        stages: What trains the network, one after the other.
        screen: Where facts and scores are shown.
    """

    setup: Setup
    stages: Sequence[Stage]
    screen: Screen

    def announce(self, run: Run, costs: Facts | None = None, screen: Screen | None = None) -> None:
        """Print what will be trained on what, and how long it will take.

        Args:
            run: The run folder.
            costs: Facts on the time; where not given, the stages measure a few steps.
            screen: Where it is printed instead of the training's own screen.
        """
        screen = screen or self.screen
        facts = self.setup.facts()
        for stage in self.stages:
            facts |= stage.facts()
        if costs is None:
            costs = [fact for stage in self.stages for fact in stage.costs()]
        screen.facts([*facts.items(), *costs, ("run", str(run.folder))])
        for note in self.setup.notes():
            screen.note(note)

    def run(
        self,
        run: Run,
        *,
        stop_requested: Callable[[], bool] = lambda: False,
        on_epoch: Callable[[Row, bool], None] = lambda row, best: None,
    ) -> State:
        """Run the stages; see `Trainer.run`."""
        state = State()
        for stage in self.stages:
            state = stage.run(run, stop_requested=stop_requested, on_epoch=on_epoch)
        return state

    @property
    def predict(self) -> Predict | None:
        """What predicts faster than the classifier in the run folder, or None."""
        return self.stages[-1].predict

    def finish(self, run: Run) -> Classifier:
        """Calibrate and score the best epoch, and write the report; see `report.finish`."""
        predict = self.stages[-1].prepare_scores(run)
        return finish(run, self.setup.prepared, self.screen, predict=predict).classifier
