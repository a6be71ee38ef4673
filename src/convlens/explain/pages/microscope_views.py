"""Microscope views: the table of layers, and an opened value as a page and as plain data."""

from typing import Any

import numpy as np

from convlens.explain.arithmetic.writing import decimals_of, equation, write, write_number
from convlens.explain.microscope.layer import Floats, Layer
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.opened_cell import TOLERANCE, OpenedCell, Products, Window
from convlens.explain.pages.map_figures import find_input
from convlens.explain.pages.page import Block, Grid, Lines, Page, Row, Table
from convlens.language import N_, _, listed

CHANNELS = 4  # of a patch that are shown
TERMS = 12  # rows of a table of terms
LARGEST_GRID = 16  # cells along a side that are written as numbers
# Where a window lies along an axis: at one place, or at several.
SPANS = {
    "row": (N_("row {first}"), N_("rows {first} to {last}")),
    "column": (N_("column {first}"), N_("columns {first} to {last}")),
    "channel": (N_("channel {first}"), N_("channels {first} to {last}")),
    "number": (N_("number {first}"), N_("numbers {first} to {last}")),
}
MAX_POOLING = ("MaxPooling2D", "GlobalMaxPooling2D")

ROUNDING = N_(
    "computed with all digits, printed rounded; ≈ means that the printed numbers do not give the "
    "printed result"
)


def layers_table(microscope: Microscope) -> Table:
    """Return a table with a row for each layer, named as `--layer` takes it."""
    rows = tuple(
        (
            layer.name,
            layer.kind,
            " x ".join(map(str, layer.shape)),
            listed(str(operand.source) for operand in layer.inputs),
        )
        for layer in microscope.layers
    )
    return Table((_("layer"), _("layer type"), _("gives"), _("from")), rows)


def cell_page(layer: Layer, cell: OpenedCell) -> Page:
    """Return the page of an opened value.

    It shows what the layer looked at, the products, the steps to the value, and the network's own
    value.
    """
    blocks: list[Block] = []
    if not cell.products:
        won = layer.kind in MAX_POOLING
        blocks += [row for window in cell.windows for row in _window_rows(window, won=won)]
    for products in cell.products:
        blocks += _patches(cell, products) if products.numbers.ndim == 3 else [_terms(products)]
    lines = [(step.name, equation(step.text, write(step.value))) for step in cell.steps]
    network = _("{value} is the network's own value").format(value=write(cell.network))
    agreement = say_agreement(network, cell.value - cell.network, cell.scale, cell.agrees)
    blocks.append(Lines((*lines, (_("network"), agreement))))
    title = _("{layer}: {place}").format(layer=layer.name, place=_place(layer, cell.index))
    return Page(title, tuple(_facts(layer, cell)), tuple(blocks))


def say_agreement(network: str, difference: float, scale: float, agrees: bool) -> str:
    """Return a sentence on how far the network's own value is from the calculation.

    Args:
        network: The network's own value and what it is, in words.
        difference: The difference of both.
        scale: The sum of the absolute terms, of which a small share is allowed.
        agrees: Whether the difference is within that share.
    """
    rule = _("{network}; it differs by {difference}, {allowed} is allowed")
    if not agrees:
        rule = _(
            "{network}; it differs by {difference}, more than {allowed}: the engine computes this "
            "layer in another way than Keras describes it."
        )
    text = f"{abs(difference):.1e}".replace("0.0e+00", "0")
    return rule.format(network=network, difference=text, allowed=f"{TOLERANCE * scale:.1e}")


def _place(layer: Layer, index: tuple[int, ...]) -> str:
    """Return the filter or unit and, of a map, the row and column of a value."""
    *place, unit = index
    said = {
        0: "{unit}",
        1: _("{unit}, row {row}"),
        2: _("{unit}, row {row}, column {column}"),
    }[len(place)]
    row, column = (*place, None, None)[:2]
    return said.format(unit=layer.which_one(unit), row=row, column=column)


def _facts(layer: Layer, cell: OpenedCell) -> list[tuple[str, str]]:
    shape = " x ".join(map(str, layer.shape))
    sources = [
        (
            _("from"),
            _("{layer}, {shape}").format(
                layer=one.source, shape=" x ".join(map(str, one.values.shape[1:]))
            ),
        )
        for one in layer.inputs
    ]
    gives = _("{kind}, gives {shape}; all counted from 0").format(kind=layer.kind, shape=shape)
    return [
        (_("layer"), gives),
        *sources,
        (_("rule"), cell.rule),
        (_("numbers"), _(ROUNDING)),
        *((_("looks at"), _seen(layer, window)) for window in cell.windows),
    ]


def _seen(layer: Layer, window: Window) -> str:
    """Return which part of an input a window covers."""
    is_map = len(window.spans) == 3
    names = ("row", "column", "channel") if is_map else ("number",) * len(window.spans)
    where = _(", ").join(
        _(SPANS[name][past - first > 1]).format(first=first, last=past - 1)
        for name, (first, past) in zip(names, window.spans, strict=True)
    )
    beyond = any(
        first < 0 or past > length
        for (first, past), length in zip(window.spans, find_input(layer, window).shape, strict=True)
    )
    said = _("{where} of {source}")
    if beyond:
        said = _("{where} of {source}, the border being zeros")
    return said.format(where=where, source=window.source)


