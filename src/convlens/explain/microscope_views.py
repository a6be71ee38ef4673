"""Microscope views: the layers as a table, an opened cell and a gradient as pages, and these as plain data."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from convlens.explain.drawing import draw_page
from convlens.explain.exact import write_number
from convlens.explain.gradient import WeightGradient
from convlens.explain.map_figures import Shown, Spans, add_maps
from convlens.explain.microscope import Layer, Microscope
from convlens.explain.opened import TOLERANCE, Floats, OpenedCell, Products
from convlens.explain.page import Block, Grid, Lines, Page, Row, Table
from convlens.explain.pointwise import write

__all__ = ["cell_data", "cell_figure", "cell_page", "gradient_data", "gradient_page", "layers_table", "strongest"]

STRANGE = "the engine computes this layer in another way than Keras describes it."
CHANNELS = 4  # of a patch that are drawn
TERMS = 12  # rows of a table of terms
LARGEST_GRID = 16  # cells along a side that are written as numbers


def layers_table(microscope: Microscope) -> Table:
    """Return a row a layer, as `--layer` takes it."""
    rows = tuple(
        (layer.name, layer.kind, " x ".join(map(str, layer.shape)), ", ".join(str(o.source) for o in layer.inputs))
        for layer in microscope.layers
    )
    return Table(("layer", "class", "gives", "from"), rows)


def strongest(products: Products, count: int) -> list[int]:
    """Return the channels whose products add up to most, in their order; of a row of numbers, the products."""
    sums = products.products.reshape(-1, products.products.shape[-1]).sum(axis=0)
    return sorted(int(one) for one in np.argsort(-np.abs(sums), kind="stable")[:count])


def cell_page(layer: Layer, cell: OpenedCell) -> Page:
    """Return the calculation of a cell: what was looked at, its products, the steps, and the network's own value."""
    blocks: list[Block] = []
    if not cell.products:
        blocks += [block for window in cell.windows if (block := _values(window.source, window.values)) is not None]
    for products in cell.products:
        blocks += _patches(cell, products) if products.numbers.ndim == 3 else [_terms(products)]
    lines = [(step.name, f"{step.text} = {write(step.value)}") for step in cell.steps]
    lines += [("network", _check(cell.value, cell.network, cell.scale, cell.agrees, "the network's own value"))]
    blocks.append(Lines(tuple(lines)))
    return Page(f"{layer.name}: {_place(cell.index)}", tuple(_facts(layer, cell)), tuple(blocks))


def _place(index: tuple[int, ...]) -> str:
    if len(index) == 1:
        return f"number {index[0]}"
    names = ("row", "column") if len(index) == 3 else ("row",)
    at = ", ".join(f"{name} {one}" for name, one in zip(names, index, strict=False))
    return f"filter {index[-1]}, {at}"


def _facts(layer: Layer, cell: OpenedCell) -> list[tuple[str, str]]:
    facts = [("layer", f"{layer.kind}, gives {' x '.join(map(str, layer.shape))}; all counted from 0")]
    facts += [("from", f"{one.source}, {' x '.join(map(str, one.values.shape[1:]))}") for one in layer.inputs]
    facts.append(("rule", cell.rule))
    for window in cell.windows:
        names = ("row", "column", "channel") if len(window.spans) == 3 else ("number",) * len(window.spans)
        where = ", ".join(_span(name, *span) for name, span in zip(names, window.spans, strict=True))
        border = any(first < 0 for first, _ in window.spans) or _beyond(layer, window.source, window.spans)
        facts.append(("sees", f"{where} of {window.source}" + (", the border being zeros" if border else "")))
    return facts


def _span(name: str, first: int, past: int) -> str:
    return f"{name} {first}" if past - first == 1 else f"{name}s {first} to {past - 1}"


def _beyond(layer: Layer, source: str, spans: tuple[tuple[int, int], ...]) -> bool:
    shape = next(one.values.shape[1:] for one in layer.inputs if one.source == source)
    return any(last > length for (_, last), length in zip(spans, shape, strict=True))


