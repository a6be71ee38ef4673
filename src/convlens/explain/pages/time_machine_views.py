"""Time machine views: an image and a weight at the moments of a training, as pages and as data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from convlens.explain.arithmetic.writing import equation, write
from convlens.explain.microscope.layer import Layer
from convlens.explain.pages.gradient_views import gradient_data
from convlens.explain.pages.page import Block, Lines, Page, Table
from convlens.explain.time_machine.machine import Way, WeightAt
from convlens.explain.time_machine.states import Moment
from convlens.explain.time_machine.update import KeptUpdate
from convlens.language import N_, _

MOST_CLASSES = 6  # with a column of their own
HEADS = (N_("step"), N_("epoch"), N_("learning rate"), N_("loss"))
KEPT = N_("{value} was kept after the step; it differs by {difference}, {allowed} is allowed")
NOT_KEPT = N_(
    "{value} was kept after the step; it differs by {difference}, more than {allowed}: the "
    "training has moved this weight in another way"
)


def shown_classes(way: Way, most: int = MOST_CLASSES) -> list[int]:
    """Return the classes that are the most probable at some moment, in the order of the classes."""
    best = way.probabilities.max(axis=0)
    return sorted(int(one) for one in np.argsort(-best, kind="stable")[:most])


def way_page(way: Way, image: str) -> Page:
    """Return the page of an image's way to its class: a row for each moment.

    Args:
        way: The way.
        image: The name of the image.
    """
    classes = shown_classes(way)
    rows = tuple(
        (
            *_moment(moment),
            *(f"{100 * row[one]:.1f}" for one in classes),
            label + (" *" if moment.is_best else ""),
        )
        for moment, row, label in zip(way.moments, way.probabilities, way.predicted, strict=True)
    )
    names = [way.class_names[one] for one in classes]
    heads = (*map(_, HEADS), *(f"{name} %" for name in names), _("predicted"))
    facts = (
        (_("image"), image),
        (
            _("numbers"),
            _(
                "probabilities before the calibration; the loss is the mean over the epoch so far, "
                "the learning rate that of the next step; * is the best epoch"
            ),
        ),
    )
    return Page(_("The way to the class"), facts, (Table(heads, rows, words=("",)),))


def _moment(moment: Moment) -> tuple[str, ...]:
    loss = "" if moment.loss is None else f"{moment.loss:.4f}"
    epoch = str(moment.epoch)
    return f"{moment.step:,}", epoch, f"{moment.learning_rate:.3g}", loss


def weight_page(layer: Layer, weights: Sequence[WeightAt]) -> Page:
    """Return the page of a weight at each moment, with the updates of the first steps.

    Args:
        layer: The layer of the weight.
        weights: What `TimeMachine.weight` has returned.
    """
    first = weights[0].gradient
    rows = tuple(
        (
            *_moment(one.moment)[:3],
            write(one.value),
            write(one.gradient.loss),
            f"{one.gradient.total:.3e}",
            _("yes") if one.gradient.agrees else _("no"),
            "" if one.change is None else f"{one.change:.3e}",
        )
        for one in weights
    )
    heads = (
        *map(_, HEADS[:3]),
        _("weight"),
        _("loss of the image"),
        "dLoss/dWeight",
        _("agrees with the engine"),
        _("up to the next moment"),
    )
    blocks: list[Block] = [Table(heads, rows, _("the weight at each moment"), words=("",))]
    blocks += [
        Lines(tuple(_update_lines(one.update)), _title(one.moment))
        for one in weights
        if one.update is not None
    ]
    place = first.weight.place
    said = place if isinstance(place, str) else ",".join(map(str, place))
    facts = (
        (
            _("weight"),
            _("{place} of {unit} in {layer}").format(
                place=said, unit=layer.which_one(first.weight.unit), layer=layer.name
            ),
        ),
        (
            _("loss"),
            _("-ln(probability of {label}), of this one image").format(label=first.label),
        ),
    )
    return Page(_("A weight on its way"), facts, tuple(blocks))


def _title(moment: Moment) -> str:
    return _("step {step}: the update by the gradient of the batch").format(step=moment.step + 1)


def _update_lines(kept: KeptUpdate) -> list[tuple[str, str]]:
    """Return the lines of an update: the gradient, the rule, and the weight that was kept."""
    lines: list[tuple[str, str]] = [
        (_("gradient"), _("{value:.8g}, of the batch").format(value=kept.update.gradient))
    ]
    lines += [(step.name, equation(step.text, f"{step.value:.8g}")) for step in kept.update.steps]
    rule = _(KEPT if kept.agrees else NOT_KEPT)
    said = rule.format(
        value=f"{kept.kept:.8g}",
        difference=f"{abs(kept.update.after - kept.kept):.1e}",
        allowed=f"{kept.allowed:.1e}",
    )
    return [*lines, (_("training"), said)]


def moment_data(moment: Moment) -> dict[str, Any]:
    """Return a moment as plain data."""
    found = asdict(moment)
    found["images"] = list(moment.images)
    found["names"] = list(moment.names)
    return found


def way_data(way: Way) -> dict[str, Any]:
    """Return the way of an image as plain data."""
    return {
        "class_names": list(way.class_names),
        "moments": [moment_data(moment) for moment in way.moments],
        "probabilities": way.probabilities.tolist(),
        "predicted": list(way.predicted),
    }


def weight_data(layer: Layer, weights: Sequence[WeightAt]) -> list[dict[str, Any]]:
    """Return a weight at each moment as plain data.

    Args:
        layer: The layer of the weight, at any moment.
        weights: What `TimeMachine.weight` has returned.
    """
    return [
        {
            "moment": moment_data(one.moment),
            **gradient_data(layer, one.gradient),
            "value": one.value,  # `gradient_data` reads the network, which is at another moment
            "change": one.change,
            "update": None if one.update is None else update_data(one.update),
        }
        for one in weights
    ]


def update_data(kept: KeptUpdate) -> dict[str, Any]:
    """Return the update of a weight as plain data."""
    return {
        "optimizer": kept.rule.kind,
        "learning_rate": kept.rule.learning_rate,
        "weight_decay": kept.rule.weight_decay,
        "step": kept.rule.step,
        "numbers": {
            name: value for name, value in kept.rule.numbers.items() if not isinstance(value, str)
        },
        "gradient": kept.update.gradient,
        "before": kept.update.before,
        "steps": [
            {"name": one.name, "text": one.text, "value": one.value} for one in kept.update.steps
        ],
        "after": kept.update.after,
        "change": kept.update.change,
        "kept": kept.kept,
        "allowed": kept.allowed,
        "agrees": kept.agrees,
    }
