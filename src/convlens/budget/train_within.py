"""Train within: the training that fits into a given time.

The time is that of the whole command, from the start of its process to the printed report. What
fits is measured, chosen and planned, and then the deadline is kept.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convlens.budget.choose import SizeChoice
from convlens.budget.deadline import SLACK, Clock
from convlens.budget.measure import SAMPLED, decode_some, rehearse_ending
from convlens.budget.plan import AIM, Costs, Plan, plan
from convlens.budget.timed_run import TimedRun, fit_backbone, train_on_backbone
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.draws import least_limit
from convlens.data.input_shape import choose_preprocessing
from convlens.data.limited import limited
from convlens.data.photographs import unlike_photographs
from convlens.data.store import is_stored
from convlens.errors import ConfigError, ModelError
from convlens.files import explained_stops
from convlens.language import N_, _, ngettext
from convlens.pipeline import begin, prepare_images
from convlens.recipe_choice import with_fast_recipe
from convlens.run import Run
from convlens.screen import Screen, count_epochs, duration
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer, Training
from convlens.transfer.origin import choose_origin

BACKBONE = "efficientnet_lite0"  # its weights are in a package, so they need no download
OTHER_NETWORK = N_("another network is asked for")
MAPS = 20.0  # seconds that must be left for the maps of a backbone in the report
TOO_LONG = N_(
    "this took longer than its budget, because the computer was slower than when it was measured; "
    "other programs that compute at the same time slow it down"
)
WHOLE_NETWORK = N_("--snapshots keeps a network that learns step by step as a whole")


def train_within(
    dataset: Dataset,
    config: Config,
    seconds: float,
    *,
    run: str | Path | None = None,
    screen: Screen | None = None,
    began: float | None = None,
) -> Run:
    """Train the classifier that fits into a time budget, and return its run; see `train`.

    If the configuration names a backbone, its head is trained, and then its layers are fine-tuned
    in the time that is left. Otherwise, if the user names a network, it is trained from scratch. If
    neither is named, photographs get a backbone if it fits into the time, and everything else is
    trained from scratch by the recipe for few passes. The number of epochs follows from the time.

    Args:
        dataset: The labelled images, from `load_data`.
        config: All settings but epochs and steps_per_epoch. The network, the augmentation and the
            batch size may be chosen differently where nobody has given them.
        seconds: The time from `began` to the printed report.
        run: The name or the folder of the new run.
        screen: Where the progress is shown.
        began: The time at which the budget began, as `time.time` gives it. None is now.

    Raises:
        ConfigError: If the time is too short for one pass over the images or for the backbone, or
            if the head should have hidden layers, which are not measured.
        ConvlensError: See `train`.
        Interrupted: If the user pressed Ctrl-C. The state and the best epoch are kept.
    """
    refuse_conflicts("train", {"budget": seconds} | config.transfer.changed())
    begin(config, run)
    if config.transfer.backbone is None:
        choose_origin(config)  # refuses an unknown network before anything is measured
    timed = TimedRun(dataset, config, Clock(seconds, began), screen or Screen())
    _require_time(timed.clock)
    with explained_stops(timed.how_to_go_on), timed.until_end:
        return _train(timed, run)


def _require_time(clock: Clock) -> None:
    """Raise ConfigError if starting has taken all of the time, before anything is measured."""
    if clock.left <= 0:
        raise ConfigError(
            _(
                "--budget must leave time after starting, which took {used} here, to decode the "
                "images, to train and to score; found {found}. Give some minutes, such as "
                "--budget 5m."
            ).format(used=duration(clock.used), found=duration(clock.seconds))
        )


def _train(timed: TimedRun, name: str | Path | None) -> Run:
    """Choose what fits, train it and score it."""
    timed.facts[N_("budget")] = _("{budget}, of which {used} went into starting").format(
        budget=duration(timed.clock.seconds), used=duration(timed.clock.used)
    )
    chosen = _choose_backbone(timed)
    if chosen is None:
        training, run = _train_from_scratch(timed, name)
    else:
        frozen, choice = chosen
        training, run = train_on_backbone(timed, frozen, choice, name)
    # The end of a training from scratch was tried out, with its maps.
    training.finish(run, explain=timed.clock.left > (0.0 if chosen is None else MAPS))
    spent = _("{used} of {budget}, {share:.0f} %").format(
        used=duration(timed.clock.used),
        budget=duration(timed.clock.seconds),
        share=100 * timed.clock.used / timed.clock.seconds,
    )
    timed.screen.fact(_("time"), spent)
    if timed.clock.left < -SLACK * timed.clock.seconds:
        timed.screen.note(_(TOO_LONG))
    return run


def _choose_backbone(timed: TimedRun) -> tuple[Config, SizeChoice] | None:
    """Return the configuration of a frozen backbone and its size, or None if none is used."""
    named = timed.config.transfer.backbone
    # A head that learns from kept features has no states on its way.
    frozen = timed.config.replace(backbone=named or BACKBONE, unfreeze=None, snapshots=0)
    reason = "" if named else why_not_backbone(timed)
    if not reason:
        try:
            with timed.screen.status(_("measuring the backbone")):
                frozen, choice = fit_backbone(timed, frozen)
        except ModelError as error:
            if named is not None:
                raise
            reason = str(error)
        else:
            if choice.side is not None:
                _explain_backbone(timed, frozen, choice)
                return frozen, choice
            what = _("a head on {backbone}").format(backbone=frozen.transfer.backbone)
            if named is not None:
                timed.clock.require(choice.seconds / AIM, what)
            timed.clock.prefer(choice.seconds / AIM, what)
            timed.facts[N_("backbone")] = _("{backbone} is not taken: {reason}").format(
                backbone=BACKBONE, reason=choice.reason
            )
            return None
    timed.facts[N_("backbone")] = _("not taken: {reason}").format(reason=reason)
    return None


def why_not_backbone(timed: TimedRun) -> str:
    """Return why no backbone is tried where the user has named none, or nothing."""
    asked_for = {"model", "recipe"} & timed.config.given
    if asked_for or timed.config.model.stem == "small":  # which spoils the weights of a backbone
        return _(OTHER_NETWORK)
    reason = unlike_photographs(timed.dataset, timed.config)
    if not reason and timed.config.training.snapshots:
        return _(WHOLE_NETWORK)
    return reason


def _explain_backbone(timed: TimedRun, frozen: Config, choice: SizeChoice) -> None:
    """Note why the backbone was chosen."""
    timed.facts[N_("backbone")] = _("{name} at {side}: {reason}").format(
        name=frozen.transfer.backbone, side=choice.side, reason=choice.reason
    )
    if timed.config.transfer.backbone is None:
        timed.facts[N_("from scratch")] = _(
            "not taken: on photographs a trained backbone needs fewer images"
        )


@dataclass(frozen=True)
class FromScratch:
    """A training from scratch whose costs are measured.

    Attributes:
        trainer: The training.
        costs: What it costs.
        rest: The seconds around it, for compiling, scores and report.
        scoring: The seconds of the rest that grow with the number of images.
    """

    trainer: Trainer
    costs: Costs
    rest: float
    scoring: float

    @property
    def pass_seconds(self) -> float:
        """The seconds of one pass over the images, with its validation."""
        return self.costs.seconds(1, self.trainer.train.steps_per_pass)

    @property
    def least(self) -> float:
        """The seconds from the measurement to the report, with one pass over the images."""
        return self.pass_seconds / AIM + self.rest

    def of_more(self, factor: float) -> "FromScratch":
        """Return what the same training costs with so many times as many images."""
        costs = self.costs
        return replace(
            self,
            costs=replace(costs, step=factor * costs.step, validation=factor * costs.validation),
            rest=self.rest + (factor - 1) * self.scoring,
        )


def measure_from_scratch(timed: TimedRun) -> FromScratch:
    """Decode the images, and measure what the configured network costs."""
    timed.config = with_fast_recipe(timed.config)
    origin = choose_origin(timed.config)
    prepared = prepare_images(origin, timed.dataset, timed.config, timed.screen)
    trainer = Trainer(Setup.create(prepared, timed.config, origin), timed.screen)
    with timed.screen.status(_("measuring a few steps")):
        costs = timed.measure(trainer)
        timed.ending, prediction = rehearse_ending(trainer.setup)
    scored = len(prepared.splits.val) + len(prepared.splits.test)
    return FromScratch(trainer, costs, costs.start + timed.ending, scored * prediction)


def _train_from_scratch(timed: TimedRun, name: str | Path | None) -> tuple[Training, Run]:
    """Train the configured network for the epochs that fill the time."""
    # Where nothing is left, measuring the backbone has told what a longer budget must be.
    timed.clock.require(0.0, _("one pass over the images"))
    _require_decoding(timed)
    measured = measure_from_scratch(timed)
    length = _plan(timed, measured)
    trainer = measured.trainer
    trainer.set_length(length.epochs, length.steps_per_epoch)
    run = timed.begin(trainer.setup, name)
    training = Training(trainer.setup, [trainer], timed.screen)
    training.announce(run, list(timed.facts.items()))
    timed.train(trainer, run, length, measured.costs.start)
    return training, run


def _require_decoding(timed: TimedRun) -> None:
    """Refuse a budget that is too short to decode the images, before they are decoded."""
    config = with_fast_recipe(timed.config)
    scale = choose_origin(config).demands.scale
    dataset = limited(timed.dataset, config)[0]
    preprocessing = choose_preprocessing(dataset, config.data, scale)
    if is_stored(dataset, preprocessing):
        return
    _images, each = decode_some(dataset, preprocessing)
    decode = each * len(dataset)
    if decode > timed.clock.left:
        after = 0.0 if timed.clock.preferred else _least_of_few(timed, dataset)
        timed.clock.require(decode + after, _("decoding the images and one pass over them"))


def _least_of_few(timed: TimedRun, dataset: Dataset) -> float:
    """Return the seconds from decoded images to the report, as few of the images suggest."""
    given = np.full(len(dataset), "train") if dataset.splits is None else dataset.splits
    few = min(len(dataset), max(SAMPLED, least_limit(dataset.labels, given)))
    sample = TimedRun(timed.dataset, timed.config.replace(limit=few), timed.clock, timed.screen)
    return measure_from_scratch(sample).of_more(len(dataset) / few).least


def _plan(timed: TimedRun, measured: FromScratch) -> Plan:
    """Return the training that fills the time, less what is around it."""
    steps_per_pass = measured.trainer.train.steps_per_pass
    costs = measured.costs
    rest = measured.rest
    timed.clock.require(measured.least, _("one pass over the images"))
    length = plan(timed.clock.left - rest, costs, steps_per_pass)
    timed.facts[N_("a pass")] = ngettext(
        "{seconds}: {steps:,} step of {step:.0f} ms, and validation, measured",
        "{seconds}: {steps:,} steps of {step:.0f} ms, and validation, measured",
        steps_per_pass,
    ).format(seconds=duration(measured.pass_seconds), steps=steps_per_pass, step=1000 * costs.step)
    timed.facts[N_("time")] = _(
        "{epochs}, {passes:.1f} passes: {seconds} of the {left} that are left; {rest} for "
        "compiling, scores and report, tried out"
    ).format(
        epochs=count_epochs(length.epochs),
        passes=length.steps / steps_per_pass,
        seconds=duration(length.seconds),
        left=duration(timed.clock.left),
        rest=duration(rest),
    )
    return length
