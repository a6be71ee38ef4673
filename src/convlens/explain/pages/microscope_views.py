"""Microscope views: the layers as a table, an opened cell as a page, as a figure and as plain data."""

from typing import Any

import numpy as np

from convlens.charts.style import Chart
from convlens.explain.arithmetic.writing import decimals_of, equation, write, write_number
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.value import TOLERANCE, Floats, OpenedCell, Products
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.map_figures import Shown, Spans, add_maps
from convlens.explain.pages.page import Block, Grid, Lines, Page, Row, Table

STRANGE = "the engine computes this layer in another way than Keras describes it."
ROUNDING = "computed with all digits, printed rounded; ≈ where the printed ones do not give the printed result"
CHANNELS = 4  # of a patch that are drawn
TERMS = 12  # rows of a table of terms
LARGEST_GRID = 16  # cells along a side that are written as numbers


def layers_table(microscope: Microscope) -> Table:
    """Return a row a layer, as `--layer` takes it."""
    rows = tuple(
        (
            layer.name,
            layer.kind,
            " x ".join(map(str, layer.shape)),
            ", ".join(str(o.source) for o in layer.inputs),
        )
        for layer in microscope.layers
    )
    return Table(("layer", "class", "gives", "from"), rows)


def cell_page(layer: Layer, cell: OpenedCell) -> Page:
    """Return the calculation of a cell: what was looked at, its products, the steps, and the network's own value."""
    blocks: list[Block] = []
    if not cell.products:
        won = layer.kind in ("MaxPooling2D", "GlobalMaxPooling2D")
        found = (_values(window.source, window.values, won=won) for window in cell.windows)
        blocks += [block for block in found if block is not None]
    for products in cell.products:
        blocks += _patches(cell, products) if products.numbers.ndim == 3 else [_terms(products)]
    lines = [(step.name, equation(step.text, write(step.value))) for step in cell.steps]
    lines += [
        (
            "network",
            _check(cell.value, cell.network, cell.scale, cell.agrees, "the network's own value"),
        )
    ]
    blocks.append(Lines(tuple(lines)))
    return Page(
        f"{layer.name}: {_place(layer, cell.index)}", tuple(_facts(layer, cell)), tuple(blocks)
    )


def _place(layer: Layer, index: tuple[int, ...]) -> str:
    which = layer.which_one(index[-1])
    if len(index) == 1:
        return which
    names = ("row", "column") if len(index) == 3 else ("row",)
    at = ", ".join(f"{name} {one}" for name, one in zip(names, index, strict=False))
    return f"{which}, {at}"


def _facts(layer: Layer, cell: OpenedCell) -> list[tuple[str, str]]:
    facts = [
        ("layer", f"{layer.kind}, gives {' x '.join(map(str, layer.shape))}; all counted from 0")
    ]
    facts += [
        ("from", f"{one.source}, {' x '.join(map(str, one.values.shape[1:]))}")
        for one in layer.inputs
    ]
    facts.append(("rule", cell.rule))
    facts.append(("numbers", ROUNDING))
    for window in cell.windows:
        names = (
            ("row", "column", "channel")
            if len(window.spans) == 3
            else ("number",) * len(window.spans)
        )
        where = ", ".join(
            _span(name, *span) for name, span in zip(names, window.spans, strict=True)
        )
        border = any(first < 0 for first, _ in window.spans) or _beyond(
            layer, window.source, window.spans
        )
        facts.append(
            ("sees", f"{where} of {window.source}" + (", the border being zeros" if border else ""))
        )
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


def _values(name: str, values: Floats, *, won: bool) -> Block | None:
    """Return small windows as a grid, the largest marked if it `won`; a single number stands in the steps already."""
    if values.size == 1:
        return None
    flat = values.reshape(values.shape[0], -1) if values.ndim > 1 else values[None]
    if values.ndim == 3 and values.shape[2] > 1 and values.shape[:2] == (1, 1):
        flat = values.reshape(1, -1)
    if max(flat.shape) <= LARGEST_GRID:
        row, column = divmod(int(flat.argmax()), flat.shape[1])
        mark = (row, row + 1, column, column + 1) if won else None
        return Row(
            (Grid(flat, f"from {name}" + ", the largest marked" * won, mark=mark, decimals=4),)
        )
    return None