def _window_rows(window: Window, *, won: bool) -> list[Block]:
    """Return a small window as a grid; a single number already stands in the steps.

    Args:
        window: What was looked at.
        won: Whether the largest number is marked.
    """
    values = window.values
    # The channels of one cell stand beside each other, those of several cells in rows of a window.
    flat = values.reshape(values.shape[0] if values.ndim > 1 else 1, -1)
    if values.size == 1 or max(flat.shape) > LARGEST_GRID:
        return []
    title = _("from {layer}").format(layer=window.source)
    mark = None
    if won:
        title = _("from {layer}, the largest marked").format(layer=window.source)
        row, column = divmod(int(flat.argmax()), flat.shape[1])
        mark = (row, row + 1, column, column + 1)
    return [Row((Grid(flat, title, mark=mark, decimals=4),))]


def _patches(cell: OpenedCell, products: Products) -> list[Block]:
    """Return patch × kernel = products for the strongest channels, and the sum of the others."""
    chosen = products.strongest(CHANNELS)
    blocks: list[Block] = []
    for place in chosen:
        title = _("{name}, channel {k}").format(
            name=cell.windows[0].source, k=products.channels[place]
        )
        patch = _channel(products.numbers, place, title)
        kernel = _channel(products.weights, place, _("kernel"))
        printed = _channel(products.products, place, _("products"))
        exact = np.allclose(patch.values * kernel.values, printed.values, rtol=0, atol=1e-12)
        total = write_number(float(products.products[..., place].sum()))
        sign = "=" if exact else "≈"
        blocks.append(
            Row((patch, "×", kernel, sign, printed, _("sum {total}").format(total=total)))
        )
    others = [place for place in range(len(products.channels)) if place not in chosen]
    if others:
        rest = write(float(products.products[..., others].sum()))
        text = _(
            "other channels ({count}) together {rest}; shown are the {shown} that add or take most"
        ).format(count=len(others), rest=rest, shown=CHANNELS)
        blocks.append(Lines(((_("channels"), text),)))
    return blocks


def _channel(values: Floats, place: int, title: str) -> Grid:
    """Return one channel, rounded as it is printed; all channels share decimals and colours."""
    decimals = decimals_of(values, 2)
    rounded = values[..., place].round(decimals) + 0.0
    return Grid(rounded, title, largest=float(np.abs(values).max()), decimals=decimals)


def _terms(products: Products) -> Table:
    """Return the products of a row of numbers, the largest first."""
    return terms_table(
        (_("number"), _("input"), _("weight"), _("product")),
        [str(channel) for channel in products.channels],
        (products.numbers, products.weights, products.products),
        (6, 6, 6),
        _("{name}: the largest products first").format(name=products.name),
    )


def terms_table(
    names: tuple[str, ...],
    places: list[str],
    columns: tuple[Floats, ...],
    decimals: tuple[int, ...],
    title: str,
) -> Table:
    """Return a table of the terms of a sum, the largest first.

    The last two rows give the sum of the terms that are left out, and the sum of all.

    Args:
        names: The headings of the columns.
        places: What the first column says of each term.
        columns: The factors of the terms, and the terms themselves last, (terms,) each.
        decimals: The decimals of each column.
        title: The title of the table.
    """
    terms = columns[-1]
    order = np.argsort(-np.abs(terms), kind="stable")
    pairs = list(zip(columns, decimals, strict=True))
    rows = [
        (places[one], *(f"{column[one] + 0.0:.{digits}f}" for column, digits in pairs))
        for one in order[:TERMS]
    ]
    sums: dict[str, float] = {_("sum"): terms.sum()}
    if len(order) > TERMS:
        rest = terms[order[TERMS:]].sum()
        sums = {_("others ({count:,})").format(count=len(order) - TERMS): rest, **sums}
    empty = [""] * (len(columns) - 1)
    rows += [(name, *empty, f"{value:.{decimals[-1]}f}") for name, value in sums.items()]
    return Table(names, tuple(rows), title)


def cell_data(layer: Layer, cell: OpenedCell) -> dict[str, Any]:
    """Return all of an opened value as plain data, with every patch, weight and product."""
    return {
        "layer": layer.name,
        "class": layer.kind,
        "shape": list(layer.shape),
        "index": list(cell.index),
        "rule": cell.rule,
        "windows": [
            {
                "source": one.source,
                "spans": [list(span) for span in one.spans],
                "values": one.values.tolist(),
            }
            for one in cell.windows
        ],
        "products": [
            {
                "name": one.name,
                "channels": list(one.channels),
                "numbers": one.numbers.tolist(),
                "weights": one.weights.tolist(),
                "products": one.products.tolist(),
                "total": float(one.total),
            }
            for one in cell.products
        ],
        "steps": [{"name": one.name, "text": one.text, "value": one.value} for one in cell.steps],
        "value": cell.value,
        "network": cell.network,
        "scale": cell.scale,
        "agrees": cell.agrees,
    }
