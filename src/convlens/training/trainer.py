"""Trainer: one training from its announcement to its scores, as a list of stages.

From scratch there is one stage, the `Trainer`, which trains the weights that are not frozen step by
step. With a backbone there are a `HeadStage` and, where layers are unfrozen, a `FineTuneStage`, see
`convlens.transfer`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import psutil
from numpy.typing import NDArray

from convlens.charts.tuning import show_learning_rates
from convlens.classifier.assembly import set_weights, with_precision
from convlens.classifier.classifier import Classifier
from convlens.data.batches import Batches
from convlens.errors import Interrupted
from convlens.language import N_, _
from convlens.report.finish import Predict, finish
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.training.checkpoint import State, read_state, record_end
from convlens.training.failures import explained_failures
from convlens.training.fit import fit
from convlens.training.fused_norm import faster_layers
from convlens.training.hooks import Hooks, Row
from convlens.training.interrupts import interruptible
from convlens.training.kept import Kept
from convlens.training.live import write_live
from convlens.training.observer import Observer
from convlens.training.optimization import (
    Multiplier,
    compile_for_training,
    join_heads,
)
from convlens.training.rate_finder import find_learning_rate, suggest_rate
from convlens.training.setup import Setup
from convlens.training.snapshots import Snapshots
from convlens.training.stage import Facts, Stage
from convlens.training.step_time import step_seconds

MEASURED = 0.02  # of the steps of a training, which are measured before it
FEWEST_MEASURED = 5  # steps


@dataclass(frozen=True, eq=False)
class Training:
    """A setup and the stages that train it, in order.

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
            costs: Facts on the time, their names in English; where not given, the stages measure a
                few steps.
            screen: Where it is printed instead of the training's own screen.
        """
        screen = screen or self.screen
        screen.stage(_("measuring a few steps"))
        facts = self.setup.facts()
        for stage in self.stages:
            facts |= stage.facts()
        if costs is None:
            costs = [fact for stage in self.stages for fact in stage.costs()]
        rows = [*facts.items(), *costs, (N_("run"), str(run.folder))]
        screen.facts([(_(name), text) for name, text in rows])
        for note in self.setup.notes():
            screen.note(note)

    def run(self, run: Run) -> State:
        """Run the stages, and return the state of the last; see `Trainer.run`."""
        state = State()
        for stage in self.stages:
            state = stage.run(run)
        return state

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return what the scores of the best epoch are computed with; see `Stage`."""
        return self.stages[-1].prepare_scores(run)

    def finish(self, run: Run, *, explain: bool = True) -> Classifier:
        """Calibrate and score the best epoch, and write the report; see `report.finish`."""
        self.screen.stage(_("scores and report"))
        predict = self.prepare_scores(run)
        return finish(run, self.setup.prepared, self.screen, predict=predict, explain=explain)[0]


