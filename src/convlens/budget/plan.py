"""Plan: the number of epochs that fill a given time.

If a training were simply stopped when its time is up, its learning rate would still be high and the
network would be unfinished. Therefore the costs of a training are measured first, and the number of
epochs and their length follow from these costs. The learning rate then reaches its final value when
the time is up. This module only computes; `measure` finds the costs, and `deadline` keeps to the
plan.

An epoch need not be one pass over the training images: `steps_per_epoch` ends it after any number
of batches, and the next epoch continues from there.
"""

import math
import re
from dataclasses import dataclass

from convlens.errors import ConfigError
from convlens.language import _

AIM = 0.95  # share of the time that is planned; the rest is a reserve for what was not measured
OVERHEAD = 0.1  # share of the time that validating and saving may take, if longer epochs allow it
EPOCHS = 10  # epochs are not lengthened if fewer than these would remain to choose the best from
FULL = 0.99  # share of the planned time from which on a plan counts as filling it
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
ROUNDING = 1e-9  # keeps a quotient that is a whole number from being rounded down


@dataclass(frozen=True)
class Costs:
    """The measured costs of a training, in seconds.

    Attributes:
        step: One training step.
        validation: One pass over the validation images, or 0 if there are none.
        keep: Writing the classifier of the best epoch.
        start: What precedes the first step and the first validation, while the backend compiles.
    """

    step: float
    validation: float = 0.0
    keep: float = 0.0
    start: float = 0.0

    @property
    def overhead(self) -> float:
        """The seconds that an epoch takes beyond its steps, if it is the best so far."""
        return self.validation + self.keep

    def seconds(self, epochs: int, steps_per_epoch: int) -> float:
        """Return how long a training of that length takes."""
        return epochs * (steps_per_epoch * self.step + self.overhead)


@dataclass(frozen=True)
class Plan:
    """The length of a training.

    Attributes:
        epochs: The number of epochs.
        steps_per_epoch: The number of training steps in each epoch.
        seconds: The time that they should take in all.
    """

    epochs: int
    steps_per_epoch: int
    seconds: float

    @property
    def steps(self) -> int:
        """The number of training steps in all epochs."""
        return self.epochs * self.steps_per_epoch


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as "90s".

    Args:
        text: One or more numbers, each with its unit (h, m or min, s), the largest unit first.

    Raises:
        ConfigError: If the text does not have this form, or the duration is zero.

    >>> [parse_duration(text) for text in ("90s", "10m", "1h30m", "1.5 h")]
    [90.0, 600.0, 5400.0, 5400.0]
    """
    number = r"(\d+(?:\.\d+)?)"
    pattern = rf"(?:{number}h)?(?:{number}m(?:in)?)?(?:{number}s)?"
    match = re.fullmatch(pattern, re.sub(r"\s", "", text.lower()))
    if match is None or not any(match.groups()):
        raise ConfigError(
            _(
                "a duration must be a number with its unit, as 90s, 10m or 1h30m; found {text!r}."
            ).format(text=text)
        )
    parts = zip(match.groups(), UNITS.values(), strict=True)
    seconds = sum(float(part or 0) * unit for part, unit in parts)
    if seconds <= 0:
        raise ConfigError(_("a duration must be more than zero; found {text!r}.").format(text=text))
    return seconds


def least_seconds(costs: Costs) -> float:
    """Return the shortest time that can be planned: one step, validated and saved."""
    return costs.seconds(1, 1) / AIM


def plan(seconds: float, costs: Costs, steps_per_pass: int) -> Plan:
    """Return the training that fills the given time.

    The plan takes the share `AIM` of the time, less one step per epoch at most. An epoch is about
    one pass over the training images. It is longer if a validation after each pass would take more
    than the share `OVERHEAD` of the time. It is shorter if a whole number of passes does not fill
    the time, or if not even one pass fits.

    Args:
        seconds: The time from the first step to the end of the last validation.
        costs: The measured costs.
        steps_per_pass: The number of training steps in one pass over the training images.

    Raises:
        ConfigError: If not even one step fits.

    >>> plan(60, Costs(step=0.1, validation=1.0), steps_per_pass=100)
    Plan(epochs=5, steps_per_epoch=104, seconds=57.0)
    """
    if seconds < least_seconds(costs):
        raise ConfigError(
            _(
                "the time must be at least {least:.2g} s: a step takes {step:.2g} s, and to "
                "validate and save it {overhead:.2g} s, measured; found {seconds:g} s."
            ).format(
                least=least_seconds(costs),
                step=costs.step,
                overhead=costs.overhead,
                seconds=seconds,
            )
        )
    aim = AIM * seconds
    most = int(aim / costs.seconds(1, 1) + ROUNDING)
    epochs = max(1, min(_epochs_of_whole_passes(aim, costs, steps_per_pass), most))
    # Steps are whole, too: a neighbouring number of epochs may lose less time to rounding.
    nearby = range(epochs - epochs // 5, min(epochs + epochs // 5, most) + 1)
    plans = [_fill(aim, n, costs) for n in sorted(nearby, key=lambda n: abs(n - epochs))]
    full = (candidate for candidate in plans if candidate.seconds >= FULL * aim)
    return next(full, max(plans, key=lambda candidate: candidate.seconds))


def _epochs_of_whole_passes(aim: float, costs: Costs, steps_per_pass: int) -> int:
    """Return how many epochs fit, each as many passes long as keep the overhead small."""
    pass_seconds = costs.step * steps_per_pass
    wanted = math.ceil(costs.overhead * (1 / OVERHEAD - 1) / pass_seconds)
    affordable = int((aim - EPOCHS * costs.overhead) / pass_seconds / EPOCHS)
    passes = max(1, min(wanted, affordable))
    return round(aim / costs.seconds(1, passes * steps_per_pass))


def _fill(aim: float, epochs: int, costs: Costs) -> Plan:
    """Return a plan with that many epochs, each with as many whole steps as fit."""
    steps = max(1, int((aim / epochs - costs.overhead) / costs.step + ROUNDING))
    return Plan(epochs, steps, costs.seconds(epochs, steps))
