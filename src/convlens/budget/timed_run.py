"""Timed run: a training with a time budget, and the way of a backbone through it.

A head is trained on the frozen backbone first, and layers are fine-tuned in the time that is left.
"""

import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from convlens import backend
from convlens.budget.choose import (
    MOST_PASSES,
    PASSES,
    SIDES,
    SizeChoice,
    Tuning,
    choose_side,
    choose_tuning,
    upper_layers,
)
from convlens.budget.deadline import Clock, Deadline, train_until
from convlens.budget.measure import measure_backbone, measure_costs, rehearse_ending
from convlens.budget.plan import Costs, Plan
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.errors import Interrupted
from convlens.language import N_, _
from convlens.pipeline import prepare_images
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer, Training
from convlens.transfer.fine_tune_stage import FineTuneStage, with_unfrozen
from convlens.transfer.head_stage import HeadStage
from convlens.transfer.origin import choose_backbone

TIMED = 0.03  # the share of the remaining time in which the steps of a training are timed
LEAST_TIMED = 2.0  # seconds for it at least
MOST_TIMED = 15.0  # seconds for it at most
NO_SNAPSHOTS = N_(
    "--snapshots has kept nothing: in this time only a head learned, from kept features. Give more "
    "time, or another network"
)
HEAD_ALONE = N_(
    "{how} (it will train the head alone: which layers to fine-tune was not decided yet)"
)

# The least time of a training pass over the images, in units of the time that their features take.
UPPER_LAYERS = 1  # the forward pass
ALL_LAYERS = 3  # the forward pass, and the backward pass, which takes twice as long

WITHOUT_VALIDATION = N_(
    "not taken: without validation images there is no telling whether it is better"
)


class TimedRun:
    """A run with a time budget.

    Args:
        dataset: The labelled images.
        config: The configuration that the user asked for.
        clock: The time budget.
        screen: Where the progress is shown.
    """

    def __init__(self, dataset: Dataset, config: Config, clock: Clock, screen: Screen) -> None:
        self.dataset = dataset
        self.config = config
        self.clock = clock
        self.screen = screen
        self.facts: dict[str, str] = {}  # what was measured and chosen, for the user
        self.folder: Run | None = None
        self.until_end = ExitStack()  # holds the lock of the folder
        self.ending = 0.0  # seconds from the last epoch to the report, tried out
        self.head_alone = False  # whether a resumed run would train only the head

    def how_to_go_on(self) -> str:
        """Return what a stopped run has kept, and how to continue it."""
        if self.folder is None:
            return _("Nothing was trained yet; give the same command again.")
        how = self.folder.how_to_resume()
        return _(HEAD_ALONE).format(how=how) if self.head_alone else how

    def begin(self, setup: Setup, name: str | Path | None) -> Run:
        """Create the run folder; from here on the run can be resumed."""
        self.folder = Run.create(name, f"{self.dataset.name}-{setup.origin.name}")
        self.until_end.enter_context(self.folder.locked())
        with self.folder.removed_on_failure():
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

        deadline = Deadline.within(self.clock, length, start, most, self.ending)
        prepare(length)
        note = train_until(stage, run, length, deadline, prepare)
        if note:
            self.screen.note(note)


def fit_backbone(timed: TimedRun, frozen: Config) -> tuple[Config, SizeChoice]:
    """Measure a backbone, and return the configuration with the input size that fits.

    Args:
        timed: The run and its time budget.
        frozen: The configuration with the backbone, all layers frozen.

    Raises:
        ModelError: If the weights of the backbone are not available.
    """
    origin = choose_backbone(frozen)
    own = origin.preprocess(timed.dataset, frozen).height
    sides = [own]
    if frozen.data.size == "auto" and origin.preprocessing is None:
        sides += [side for side in SIDES if (origin.demands.least_side or 0) <= side < own]
    with backend.forgotten():
        costs = measure_backbone(origin, timed.dataset, frozen)
    choice = choose_side(costs, timed.clock.left, sides)
    if choice.side in (None, own):
        return frozen, choice
    return frozen.replace(size=str(choice.side)), choice