class Trainer(Stage):
    """A network compiled for its images. It is a stage, and all of a training from scratch.

    Args:
        setup: The images, the configuration and the network.
        screen: Where the progress is shown.
        multipliers: Returns how much faster or slower each trainable variable of a model learns
            than the learning rate says. With none all learn alike.
    """

    saves = True  # whether this process saves the state

    def __init__(
        self,
        setup: Setup,
        screen: Screen,
        multipliers: Callable[[keras.Model], Sequence[Multiplier]] = lambda model: (),
    ) -> None:
        self.setup = setup
        self.screen = screen
        self.provenance: Mapping[str, Any] = {}  # goes into the classifier file
        self._expected = 0.0
        self._multipliers = multipliers
        settings = setup.config.training
        splits = setup.prepared.splits
        policy = "mixed_bfloat16" if settings.precision == "bfloat16" else "float32"
        network = with_precision(setup.network, policy, seed=settings.seed, kinds=faster_layers())
        self.model = join_heads(network)
        self.train = self.batches(
            splits.train,
            seed=settings.seed,
            augmentation=setup.config.augment,
            weights=setup.class_weights,
            steps_per_epoch=settings.steps_per_epoch,
            whole=settings.workers is not None,
        )
        self.val = self.batches(splits.val) if len(splits.val) else None
        self._compile()

    def set_length(self, epochs: int, steps_per_epoch: int) -> None:
        """Train for so many epochs of so many steps instead; the learning rate ends with them."""
        self.setup.config = self.setup.config.replace(
            epochs=epochs, steps_per_epoch=steps_per_epoch
        )
        self.train.steps = steps_per_epoch * self.train.parts
        self._compile()

    def batches(self, indices: NDArray[np.int64], **options: Any) -> Batches:
        """Return batches of the images with these indices; see `Batches` for the options."""
        return self.setup.batches(indices, **options)

    @property
    def expected(self) -> float:
        """The seconds of the steps and the validations, as `costs` has measured them."""
        return self._expected

    @property
    def parts(self) -> int:
        """The number of parts in which each batch is computed."""
        return self.train.parts

    def _compile(self) -> None:
        compile_for_training(
            self.model,
            self.setup.config.training,
            self.train.steps,
            heads=len(self.setup.network.outputs),
            multipliers=self._multipliers(self.model),
            parts=self.train.parts,
        )

    def find_learning_rate(self, run: Run) -> None:
        """Look for a learning rate, say which, and train with it; the curve is in the plots."""
        with self.screen.status(_("looking for a learning rate")):
            rates, losses = find_learning_rate(self.model, self.train, self.setup.config.training)
        rate = suggest_rate(rates, losses)
        figure = show_learning_rates(rates, losses, suggestion=rate)
        self.screen.say(
            _("learning rate {rate:.1e} looks best (curve: {path}); training with it").format(
                rate=rate, path=run.write_figure("learning_rate", figure)
            )
        )
        self.setup.config = self.setup.config.replace(learning_rate=rate)
        self._compile()

    def facts(self) -> dict[str, str]:
        """Return how many snapshots are kept and their size, if any are."""
        if not self.setup.config.training.snapshots:
            return {}
        return {N_("snapshots"): self.kept.describe()}

    @property
    def kept(self) -> Kept:
        """What the snapshots will be."""
        steps = self.train.steps // self.parts
        return Kept(self.setup.network, self.setup.config.training, steps, self.parts)

    def costs(self) -> Facts:
        """Return the time and the memory that the training takes, measured on a few steps."""
        val_steps = self.val.steps if self.val else 0
        # A forward pass takes about a third of a training step.
        steps = self.setup.config.training.epochs * (self.train.steps + val_steps / 3)
        most = max(FEWEST_MEASURED, round(MEASURED * steps))
        status = self.screen.status(_("measuring a few steps"))
        with status, explained_failures(self.train):
            seconds = step_seconds(self.model, self.train, most=most)
        self._expected = steps * seconds
        time = _("about {total} ({step:.0f} ms a step, measured), and then the scores").format(
            total=duration(max(steps * seconds, 1)), step=seconds * self.train.parts * 1000
        )
        memory = _("{memory:.1f} GB, measured").format(
            memory=psutil.Process().memory_info().rss / 1e9
        )
        return [(N_("time"), time), (N_("memory"), memory)]

    def run(
        self,
        run: Run,
        *,
        stop_requested: Callable[[], bool] = lambda: False,
        on_epoch: Callable[[Row, bool], None] = lambda row, best: None,
        first: State | None = None,
        screen: Screen | None = None,
        observer: Observer | None = None,
    ) -> State:
        """Train. Ctrl-C ends the step and keeps the best epoch.

        Args:
            run: The run folder.
            stop_requested: Asked after each step; True does the same as Ctrl-C.
            on_epoch: Called after each epoch, see `Hooks`.
            first: Where a new run begins.
            screen: Where the progress is shown instead of the trainer's own screen.
            observer: What is told of each step, instead of what keeps the snapshots.

        Raises:
            Interrupted: If the training was stopped. The message says how to continue it.
            TrainingError: If the loss is not finite, see `fit`, the memory is not enough, or the
                images of a step cannot be prepared.
            StorageError: If a file cannot be written; see `fit`.
        """
        keras.utils.set_random_seed(self.setup.config.training.seed)
        failures = explained_failures(self.train, self.val, how_to_go_on=run.how_to_resume)
        with run.locked(), interruptible(stop_requested) as stops, failures:
            hooks = Hooks(
                on_best=lambda model, state: self._keep(model, state, run),
                on_epoch=on_epoch,
                on_answers=lambda epoch, rows: write_live(
                    run.folder, self.setup.prepared, rows, epoch
                ),
                stop_requested=stops,
                observer=observer or self._observer(run),
                saves=self.saves,
            )
            try:
                return fit(
                    self.model,
                    self.train,
                    self.val,
                    self.setup.config,
                    run,
                    hooks=hooks,
                    screen=screen or self.screen,
                    first=first,
                )
            except Interrupted as stop:
                raise Interrupted(
                    _("{stop}. {how}").format(stop=stop, how=run.how_to_resume())
                ) from None

    def end(self, run: Run, note: str) -> None:
        """Record that a training that was stopped ends there, and keep its last state if any are.

        Raises:
            StorageError: If a file cannot be written.
        """
        with run.locked():
            record_end(run, note)
            self._observer(run).begin(self.model, read_state(run.state_path))

    def _observer(self, run: Run) -> Observer:
        keeps = self.setup.config.training.snapshots > 0
        return Snapshots(run, self.setup, self.train) if keeps else Observer()

    def _keep(self, model: keras.Model, state: State, run: Run) -> None:
        set_weights(self.setup.network, model.get_weights())
        self.setup.save_classifier(run, state, self.provenance)
