"""Gradient views: the derivative of the loss by a weight as a page, term by term, and as data."""

from typing import Any

import numpy as np

from convlens.explain.arithmetic.writing import decimals_of, write
from convlens.explain.microscope.gradient import WeightGradient
from convlens.explain.microscope.layer import NOUNS, Floats, Layer
from convlens.explain.pages.microscope_views import say_agreement, terms_table
from convlens.explain.pages.page import Lines, Page, Table
from convlens.language import N_, _

EFFECTS = {
    -1: N_("{total:.6e}: a larger weight lowers the loss"),
    0: N_("{total:.6e}: a little more or less of it leaves the loss as it is"),
    1: N_("{total:.6e}: a smaller weight lowers the loss"),
}
SUMS = {
    (False, False): "{factors}",
    (True, False): N_("the sum over all calls of {factors}"),
    (False, True): N_("the sum over all positions of {factors}"),
    (True, True): N_("the sum over all calls and positions of {factors}"),
}


def gradient_page(layer: Layer, found: WeightGradient) -> Page:
    """Return the page of dLoss/dWeight: its terms, the largest first, and the engine's own value.

    Args:
        layer: The layer of the weight.
        found: The derivative.
    """
    weight = found.weight
    factors = _factors(found)
    said = _("{value}, {place} of {unit}")
    if found.chosen:
        said = _("{value}, {place} of {unit}, the one with the largest derivative of this {noun}")
    said = said.format(
        value=write(weight.value),
        place=_weight_name(layer, found),
        unit=layer.which_one(weight.unit),
        noun=_(NOUNS[layer.noun][0]),
    )
    over = (found.terms.shape[0] > 1, found.terms.ndim > 1)  # several calls, several positions
    rule = _(SUMS[over]).format(factors=" × ".join(name for name, _heading, _values in factors))
    facts = (
        (
            _("loss"),
            _("-ln(probability of {label}) = {loss}: cross-entropy of this one image").format(
                label=found.label, loss=write(found.loss)
            ),
        ),
        (_("weight"), said),
        (_("rule"), rule),
        (
            _("mode"),
            _("as when predicting: normalisations with kept statistics, dropout lets all through"),
        ),
    )
    network = _("{value:.6e} by automatic differentiation").format(value=found.network)
    agreement = say_agreement(network, found.total - found.network, found.scale, found.agrees)
    sign = int(found.total > 0) - int(found.total < 0)
    effect = _(EFFECTS[sign]).format(total=found.total)
    lines = Lines((("dLoss/dWeight", effect), (_("engine"), agreement)))
    title = _("{layer}: gradient of a weight").format(layer=layer.name)
    return Page(title, facts, (_terms(found, factors), lines))


def _weight_name(layer: Layer, found: WeightGradient) -> str:
    place = found.weight.place
    if isinstance(place, str):
        return place
    rule = _("weight of input {place}") if layer.kind == "Dense" else _("weight {place}")
    return rule.format(place=",".join(map(str, place)))


def _factors(found: WeightGradient) -> list[tuple[str, str, Floats]]:
    """Return the factors of the terms: the name, the heading of the column, and the numbers."""
    name = "dLoss/dOutput" if found.weight.mixed is None else _("dLoss/d(depthwise sum)")
    factors = [(name, name, found.outputs)]
    if found.slopes is not None:
        factors.append((_("slope of the activation"), _("slope"), found.slopes))
    # A bias is multiplied with 1 everywhere.
    if found.weight.place not in ("bias", "beta"):
        name = _("normalised input") if found.weight.place == "gamma" else _("input")
        factors.append((name, _("input"), found.inputs))
    return factors


def _terms(found: WeightGradient, factors: list[tuple[str, str, Floats]]) -> Table:
    """Return the terms with their factors, the largest first."""
    terms = found.terms
    names = (*(heading for _name, heading, _values in factors), _("term"))
    columns = (*(values for _name, _heading, values in factors), terms)
    decimals = [decimals_of(one, 4) for one in columns]
    # The place of a single term says nothing.
    if terms.size == 1:
        row = [f"{one.item() + 0.0:.{n}f}" for one, n in zip(columns, decimals, strict=True)]
        return Table(names, (tuple(row),), _("one position, so one term"))
    axes = [_("row"), _("column")][: terms.ndim - 1]
    places = np.argwhere(np.ones(terms.shape, bool))
    if terms.shape[0] > 1:
        axes.insert(0, _("call"))
    else:
        places = places[:, 1:]
    return terms_table(
        (_(", ").join(axes), *names),
        [",".join(map(str, place)) for place in places],
        tuple(one.reshape(-1) for one in columns),
        tuple(decimals),
        _("{count:,} terms, the largest first").format(count=terms.size),
    )


def gradient_data(layer: Layer, found: WeightGradient) -> dict[str, Any]:
    """Return all of a gradient as plain data, with every term and its factors."""
    place = found.weight.place
    return {
        "layer": layer.name,
        "class": layer.kind,
        "filter": found.weight.unit,
        "weight": place if isinstance(place, str) else list(place),
        "value": found.weight.value,
        "label": found.label,
        "loss": found.loss,
        "outputs": found.outputs.tolist(),
        "slopes": None if found.slopes is None else found.slopes.tolist(),
        "inputs": found.inputs.tolist(),
        "terms": found.terms.tolist(),
        "gradient": found.total,
        "network": found.network,
        "scale": found.scale,
        "agrees": found.agrees,
    }