def _check(value: float, network: float, scale: float, agrees: bool, what: str) -> str:
    difference = f"{abs(value - network):.1e}".replace("0.0e+00", "0")
    if agrees:
        return f"{write(network)} is {what}; it differs by {difference}, {TOLERANCE * scale:.1e} is allowed"
    return f"{write(network)} is {what}: it differs by {difference}, more than {TOLERANCE * scale:.1e}: {STRANGE}"


def _values(name: str, values: Floats) -> Block | None:
    """Return small windows as a grid; what is one number stands in the steps already."""
    if values.size == 1:
        return None
    flat = values.reshape(values.shape[0], -1) if values.ndim > 1 else values[None]
    if values.ndim == 3 and values.shape[2] > 1 and values.shape[:2] == (1, 1):
        flat = values.reshape(1, -1)
    if max(flat.shape) <= LARGEST_GRID:
        return Row((Grid(flat, f"from {name}", decimals=4),))
    return None


def _patches(cell: OpenedCell, products: Products) -> list[Block]:
    """Return patch x kernel = products for each channel, of many the strongest, and the sum of the others."""
    source = cell.windows[0].source
    chosen = strongest(products, CHANNELS)
    blocks: list[Block] = []
    for place in chosen:
        which = f", channel {products.channels[place]}"
        blocks.append(
            Row(
                (
                    _grid(products.numbers, place, f"{source}{which}"),
                    "×",
                    _grid(products.weights, place, "kernel"),
                    "=",
                    _grid(products.products, place, "products"),
                    f"sum {write_number(float(products.products[..., place].sum()), 4)}",
                )
            )
        )
    others = [place for place in range(len(products.channels)) if place not in chosen]
    if others:
        rest = write(float(products.products[..., others].sum()))
        text = f"{len(others)} other channels together {rest}; shown are the {CHANNELS} that add or take most"
        blocks.append(Lines((("channels", text),)))
    return blocks


def _grid(values: Floats, place: int, title: str) -> Grid:
    """Return one channel, rounded for the eye; all channels share decimals and colours."""
    largest, decimals = float(np.abs(values).max()), _decimals(values, 2)
    return Grid(values[..., place].round(decimals) + 0.0, title, largest=largest, decimals=decimals)


def _decimals(values: Floats, more: int) -> int:
    """Return decimals that show the largest number to `more` digits after its first."""
    largest = float(np.abs(values).max())
    return more + 1 if largest == 0 else min(12, max(0, more - math.floor(math.log10(largest))))


def _terms(products: Products) -> Table:
    """Return the largest products of a row of numbers, largest first, and all others as one line."""
    terms = products.products
    order = np.argsort(-np.abs(terms), kind="stable")
    rows = [
        (str(products.channels[i]), *(f"{x:.6f}" for x in (products.numbers[i], products.weights[i], terms[i])))
        for i in order[:TERMS]
    ]
    if len(order) > TERMS:
        rows.append((f"{len(order) - TERMS:,} others", "", "", f"{terms[order[TERMS:]].sum():.6f}"))
    rows.append(("sum", "", "", f"{products.total:.6f}"))
    return Table(("number", "input", "weight", "product"), tuple(rows), f"{products.name}: the largest products first")


def cell_figure(microscope: Microscope, layer: Layer, cell: OpenedCell, page: Page) -> Figure:
    """Return a page as a figure with the picture, the maps it looks at and its own map above."""
    maps = [Shown("the picture, as the network sees it", microscope.pixels)]
    channels = [cell.products[0].channels[i] for i in strongest(cell.products[0], 2)] if _has_patch(cell) else []
    for operand, window in zip(layer.inputs, cell.windows, strict=False):
        values = operand.values[0]
        if values.ndim != 3:
            continue
        spans: Spans = (window.spans[0], window.spans[1])
        maps += [
            Shown(f"{operand.source}, channel {channel}", values[..., channel].astype(np.float64), spans)
            for channel in channels or [window.spans[2][0]]
        ]
    if layer.output.ndim == 3:
        row, column, filter_ = cell.index
        own = layer.output[..., filter_].astype(np.float64)
        maps.append(Shown(f"{layer.name}, filter {filter_}", own, ((row, row + 1), (column, column + 1))))
    return add_maps(draw_page(page), maps[:6])


