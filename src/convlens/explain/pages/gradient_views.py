"""Gradient views: the derivative of the loss by a weight as a page, term by term, and as plain data."""

from typing import Any

import numpy as np

from convlens.explain.arithmetic.writing import decimals_of, write
from convlens.explain.microscope.gradient import WeightGradient
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.value import TOLERANCE, Floats
from convlens.explain.pages.microscope_views import STRANGE, TERMS
from convlens.explain.pages.page import Lines, Page, Table


def gradient_page(layer: Layer, found: WeightGradient) -> Page:
    """Return dLoss/dWeight term by term, the largest first."""
    weight = found.weight
    of = layer.which_one(weight.unit)
    chosen = f", the one with the largest derivative of this {layer.noun}" if found.chosen else ""
    facts = (
        (
            "loss",
            f"-ln(probability of {found.label}) = {write(found.loss)}: cross-entropy of this one image",
        ),
        ("weight", f"{write(weight.value)}, {_weight(layer, found)} of {of}{chosen}"),
        ("rule", _gradient_rule(found)),
        (
            "mode",
            "as when predicting: normalisations with kept statistics, dropout lets all through",
        ),
    )
    terms = found.terms
    columns, factors = _factors(found)
    order = np.argsort(-np.abs(terms).reshape(-1), kind="stable")
    rows: list[tuple[str, ...]] = []
    digits = [decimals_of(one, 4) for one in (*factors, terms)]
    for number in order[:TERMS]:
        index = np.unravel_index(int(number), terms.shape)
        place = ",".join(map(str, index if terms.shape[0] > 1 else index[1:])) or ""
        rows.append(
            (
                place,
                *(
                    f"{one[index] + 0.0:.{n}f}"
                    for one, n in zip((*factors, terms), digits, strict=True)
                ),
            )
        )
    if len(order) > TERMS:
        rest = float(terms.reshape(-1)[order[TERMS:]].sum())
        rows.append(
            (f"{len(order) - TERMS:,} others", *("" for _ in factors), f"{rest:.{digits[-1]}f}")
        )
    rows.append(("sum", *("" for _ in factors), f"{found.total:.{digits[-1]}f}"))
    head = ", ".join(["call"] * (terms.shape[0] > 1) + ["row", "column"][: terms.ndim - 1])
    title = (
        f"{terms.size:,} terms, the largest first"
        if terms.size > 1
        else "one position, so one term"
    )
    names = (head, *columns, "term")
    if terms.size == 1:  # its place says nothing
        names, rows = names[1:], [rows[0][1:]]
    table = Table(names, tuple(rows), title)
    step = f"a {'larger' if found.total < 0 else 'smaller'} weight lowers the loss"
    lines = Lines(
        (
            (
                "dLoss/dWeight",
                f"{found.total:.6e}: "
                + (step if found.total else "a little more or less of it leaves the loss as it is"),
            ),
            ("engine", _check_gradient(found)),
        )
    )
    return Page(f"{layer.name}: gradient of a weight", facts, (table, lines))


def _gradient_rule(found: WeightGradient) -> str:
    parts = ["dLoss/dOutput" if found.weight.mixed is None else "dLoss/d(depthwise sum)"]
    if found.slopes is not None:
        parts.append("slope of the activation")
    if found.weight.place not in ("bias", "beta"):
        parts.append("normalised input" if found.weight.place == "gamma" else "input")
    return _over(found) + " × ".join(parts)


def _over(found: WeightGradient) -> str:
    """Return what is summed over: the positions of a map, and the calls of a layer that is used again."""
    over = ["calls"] * (found.terms.shape[0] > 1) + ["positions"] * (found.terms.ndim > 1)
    return f"the sum over all {' and '.join(over)} of " if over else ""


def _weight(layer: Layer, found: WeightGradient) -> str:
    place = found.weight.place
    if isinstance(place, str):
        return place
    return f"weight {'of input ' * (layer.kind == 'Dense')}{','.join(map(str, place))}"


def _factors(found: WeightGradient) -> tuple[list[str], list[Floats]]:
    columns = [_gradient_rule(found).removeprefix(_over(found)).split(" × ")[0]]
    factors = [found.outputs]
    if found.slopes is not None:
        columns.append("slope")
        factors.append(found.slopes)
    if found.weight.place in ("bias", "beta"):  # its input is always 1
        return columns, factors
    return [*columns, "input"], [*factors, found.inputs]


def _check_gradient(found: WeightGradient) -> str:
    difference = f"{abs(found.total - found.network):.1e}".replace("0.0e+00", "0")
    said = f"{found.network:.6e} by automatic differentiation; it differs by {difference}, "
    allowed = f"{TOLERANCE * found.scale:.1e}"
    return said + (f"{allowed} is allowed" if found.agrees else f"more than {allowed}: {STRANGE}")


def gradient_data(layer: Layer, found: WeightGradient) -> dict[str, Any]:
    """Return all of a gradient as plain data: every term with its factors."""
    return {
        "layer": layer.name,
        "class": layer.kind,
        "filter": found.weight.unit,
        "weight": found.weight.place
        if isinstance(found.weight.place, str)
        else list(found.weight.place),
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
