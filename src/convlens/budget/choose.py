"""Choose: what fits into a given time, computed from measured costs alone.

A frozen backbone is preferred, because it needs the fewest images and the least time on
photographs. The largest input size that fits is used, since accuracy falls with the size. In the
time that is left, layers of the backbone are fine-tuned too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from convlens.budget.plan import AIM, EPOCHS, Costs, Plan, least_seconds, plan
from convlens.config import TransferConfig
from convlens.language import N_, _
from convlens.screen import count_epochs, duration
from convlens.transfer.backbone import map_strides, trainable_layers

SIDES = (224, 192, 160, 128, 96)  # pixels
PASSES = 3  # in fewer passes over the images the learning rate cannot rise and fall
MOST_PASSES = 30  # more passes improve little, as the layers are trained already

NONE_FITS = N_("it takes {needed} even at {side} pixels ({parts}); {left} are left")
LARGEST_FITS = N_("{parts}; about {needed} to the report fit into the {left} that are left")
SMALLER_FITS = N_(
    "{parts}; about {needed} to the report fit into the {left} that are left, the {whole} at "
    "{largest} do not"
)
FEATURES = {  # by whether images must be decoded
    True: N_("{count:,} images x {each:.1f} ms = {features}, decoding {decoding}"),
    False: N_("{count:,} images x {each:.1f} ms = {features}"),
}
TUNED = {  # by whether more passes would fit
    True: N_(
        "{layers}: {epochs} of {each}, {passes:.1f} passes in the {left} that are left; "
        "more time would bring little"
    ),
    False: N_("{layers}: {epochs} of {each}, {passes:.1f} passes in the {left} that are left"),
}
LAST_LAYER = {  # as the next ones
    True: N_("the last layer (all would make {passes:.1f} passes)"),
    False: N_("the last layer"),
}
LAST_LAYERS = {  # by whether it is known how often all layers could be trained
    True: N_("the last {count} layers (all would make {passes:.1f} passes)"),
    False: N_("the last {count} layers"),
}


@dataclass(frozen=True)
class BackboneCosts:
    """The measured costs of a linear head on a frozen backbone, in seconds unless noted.

    Attributes:
        decode: Decoding one image.
        wanted: The number of images that are decoded and whose features are computed.
        feature: Computing the features of one image at the backbone's own input size.
        rest: Building the backbone again, fitting the head, the scores and the report.
        missing: The number of wanted features that no earlier run has kept at that size, or None
            if not even the decoded images were kept.
    """

    decode: float
    wanted: int
    feature: float
    rest: float
    missing: int | None = None

    def parts(self, share: float = 1.0) -> tuple[float, float]:
        """Return the seconds of decoding and those of the features.

        Args:
            share: The area of the input as a share of the area of the backbone's own input.
        """
        if share < 1 or self.missing is None:
            return self.wanted * self.decode, self.wanted * self.feature * share
        return 0.0, self.missing * self.feature

    def seconds(self, share: float = 1.0) -> float:
        """Return the seconds from now to the report; see `parts`."""
        return sum(self.parts(share)) + self.rest


@dataclass(frozen=True)
class SizeChoice:
    """The input size at which a frozen backbone fits into the time.

    Attributes:
        side: The side of the square input in pixels, or None if no size fits.
        seconds: The time that this size takes. If none fits, that of the smallest size.
        feature: The seconds in which the features of one image are computed at this size.
        reason: Why this size was chosen, for the user.
    """

    side: int | None
    seconds: float
    feature: float
    reason: str


@dataclass(frozen=True)
class Tuning:
    """The layers that are fine-tuned in the time that is left.

    Attributes:
        reason: Why these layers were chosen, for the user.
        unfreeze: The layers as `--unfreeze` names them, or None if none are fine-tuned.
        plan: The length of the fine-tuning, or None.
        start: The seconds before the first step, in which the backend compiles and the head alone
            is scored.
    """

    reason: str
    unfreeze: str | None = None
    plan: Plan | None = None
    start: float = 0.0


def choose_side(costs: BackboneCosts, seconds: float, sides: Sequence[int] = SIDES) -> SizeChoice:
    """Return the largest input size at which a frozen backbone fits into the time.

    Args:
        costs: The costs at the first of the sides. Features are taken to cost time in proportion to
            the area.
        seconds: The time that is left.
        sides: The input sizes in pixels, the largest first.

    >>> choose_side(BackboneCosts(0.002, wanted=4000, feature=0.004, rest=10), 60).side
    224
    >>> choose_side(BackboneCosts(0.002, wanted=4000, feature=0.04, rest=10), 60).side
    96
    >>> choose_side(BackboneCosts(0.002, wanted=4000, feature=0.04, rest=10), 30).side is None
    True
    """
    shares = {side: (side / sides[0]) ** 2 for side in sides}
    fitting = [side for side in sides if costs.seconds(shares[side]) <= AIM * seconds]
    side = fitting[0] if fitting else sides[-1]
    needed = costs.seconds(shares[side])
    template = NONE_FITS
    if fitting:
        template = LARGEST_FITS if side == sides[0] else SMALLER_FITS
    reason = _(template).format(
        side=side,
        parts=_describe(costs, shares[side]),
        needed=duration(needed),
        left=duration(seconds),
        whole=duration(costs.seconds()),
        largest=sides[0],
    )
    return SizeChoice(side if fitting else None, needed, costs.feature * shares[side], reason)


def _describe(costs: BackboneCosts, share: float) -> str:
    """Return the parts of the costs in words; see `BackboneCosts.parts`."""
    decoding, features = costs.parts(share)
    count = round(features / (costs.feature * share))
    if not count:
        return _("features kept from an earlier run")
    return _(FEATURES[decoding > 0]).format(
        count=count,
        each=1000 * costs.feature * share,
        features=duration(features),
        decoding=duration(decoding),
    )


def choose_tuning(
    options: Sequence[tuple[str, Costs]], seconds: float, steps_per_pass: int, least: float = PASSES
) -> Tuning:
    """Return the first way to fine-tune that makes enough passes over the images in the time.

    Args:
        options: Pairs of what `--unfreeze` takes and the costs of it, the best first.
        seconds: The time that is left, including that in which the backend compiles.
        steps_per_pass: The number of training steps in one pass over the images.
        least: The smallest number of passes that is worth it.

    >>> choose_tuning([("all", Costs(1.0)), ("9", Costs(0.4))], 100, steps_per_pass=50).unfreeze
    '9'
    """
    most = 0.0
    for unfreeze, costs in options:
        start = costs.start + costs.validation
        length = _fill(costs, seconds - start, steps_per_pass)
        passes = length.steps / steps_per_pass if length else 0.0
        if length is None or passes < least:
            most = max(most, passes)
            continue
        reason = _(TUNED[passes > MOST_PASSES - 1]).format(
            layers=_describe_layers(unfreeze, most),
            epochs=count_epochs(length.epochs),
            each=duration(length.seconds / length.epochs),
            passes=passes,
            left=duration(seconds),
        )
        return Tuning(reason, unfreeze, length, start)
    quickest = min(costs.seconds(1, steps_per_pass) for _name, costs in options)
    return Tuning(
        _(
            "not taken: {least:g} passes over the images or more are worth it; one takes {one}, "
            "and {left} are left besides the scores and the report"
        ).format(least=least, one=duration(quickest), left=duration(max(seconds, 0)))
    )


def _describe_layers(unfreeze: str, passes_of_all: float) -> str:
    """Return what `--unfreeze` names in words, and how many passes all layers would have made."""
    if unfreeze == "all":
        return _("all layers")
    if not unfreeze.isdecimal():
        return _("layers {patterns}").format(patterns=unfreeze)
    if int(unfreeze) == 1:
        return _(LAST_LAYER[passes_of_all > 0]).format(passes=passes_of_all)
    return _(LAST_LAYERS[passes_of_all > 0]).format(count=unfreeze, passes=passes_of_all)


def _fill(costs: Costs, seconds: float, steps_per_pass: int) -> Plan | None:
    """Return a plan of at most `MOST_PASSES` that fills the time, or None if not one step fits."""
    if seconds < least_seconds(costs):
        return None
    found = plan(seconds, costs, steps_per_pass)
    if found.steps <= MOST_PASSES * steps_per_pass:
        return found
    passes_per_epoch = round(found.steps_per_epoch / steps_per_pass)
    passes = max(1, min(passes_per_epoch, MOST_PASSES // EPOCHS))
    epochs = MOST_PASSES // passes
    steps = passes * steps_per_pass
    return Plan(epochs, steps, costs.seconds(epochs, steps))


def upper_layers(body: keras.Model, settings: TransferConfig) -> str | None:
    """Return the number of trainable layers on the smallest feature map, as `--unfreeze` takes it.

    Args:
        body: The backbone from images to features.
        settings: Whether batch normalisations can be trained.

    Returns:
        The number as text, or None if all layers lie on one feature map.
    """
    strides = map_strides(body)
    sizes = [strides[layer.name] for layer in trainable_layers(body, settings)]
    count = sizes.count(max(sizes, default=0))
    return str(count) if count < len(sizes) else None