def _patches(cell: OpenedCell, products: Products) -> list[Block]:
    """Return patch x kernel = products for each channel, of many the strongest, and the sum of the others."""
    source = cell.windows[0].source
    chosen = products.strongest(CHANNELS)
    blocks: list[Block] = []
    for place in chosen:
        which = f", channel {products.channels[place]}"
        blocks.append(
            Row(
                (
                    _grid(products.numbers, place, f"{source}{which}"),
                    "×",
                    _grid(products.weights, place, "kernel"),
                    "≈" if _rounded(products, place) else "=",
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
    largest, decimals = float(np.abs(values).max()), decimals_of(values, 2)
    return Grid(values[..., place].round(decimals) + 0.0, title, largest=largest, decimals=decimals)


def _rounded(products: Products, place: int) -> bool:
    """Return whether the printed patch times the printed kernel is not exactly the printed products."""
    patch, kernel, shown = (
        values[..., place].round(decimals_of(values, 2))
        for values in (products.numbers, products.weights, products.products)
    )
    return not np.allclose(patch * kernel, shown, rtol=0, atol=1e-12)


def _terms(products: Products) -> Table:
    """Return the largest products of a row of numbers, largest first, and all others as one line."""
    terms = products.products
    order = np.argsort(-np.abs(terms), kind="stable")
    rows = [
        (
            str(products.channels[i]),
            *(f"{x:.6f}" for x in (products.numbers[i], products.weights[i], terms[i])),
        )
        for i in order[:TERMS]
    ]
    if len(order) > TERMS:
        rows.append((f"{len(order) - TERMS:,} others", "", "", f"{terms[order[TERMS:]].sum():.6f}"))
    rows.append(("sum", "", "", f"{products.total:.6f}"))
    return Table(
        ("number", "input", "weight", "product"),
        tuple(rows),
        f"{products.name}: the largest products first",
    )


def cell_figure(microscope: Microscope, layer: Layer, cell: OpenedCell, page: Page) -> Chart:
    """Return a page as a figure with the image, the maps it looks at and its own map above."""
    maps = [Shown("the image, as the network sees it", microscope.pixels)]
    channels = (
        [cell.products[0].channels[i] for i in cell.products[0].strongest(2)]
        if _has_patch(cell)
        else []
    )
    for window in cell.windows:
        values = next(one.values[0] for one in layer.inputs if one.source == window.source)
        if values.ndim != 3:
            continue
        spans: Spans = (window.spans[0], window.spans[1])
        maps += [
            Shown(
                f"{window.source}, channel {channel}",
                values[..., channel].astype(np.float64),
                spans,
            )
            for channel in channels or [window.spans[2][0]]
        ]
    if layer.output.ndim == 3:
        row, column, filter_ = cell.index
        own = layer.output[..., filter_].astype(np.float64)
        maps.append(
            Shown(
                f"{layer.name}, {layer.which_one(filter_)}",
                own,
                ((row, row + 1), (column, column + 1)),
            )
        )
    return add_maps(draw_page(page), maps[:6])


def _has_patch(cell: OpenedCell) -> bool:
    return bool(cell.products) and cell.products[0].numbers.ndim == 3


def cell_data(layer: Layer, cell: OpenedCell) -> dict[str, Any]:
    """Return all of a cell as plain data: every patch, weight and product."""
    return {
        "layer": layer.name,
        "class": layer.kind,
        "shape": list(layer.shape),
        "index": list(cell.index),
        "rule": cell.rule,
        "windows": [
            {"source": one.source, "spans": [list(span) for span in one.spans], "values": one.values.tolist()}
            for one in cell.windows
        ],
        "products": [
            {"name": one.name, "channels": list(one.channels), "numbers": one.numbers.tolist(),
             "weights": one.weights.tolist(), "products": one.products.tolist(), "total": float(one.total)}
            for one in cell.products
        ],
        "steps": [{"name": one.name, "text": one.text, "value": one.value} for one in cell.steps],
        "value": cell.value,
        "network": cell.network,
        "scale": cell.scale,
        "agrees": cell.agrees,
    }  # fmt: skip
