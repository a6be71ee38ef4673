"""Allot: a training that fills a given time: what fits is measured and chosen, and the time is kept to.

The time is that of the whole command: from the start of its process to the printed report.
"""

import sys
from dataclasses import replace
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
    unlike_photographs,
    upper_layers,
)
from convlens.budget.deadline import Clock, Deadline, train_until
from convlens.budget.measure import (
    decode_some,
    measure_backbone,
    measure_costs,
    rehearse_ending,
)
from convlens.budget.plan import AIM, Costs, Plan, plan
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.prepared import choose_preprocessing
from convlens.data.store import is_stored
from convlens.errors import Interrupted, ModelError
from convlens.pipeline import prepare_images
from convlens.run import Run, explained_stops
from convlens.screen import Screen, duration
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.training.training import Training
from convlens.transfer.fine_tune_stage import FineTuneStage, with_unfrozen
from convlens.transfer.head_stage import HeadStage
from convlens.transfer.origin import choose_backbone, choose_origin

BACKBONE = "efficientnet_lite0"  # the one whose weights are in a package
TIMED, LEAST_TIMED, MOST_TIMED = (
    0.03,
    2.0,
    15.0,
)  # share of the time spent on timing steps, within so many seconds


def train_within(  # noqa: PLR0913 - the public door; all but the first three have defaults
    dataset: Dataset,
    config: Config,
    seconds: float,
    *,
    given: frozenset[str] = frozenset(),
    run: str | Path | None = None,
    screen: Screen | None = None,
    began: float | None = None,
) -> Run:
    """Train the classifier that fits into a time, measured, and return its run; see `train`.

    A backbone that the configuration names is taken, first its head, then its layers in what is left. Else, where
    `model` is given, that network, from scratch; where not, a backbone on photographs, if it fits, and from scratch
    otherwise. The epochs follow from the time.

    Args:
        dataset: from `load_data`.
        config: every setting but epochs and steps_per_epoch.
        seconds: from `began` to the printed report.
        given: names of the settings that the user has set. Of `model`, the augmentation and `batch_size`, those that are
            not among them may be chosen otherwise.
        run: name or folder of the new run.
        screen: where the progress is shown.
        began: when the time began, as `time.time` says it; None is now.

    Raises:
        ConfigError: a time too short for one pass over the images, or for a backbone that was asked for; a `head`
            with hidden layers, which is not measured.
        ConvlensError: as `train`.
        Interrupted: Ctrl-C; the state and the best epoch are kept.
    """
    refuse_conflicts("train", {"budget": seconds} | config.transfer.changed())
    backend.start(config.training.backend, config.training.threads)
    if run is not None:
        Run.refuse_taken(Run.place(run))
    if config.transfer.backbone is None:
        choose_origin(config)  # refuses an unknown network before anything is measured
    allotment = _Allotment(dataset, config, Clock(seconds, began), screen or Screen(), given)
    with explained_stops(allotment.how_to_go_on):
        return allotment.train(run)


