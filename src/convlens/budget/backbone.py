"""Backbone: a head on a frozen backbone, and fine-tuning in the time that is left."""

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
from convlens.budget.measure import measure_backbone, rehearse_ending
from convlens.budget.plan import Costs
from convlens.budget.timed_run import TimedRun
from convlens.config import Config
from convlens.pipeline import prepare_images
from convlens.run import Run
from convlens.screen import duration
from convlens.training.setup import Setup
from convlens.training.trainer import Training
from convlens.transfer.fine_tune_stage import FineTuneStage, with_unfrozen
from convlens.transfer.head_stage import HeadStage
from convlens.transfer.origin import choose_backbone

# The least time of a training pass over the images, in units of the time that their features take.
UPPER_LAYERS = 1  # the forward pass
ALL_LAYERS = 3  # the forward pass, and the backward pass, which takes twice as long


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
        least = origin.demands.least_side or 0
        sides += [side for side in SIDES if least <= side < own]
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
    training.announce(run, timed.facts)
    timed.head_alone = asked is None and head.continues
    training.run(run)
    tuning, stage = _choose_tuning(timed, head, frozen, choice.feature)
    timed.head_alone = False
    timed.screen.say("fine-tune    {reason}".format(reason=tuning.reason))
    if tuning.plan is None or stage is None:
        setup = with_unfrozen(setup, frozen)
        setup.describe(run, budget=timed.clock.seconds)
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
        reason = "not taken: without validation images there is no telling whether it is better"
        return Tuning(reason), None
    asked = timed.config.transfer.unfreeze
    least = 1.0 if asked else PASSES
    images = least * len(head.setup.prepared.splits.train)
    ending = 0.0
    options: list[tuple[str, Costs]] = []
    stage = None
    with timed.screen.console.status("measuring what fits into the rest"):
        if timed.clock.left > images * feature:
            ending, feature = rehearse_ending(head.setup)
        tuning = Tuning(
            "not taken: {least:g} passes of the upper layers take {needed} and much more; "
            "{left} are left, the scores not counted".format(
                least=least,
                needed=duration(images * feature),
                left=duration(max(timed.clock.left - ending, 0)),
            )
        )
        for unfreeze, factor in _ways(timed, head):
            if timed.clock.left - ending < images * feature * factor:
                continue  # it cannot fit, so it is not worth measuring
            unfrozen = with_unfrozen(head.setup, _fine_tuned(timed, frozen, unfreeze))
            stage = FineTuneStage(unfrozen, timed.screen, head)
            options.append((unfreeze, timed.measure(stage.trainer)))
            steps_per_pass = stage.trainer.train.steps_per_pass
            tuning = choose_tuning(options, timed.clock.left - ending, steps_per_pass, least)
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
    kept = {name: value for name, value in settings.items() if name in timed.given}
    return frozen.replace(unfreeze=unfreeze, **kept)
