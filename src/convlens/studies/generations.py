"""Generations: what a trial may know of other trials, so that its result follows from its number.

Trials are counted from 0, and so many of them in a row are a generation. The settings of a trial
are drawn, and it is stopped early, by the scores of the generations before its own and never by
those of its own; of these, a draw knows the settings only. The trials of a generation can therefore
be trained in any order, one after the other or at the same time on several machines, and each ends
with the same result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState, create_trial

from convlens.training.interrupts import EndOfTraining

GENERATION = 4  # trials, where the user asks for no other number
SEQUENTIAL = 1  # trials of a generation of a search that an earlier convlens has begun
WARMUP_EPOCHS = 2  # the first epoch after which a trial may be stopped


@dataclass(frozen=True)
class Median:
    """What a trial must reach after an epoch in order to go on.

    Attributes:
        epoch: The epoch, counted from 1.
        accuracy: The median of what earlier trials had reached after this epoch.
        trials: The number of these trials.
    """

    epoch: int
    accuracy: float
    trials: int

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        seconds: How long it took.
        scores: The best validation accuracy so far, by the epoch.
        median: What it was below when it was stopped early, or None.
        failure: Why it failed, or "".
    """

    seconds: float
    scores: Mapping[int, float] = field(default_factory=dict)
    median: Median | None = None
    failure: str = ""


class BelowMedian(EndOfTraining):
    """Ends a trial that is below the median of the earlier trials.

    Attributes:
        median: The median.
    """

    def __init__(self, median: Median) -> None:
        super().__init__(median)
        self.median = median


def generation_begin(number: int, size: int) -> int:
    """Return the first trial of the generation of a trial.

    Args:
        number: The number of the trial.
        size: The number of trials of a generation.

    >>> [generation_begin(number, 4) for number in (0, 3, 4, 9)]
    [0, 0, 4, 8]
    """
    return number // size * size


def earlier_trials(trials: Sequence[FrozenTrial], number: int, size: int) -> list[FrozenTrial]:
    """Return the trials of the generations before that of a trial; see `generation_begin`."""
    begin = generation_begin(number, size)
    return [trial for trial in trials if trial.number < begin]


def known_to(trials: Sequence[FrozenTrial], number: int, size: int) -> list[FrozenTrial]:
    """Return what the draw of a trial may know of those before it.

    The trials of its own generation have settings and no score, whether they have ended or not.
    """
    begin = generation_begin(number, size)
    own = [
        create_trial(
            state=TrialState.RUNNING, params=trial.params, distributions=trial.distributions
        )
        for trial in trials[begin:number]
    ]
    return [*trials[:begin], *own]


def medians(earlier: Sequence[FrozenTrial], epochs: int, startup: int) -> dict[int, Median]:
    """Return what a trial must reach after each epoch in order to go on, by the epoch.

    This is the rule of Optuna's `MedianPruner`: a trial is compared after each epoch with the
    trials that ran to their end. It may stop after no epoch before `WARMUP_EPOCHS`, nor after the
    last one.

    Args:
        earlier: The trials of earlier generations, all of which have ended.
        epochs: The number of epochs of a trial.
        startup: The number of trials that must have run to their end before any is stopped.
    """
    whole = [trial for trial in earlier if trial.state == TrialState.COMPLETE]
    found: dict[int, Median] = {}
    if len(whole) < max(startup, 1):
        return found
    for epoch in range(WARMUP_EPOCHS, epochs):
        reached = [
            trial.intermediate_values[epoch]
            for trial in whole
            if epoch in trial.intermediate_values
        ]
        if reached:
            found[epoch] = Median(epoch, float(np.nanpercentile(reached, 50)), len(reached))
    return found


class Judge:
    """Follows the epochs of a trial, and ends it if it falls behind the earlier trials.

    Args:
        limits: What must be reached, by the epoch; see `medians`.

    Attributes:
        scores: The best validation accuracy so far, by the epoch.
    """

    def __init__(self, limits: Mapping[int, Median]) -> None:
        self.limits = limits
        self.scores: dict[int, float] = {}

    def __call__(self, row: Mapping[str, Any], best: bool) -> None:
        """Note the best validation accuracy so far.

        Args:
            row: The finished epoch, also one from before a stop.
            best: Not used.

        Raises:
            BelowMedian: If this accuracy is below the median of the earlier trials.
        """
        epoch = int(row["epoch"])
        highest = max([float(row["val_accuracy"]), *self.scores.values()])
        self.scores[epoch] = highest
        limit = self.limits.get(epoch)
        if limit is not None and highest < limit.accuracy:
            raise BelowMedian(limit)
