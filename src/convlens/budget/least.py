"""Least: the shortest time budget in which images can be trained on, measured on this machine.

The same functions measure that choose and plan a training within a budget, here with no time left.
"""

from convlens.budget.deadline import Clock, Needed
from convlens.budget.plan import AIM
from convlens.budget.timed_run import TimedRun, fit_backbone
from convlens.budget.train_within import BACKBONE, measure_from_scratch, why_not_backbone
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.errors import ModelError
from convlens.screen import Screen


def least_budget(
    dataset: Dataset, config: Config, *, screen: Screen | None = None, began: float | None = None
) -> Needed:
    """Return the shortest time budget with which `train_within` trains what suits the images.

    That is the backbone at its smallest input size for photographs, and one pass over the images
    otherwise. The images are decoded for the latter, which a training need not do again.

    Args:
        dataset: The labelled images.
        config: All settings but epochs and steps_per_epoch.
        screen: Where the progress is shown.
        began: The time at which the process began, as `time.time` gives it. None is now.

    Raises:
        ConvlensError: If the images cannot be trained on.
    """
    clock = Clock(0.0, began)
    timed = TimedRun(dataset, config, clock, screen or Screen(quiet=True))
    if not why_not_backbone(timed):
        frozen = config.replace(backbone=BACKBONE, unfreeze=None, snapshots=0)
        try:
            choice = fit_backbone(timed, frozen)[1]
        except ModelError:
            pass  # its weights are not there, so that a network learns from scratch
        else:
            return clock.needed(choice.seconds / AIM)
    measured = measure_from_scratch(timed)
    return clock.needed(measured.least)