def train_on_backbone(
    timed: TimedRun, frozen: Config, choice: SizeChoice, name: str | Path | None
) -> tuple[Training, Run]:
    """Train the head, and then fine-tune layers if the time allows.

    Args:
        timed: The run and its time budget.
        frozen: The configuration with the backbone, all layers frozen.
        choice: The input size and what the features cost.
        name: The name or the folder of the new run.
    """
    origin = choose_backbone(frozen)
    prepared = prepare_images(origin, timed.dataset, frozen, timed.screen)
    setup = Setup.create(prepared, frozen, origin)
    head = HeadStage(setup, timed.screen, continues=bool(len(prepared.splits.val)))
    asked = timed.config.transfer.unfreeze
    if asked is None:
        run = timed.begin(setup, name)
    else:
        # If the run is stopped before it is planned, a resumed run does what the user asked for.
        run = timed.begin(with_unfrozen(setup, _fine_tuned(timed, frozen, asked)), name)
        setup = with_unfrozen(setup, frozen)
    training = Training(setup, [head], timed.screen)
    training.announce(run, list(timed.facts.items()))
    timed.head_alone = asked is None and head.continues
    training.run(run)
    tuning, stage = _choose_tuning(timed, head, frozen, choice.feature)
    timed.head_alone = False
    timed.screen.fact(_("fine-tune"), tuning.reason)
    if tuning.plan is None or stage is None:
        setup = with_unfrozen(setup, frozen)
        setup.describe(run, budget=timed.clock.seconds)
        if timed.config.training.snapshots:
            timed.screen.note(_(NO_SNAPSHOTS))
        return Training(setup, [head], timed.screen), run
    most = MOST_PASSES * stage.trainer.train.steps_per_pass // tuning.plan.steps_per_epoch
    timed.train(stage, run, tuning.plan, tuning.start, max(1, most))
    return Training(stage.setup, [head, stage], timed.screen), run


def _choose_tuning(
    timed: TimedRun, head: HeadStage, frozen: Config, feature: float
) -> tuple[Tuning, FineTuneStage | None]:
    """Measure which layers can be fine-tuned in the time that is left.

    Args:
        timed: The run and its time budget.
        head: The trained head.
        frozen: The configuration with all layers of the backbone frozen.
        feature: The seconds in which the features of one image are computed.

    Returns:
        The choice, and the stage that was measured last: that of the choice, if there is one.
    """
    if not head.continues:
        return Tuning(_(WITHOUT_VALIDATION)), None
    least = 1.0 if timed.config.transfer.unfreeze else PASSES
    images = least * len(head.setup.prepared.splits.train)
    options: list[tuple[str, Costs]] = []
    stage = None
    with timed.screen.status(_("measuring what fits into the rest")):
        if timed.clock.left > images * feature:
            timed.ending, feature = rehearse_ending(head.setup)
        tuning = Tuning(
            _(
                "not taken: {least:g} passes of the upper layers take {needed} and much more; "
                "{left} are left, the scores not counted"
            ).format(
                least=least,
                needed=duration(images * feature),
                left=duration(max(timed.clock.left - timed.ending, 0)),
            )
        )
        for unfreeze, factor in _ways(timed, head):
            if timed.clock.left - timed.ending < images * feature * factor:
                continue  # it cannot fit, so it is not worth measuring
            unfrozen = with_unfrozen(head.setup, _fine_tuned(timed, frozen, unfreeze))
            stage = FineTuneStage(unfrozen, timed.screen, head)
            options.append((unfreeze, timed.measure(stage.trainer)))
            steps_per_pass = stage.trainer.train.steps_per_pass
            left = timed.clock.left - timed.ending
            tuning = choose_tuning(options, left, steps_per_pass, least)
            if tuning.plan is not None:
                break
    return tuning, stage


def _ways(timed: TimedRun, head: HeadStage) -> list[tuple[str, int]]:
    """Return what can be unfrozen, the best first, each with the least time of a training pass."""
    if timed.config.transfer.unfreeze is not None:
        return [(timed.config.transfer.unfreeze, UPPER_LAYERS)]
    upper = upper_layers(head.body, timed.config.transfer)
    ways = [("all", ALL_LAYERS)]
    return ways if upper is None else [*ways, (upper, UPPER_LAYERS)]


def _fine_tuned(timed: TimedRun, frozen: Config, unfreeze: str) -> Config:
    """Return the configuration in which these layers are fine-tuned.

    What the user has given is kept; the rest suits fine-tuning.
    """
    if timed.config.transfer.unfreeze is not None:
        return replace(timed.config, data=frozen.data)
    settings = asdict(timed.config.augment)
    settings["batch_size"] = timed.config.training.batch_size
    kept = {name: value for name, value in settings.items() if name in timed.config.given}
    snapshots = timed.config.training.snapshots
    return frozen.replace(unfreeze=unfreeze, snapshots=snapshots, **kept)