class _Allotment:
    """One training and its time."""

    def __init__(
        self, dataset: Dataset, config: Config, clock: Clock, screen: Screen, given: frozenset[str]
    ) -> None:
        self.dataset, self.config, self.clock, self.screen, self.given = (
            dataset,
            config,
            clock,
            screen,
            given,
        )
        self.said: list[tuple[str, str]] = []  # what was measured and chosen
        self.folder: Run | None = None
        self.head_alone = False  # whether a resume would train no more than the head

    def how_to_go_on(self) -> str:
        """Return what a run that was stopped has kept, and how to go on."""
        if self.folder is None:
            return "Nothing was trained yet; give the same command again."
        how = self.folder.how_to_resume()
        if self.head_alone:
            how += " (it ends with the head alone: whether its layers learn was not chosen yet)"
        return how

    def train(self, name: str | Path | None) -> Run:
        """Choose, train and score."""
        used, seconds = duration(self.clock.used), self.clock.seconds
        self.said.append(("budget", f"{duration(seconds)}, of which {used} went into starting"))
        chosen = self._choose_backbone()
        training, run = (
            self._train_from_scratch(name)
            if chosen is None
            else self._train_backbone(*chosen, name)
        )
        training.finish(run)
        share = 100 * self.clock.used / seconds
        self.screen.say(
            f"{'time':<13}{duration(self.clock.used)} of {duration(seconds)}, {share:.0f} %"
        )
        return run

    def _choose_backbone(self) -> tuple[Config, SizeChoice] | None:
        """Return the configuration of a frozen backbone and what it takes, None to train from scratch."""
        named = self.config.transfer.backbone
        why, choice, frozen = (
            "",
            None,
            self.config.replace(backbone=named or BACKBONE, unfreeze=None),
        )
        if named is None:
            asked = "model" in self.given
            why = (
                "another network is asked for"
                if asked
                else unlike_photographs(self.dataset, self.config)
            )
        if not why:
            try:
                with self.screen.console.status("measuring the backbone"):
                    choice, frozen = self._fit_backbone(frozen)
            except ModelError as error:
                if named is not None:
                    raise
                why = str(error)
        if choice is not None and choice.side is None:
            if named is not None:
                self.clock.require(choice.seconds / AIM, f"a head on {named}")
            why = f"{BACKBONE}, {choice.reason}"
        if why or choice is None:
            self.said.append(("backbone", f"not taken: {why}"))
            return None
        self.said.append(
            ("backbone", f"{frozen.transfer.backbone} at {choice.side}: {choice.reason}")
        )
        if named is None:
            self.said.append(
                (
                    "from scratch",
                    "not taken: on photographs a trained backbone needs fewer images",
                )
            )
        return frozen, choice

    def _fit_backbone(self, frozen: Config) -> tuple[SizeChoice, Config]:
        """Measure a backbone; return the side that fits, and the configuration with it."""
        origin = choose_backbone(frozen)
        own = origin.preprocess(self.dataset, frozen).height
        sides = [own]
        if frozen.data.size == "auto" and origin.info is not None:
            sides += [side for side in SIDES if (origin.info.least_side or 0) <= side < own]
        with backend.forgotten():
            choice = choose_side(
                measure_backbone(origin, self.dataset, frozen), self.clock.left, sides
            )
        return choice, frozen if choice.side in (None, own) else frozen.replace(
            size=str(choice.side)
        )

    def _train_backbone(
        self, frozen: Config, choice: SizeChoice, name: str | Path | None
    ) -> tuple[Training, Run]:
        """Train the head, and then, where the time allows, the layers below."""
        origin = choose_backbone(frozen)
        prepared = prepare_images(origin, self.dataset, frozen, self.screen)
        setup = Setup.create(prepared, frozen, origin)
        head = HeadStage(setup, self.screen, continues=bool(len(prepared.splits.val)))
        asked = self.config.transfer.unfreeze
        if asked is None:
            run = self._begin(setup, name)
        else:
            # Should the run be stopped before it is planned, a resumed run does what was asked for.
            run = self._begin(with_unfrozen(setup, self._unfrozen(frozen, asked)), name)
            setup = with_unfrozen(setup, frozen)
        training = Training(setup, [head], self.screen)
        training.announce(run, self.said)
        self.head_alone = asked is None and head.continues
        training.run(run)
        tuning, stage = self._choose_tuning(head, frozen, choice.feature)
        self.head_alone = False
        self.screen.say(f"{'fine-tune':<13}{tuning.reason}")
        if tuning.plan is None or stage is None:
            setup = with_unfrozen(setup, frozen)
            setup.describe(run, budget=self.clock.seconds)
            return Training(setup, [head], self.screen), run
        most = MOST_PASSES * stage.trainer.train.steps_per_pass // tuning.plan.steps_per_epoch
        self._train(stage, run, tuning.plan, tuning.start, max(1, most))
        return Training(stage.setup, [head, stage], self.screen), run

    def _choose_tuning(
        self, head: HeadStage, frozen: Config, feature: float
    ) -> tuple[Tuning, FineTuneStage | None]:
        """Measure which layers can learn in what is left; `feature` is the seconds of an image's features."""
        setup = head.setup
        if not head.continues:
            reason = "not taken: without validation images there is no telling whether it is better"
            return Tuning(reason), None
        stage = None
        given, options = self.config.transfer.unfreeze, list[tuple[str, Costs]]()
        least, ending = 1.0 if given else PASSES, 0.0
        passes = least * len(setup.prepared.splits.train)
        with self.screen.console.status("measuring what fits into the rest"):
            if self.clock.left > passes * feature:
                ending, feature = rehearse_ending(setup)
            needed, left = duration(passes * feature), duration(max(self.clock.left - ending, 0))
            why = (
                f"{least:g} passes of the upper layers take {needed} and much more; {left} are left"
            )
            tuning = Tuning(f"not taken: {why}, the scores not counted")
            upper = upper_layers(head.body, self.config.transfer)
            for unfreeze, ways in [(given, 1)] if given else [("all", 3), (upper, 1)]:
                # a pass is the way there at least, and where all learns, twice that back: not worth measuring else
                if unfreeze is None or self.clock.left - ending < passes * feature * ways:
                    continue
                unfrozen = with_unfrozen(setup, self._unfrozen(frozen, unfreeze))
                stage = FineTuneStage(unfrozen, self.screen, head)
                options.append((unfreeze, self._measure(stage.trainer)))
                tuning = choose_tuning(
                    options,
                    self.clock.left - ending,
                    stage.trainer.train.steps_per_pass,
                    least,
                )
                if tuning.plan is not None:
                    break
        return tuning, stage

    def _unfrozen(self, frozen: Config, unfreeze: str) -> Config:
        """Return the configuration in which layers learn: what the user asked for, else what suits fine-tuning."""
        config = self.config
        if config.transfer.unfreeze is not None:
            return replace(config, data=frozen.data)
        settings = {**vars(config.augment), "batch_size": config.training.batch_size}
        return frozen.replace(
            unfreeze=unfreeze, **{name: settings[name] for name in self.given & set(settings)}
        )

    def _train_from_scratch(self, name: str | Path | None) -> tuple[Training, Run]:
        """Train the configured network for the epochs that fill the time."""
        config, dataset = self.config, self.dataset
        origin = choose_origin(config)
        preprocessing = choose_preprocessing(dataset, config.data, origin.scale)
        if not is_stored(dataset, preprocessing):
            _, decode = decode_some(dataset, preprocessing)
            self.clock.require(decode * len(dataset), "decoding the images alone")
        prepared = prepare_images(origin, dataset, config, self.screen)
        trainer = Trainer(Setup.create(prepared, config, origin), self.screen)
        training = Training(trainer.setup, [trainer], self.screen)
        with self.screen.console.status("measuring a few steps"):
            costs, steps = self._measure(trainer), trainer.train.steps_per_pass
            a_pass = steps * costs.step + costs.overhead
            ending, _ = rehearse_ending(trainer.setup)
        self.clock.require(a_pass / AIM + costs.start + ending, "one pass over the images")
        length = plan(self.clock.left - costs.start - ending, costs, steps)
        passes = length.steps / steps
        self.said += [
            (
                "a pass",
                f"{duration(a_pass)}: {steps:,} steps of {1000 * costs.step:.0f} ms, and validation, measured",
            ),
            (
                "takes",
                f"{length.epochs} epochs, {passes:.1f} passes: {duration(length.seconds)} of the "
                f"{duration(self.clock.left)} that are left; {duration(costs.start + ending)} for compiling, scores "
                "and report, tried out",
            ),
        ]
        trainer.set_length(length.epochs, length.steps_per_epoch)
        run = self._begin(trainer.setup, name)
        training.announce(run, self.said)
        self._train(trainer, run, length, costs.start)
        return training, run

    def _begin(self, setup: Setup, name: str | Path | None) -> Run:
        """Create the run folder; from here on the run can be resumed."""
        self.folder = Run.create(name, f"{self.dataset.name}-{setup.origin.name}")
        setup.describe(self.folder, budget=self.clock.seconds)
        return self.folder

    def _measure(self, trainer: Trainer) -> Costs:
        try:
            return measure_costs(
                trainer, min(max(TIMED * self.clock.left, LEAST_TIMED), MOST_TIMED)
            )
        except Interrupted:  # its message is of a run that is not kept
            raise KeyboardInterrupt from None

    def _train(
        self,
        stage: Trainer | FineTuneStage,
        run: Run,
        length: Plan,
        start: float,
        most: int = sys.maxsize,
    ) -> None:
        """Train as planned, `most` epochs; the planned seconds begin after those that the engine takes to `start`."""

        def prepare(length: Plan) -> None:
            stage.set_length(length.epochs, length.steps_per_epoch)
            stage.setup.describe(run, budget=self.clock.seconds)

        budget = self.clock.seconds
        deadline = Deadline.within(budget, length, start, most)
        prepare(length)
        note = train_until(stage, run, length, deadline, prepare)
        if note:
            self.screen.note(note)
