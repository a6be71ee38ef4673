"""Choice: what fits into a given time, and why: functions of what was measured alone.

A frozen backbone comes first: on photographs it needs the fewest images and the least time. Of its sizes the largest
that fits is taken, since its accuracy falls with the size. What time is left then lets its layers learn too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras

from convlens.budget.plan import AIM, EPOCHS, Costs, Plan, least_seconds, plan
from convlens.config import Config, TransferConfig
from convlens.data.dataset import Dataset
from convlens.data.prepared import look_at, parse_size
from convlens.screen import duration
from convlens.transfer.unfreeze import able_layers, map_strides

SIDES = (224, 192, 160, 128, 96)  # pixels
LEAST_SIDE = 64  # smaller images are unlike those that a backbone learned from
PASSES = (
    3  # fewer passes over the images are no fine-tuning: the learning rate has to rise and fall
)
MOST_PASSES = 30  # more would bring little: such layers have learned before


@dataclass(frozen=True)
class Measured:
    """What a frozen backbone takes on these images, in seconds.

    Attributes:
        images: that have to be decoded.
        decode: of an image.
        wanted: images whose features are wanted.
        feature: of an image at the backbone's own side.
        rest: of building it again, of the head, the scores and the report.
        stored: whether an earlier run has decoded the images at that side.
        missing: wanted features that no earlier run has kept, at that side.
    """

    images: int
    decode: float
    wanted: int
    feature: float
    rest: float
    stored: bool = False
    missing: int | None = None

    def parts(self, share: float = 1.0) -> tuple[float, float]:
        """Return the seconds of decoding and of features; `share` is the area, as a share of that of the own side."""
        if share < 1:
            return self.images * self.decode, self.wanted * self.feature * share
        missing = self.wanted if self.missing is None else self.missing
        return 0.0 if self.stored else self.images * self.decode, missing * self.feature

    def seconds(self, share: float = 1.0) -> float:
        """Return the seconds from here to the report."""
        return sum(self.parts(share)) + self.rest


@dataclass(frozen=True)
class Choice:
    """A side that fits, or that none does.

    Attributes:
        side: None where none fits.
        seconds: that it takes, or the smallest side.
        feature: seconds of an image's features at it.
        reason: why.
    """

    side: int | None
    seconds: float
    feature: float
    reason: str


@dataclass(frozen=True)
class Tuning:
    """Which layers learn on.

    Attributes:
        reason: why these.
        unfreeze: as the flag takes it; None where none do.
        plan: for how long; None where none do.
        start: seconds before the first step, for the engine to compile and for the score of the head alone.
    """

    reason: str
    unfreeze: str | None = None
    plan: Plan | None = None
    start: float = 0.0


def choose(measured: Measured, seconds: float, sides: Sequence[int] = SIDES) -> Choice:
    """Return the largest side at which a frozen backbone fits into the seconds.

    >>> choose(Measured(images=4000, decode=0.002, wanted=4000, feature=0.004, rest=10), 60).side
    224
    >>> choose(Measured(images=4000, decode=0.002, wanted=4000, feature=0.04, rest=10), 60).side
    96
    >>> choose(Measured(images=4000, decode=0.002, wanted=4000, feature=0.04, rest=10), 30).side is None
    True

    Args:
        measured: at the first of the sides; features take time by the area.
        seconds: that are left.
        sides: in pixels, the largest first.
    """
    left = duration(seconds)
    for side in sides:
        share = (side / sides[0]) ** 2
        if measured.seconds(share) > AIM * seconds:
            continue
        whole = duration(measured.seconds(share))
        reason = f"{_parts(measured, share)}; about {whole} to the report fit into the {left} that are left"
        if side != sides[0]:
            reason += f", the {duration(measured.seconds())} at {sides[0]} do not"
        return Choice(side, measured.seconds(share), measured.feature * share, reason)
    share = (sides[-1] / sides[0]) ** 2
    least = measured.seconds(share)
    reason = f"even at {sides[-1]}, {_parts(measured, share)}, it takes {duration(least)}; {left} are left"
    return Choice(None, least, measured.feature * share, reason)


def _parts(measured: Measured, share: float) -> str:
    decoding, features = measured.parts(share)
    count = round(features / (measured.feature * share))
    if not count:
        return "features kept from an earlier run"
    said = f"{count:,} images x {1000 * measured.feature * share:.1f} ms = {duration(features)}"
    return said + (f", decoding {duration(decoding)}" if decoding else "")


def choose_tuning(
    options: Sequence[tuple[str, Costs]], seconds: float, steps_per_pass: int, least: float = PASSES
) -> Tuning:
    """Return the first of some ways to let layers learn that makes enough passes over the images in the time.

    >>> choose_tuning([("all", Costs(1.0)), ("9", Costs(0.4))], 100, steps_per_pass=50).unfreeze
    '9'

    Args:
        options: (what `--unfreeze` takes, costs), the best first.
        seconds: that are left for it, what the engine compiles included.
        steps_per_pass: training steps of one pass over the images.
        least: passes.
    """
    most, quickest = 0.0, math.inf
    for unfreeze, costs in options:
        start = costs.start + costs.validation
        length = _fill(costs, seconds - start, steps_per_pass)
        quickest = min(quickest, steps_per_pass * costs.step + costs.overhead)
        passes = length.epochs * length.steps_per_epoch / steps_per_pass if length else 0.0
        if length is None or passes < least:
            most = max(most, passes)
            continue
        what = "all layers" if unfreeze == "all" else f"layers {unfreeze}"
        if unfreeze.isdecimal():
            what = f"the last {unfreeze} layers" + (
                f" (all would make {most:.1f} passes)" if most else ""
            )
        each = duration(length.seconds / length.epochs)
        said = f"{what}: {length.epochs} epochs of {each}, {passes:.1f} passes in the {duration(seconds)} that are left"
        if passes > MOST_PASSES - 1:
            said += "; more time would bring little"
        return Tuning(said, unfreeze, length, start)
    reason = f"not taken: {least:g} passes over the images or more are worth it; one takes {duration(quickest)}, "
    return Tuning(
        f"{reason}and {duration(max(seconds, 0))} are left besides the scores and the report"
    )


def _fill(costs: Costs, seconds: float, steps_per_pass: int) -> Plan | None:
    """Return a training that fills the seconds, of MOST_PASSES at most; None where not one step fits."""
    if seconds < least_seconds(costs):
        return None
    found = plan(seconds, costs, steps_per_pass)
    if found.epochs * found.steps_per_epoch <= MOST_PASSES * steps_per_pass:
        return found
    passes = max(
        1, min(round(found.steps_per_epoch / steps_per_pass), MOST_PASSES // EPOCHS)
    )  # of an epoch
    epochs, steps = MOST_PASSES // passes, passes * steps_per_pass
    return Plan(epochs, steps, epochs * (steps * costs.step + costs.overhead))


def unlike_photographs(dataset: Dataset, config: Config) -> str:
    """Return why a backbone that knows photographs is not for these images, or ""."""
    sizes, grey = look_at(dataset)
    if config.data.channels == "grey" or (grey and config.data.channels == "auto"):
        return "the images are grey, it knows photographs in colour"
    middle = sorted(sizes, key=min)[len(sizes) // 2] if sizes else (0, 0)
    if min(middle) < LEAST_SIDE:
        return "images of {} x {} are too small for one that knows photographs".format(*middle)
    if config.data.size != "auto" and min(parse_size(config.data.size)) < SIDES[-1]:
        return f"--size {config.data.size} is too small for it"
    return ""


def upper_layers(body: keras.Model, settings: TransferConfig) -> str | None:
    """Return how many layers that can learn lie on the smallest map, as `--unfreeze` takes it; None where all do."""
    strides = map_strides(body)
    sizes = [strides[layer.name] for layer in able_layers(body, settings)]
    count = sizes.count(max(sizes, default=0))
    return str(count) if count < len(sizes) else None