def _has_patch(cell: OpenedCell) -> bool:
    return bool(cell.products) and cell.products[0].numbers.ndim == 3


def cell_data(layer: Layer, cell: OpenedCell) -> dict[str, Any]:
    """Return all of a cell as plain data: every patch, weight and product."""
    return {
        "layer": cell.layer,
        "class": cell.kind,
        "shape": list(layer.shape),
        "index": list(cell.index),
        "rule": cell.rule,
        "windows": [
            {"source": one.source, "spans": [list(span) for span in one.spans], "values": one.values.tolist()}
            for one in cell.windows
        ],
        "products": [
            {"name": one.name, "channels": list(one.channels), "numbers": one.numbers.tolist(),
             "weights": one.weights.tolist(), "products": one.products.tolist(), "total": one.total}
            for one in cell.products
        ],
        "steps": [{"name": one.name, "text": one.text, "value": one.value} for one in cell.steps],
        "value": cell.value,
        "network": cell.network,
        "scale": cell.scale,
        "agrees": cell.agrees,
    }  # fmt: skip


def gradient_page(layer: Layer, found: WeightGradient) -> Page:
    """Return dLoss/dWeight term by term, the largest first."""
    weight = found.weight
    where = weight.place if isinstance(weight.place, str) else "weight " + ",".join(map(str, weight.place))
    chosen = ", the one with the largest derivative of this filter" if found.chosen else ""
    facts = (
        ("loss", f"-ln(probability of {found.label}) = {write(found.loss)}: cross-entropy of this one picture"),
        ("weight", f"{write(weight.value)}, {where} of filter {weight.unit}{chosen}"),
        ("rule", _gradient_rule(found)),
        ("mode", "as when predicting: normalisations with kept statistics, dropout lets all through"),
    )
    terms = found.terms
    columns, factors = _factors(found)
    order = np.argsort(-np.abs(terms).reshape(-1), kind="stable")
    rows = []
    digits = [_decimals(one, 4) for one in (*factors, terms)]
    for number in order[:TERMS]:
        index = np.unravel_index(int(number), terms.shape)
        place = ",".join(map(str, index if terms.shape[0] > 1 else index[1:])) or "-"
        rows.append((place, *(f"{one[index]:.{n}f}" for one, n in zip((*factors, terms), digits, strict=True))))
    if len(order) > TERMS:
        rest = float(terms.reshape(-1)[order[TERMS:]].sum())
        rows.append((f"{len(order) - TERMS:,} others", *("" for _ in factors), f"{rest:.{digits[-1]}f}"))
    rows.append(("sum", *("" for _ in factors), f"{found.total:.{digits[-1]}f}"))
    head = "call, row, column" if terms.shape[0] > 1 else "row, column"
    table = Table((head, *columns, "term"), tuple(rows), f"{terms.size:,} terms, the largest first")
    step = "larger" if found.total < 0 else "smaller"
    lines = Lines(
        (
            ("dLoss/dWeight", f"{found.total:.6e}: a {step} weight lowers the loss"),
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
    return "the sum over all positions of " + " × ".join(parts)


def _factors(found: WeightGradient) -> tuple[list[str], list[Floats]]:
    columns = [_gradient_rule(found).removeprefix("the sum over all positions of ").split(" × ")[0]]
    factors = [found.outputs]
    if found.slopes is not None:
        columns.append("slope")
        factors.append(found.slopes)
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
        "weight": found.weight.place if isinstance(found.weight.place, str) else list(found.weight.place),
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
