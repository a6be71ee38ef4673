"""Map figures: the maps of all layers, all maps of one layer, and the maps around a value."""

import math

import numpy as np
from matplotlib.axes import Axes

from convlens.charts.fonts import drawable
from convlens.charts.style import BLUE, GREY, Chart, shorten, style
from convlens.explain.microscope.layer import Floats, Layer, Numbers
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.opened_cell import OpenedCell, Window
from convlens.explain.pages.canvas import (
    Point,
    Shown,
    draw_image,
    draw_map,
    draw_values,
    open_canvas,
    write,
)
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Page
from convlens.language import N_, _

LARGEST_STRIP = 60  # layers of the figure of all layers that can still be told apart
ACROSS = 6  # maps of a layer in that figure
COLUMNS = {4: 1, 24: 2, LARGEST_STRIP: 3}  # columns of that figure, by its largest number of layers
MOST_MAPS = 256  # in the figure of one layer
CHANNEL_MAPS = 2  # maps of an input around a value
ABOVE = 6  # maps above the page of a value

# Inches, all of them.
EDGE = 0.4  # around the figure
SIDE = 0.8  # of a map in the figure of all layers
BETWEEN = 0.07  # between its maps
WIDE = ACROSS * (SIDE + BETWEEN)  # of a layer
HIGH = SIDE + 0.62  # of a layer with its title
COLUMN_GAP = 0.5
HEAD = 2.3  # height of what stands above the layers
LARGE_SIDE = 1.1  # of a map in the figure of one layer

KEY = N_(
    "Blue is above 0, orange is below 0 and white is 0. The largest value of a layer has the "
    "deepest colour. The numbers count the filters."
)
SOME = N_(
    "Blue is above 0, orange is below 0 and white is 0. The largest value of a layer has the "
    "deepest colour. The numbers count the filters. {count} of the {changing} layers that change "
    "values are shown."
)


def most_active(layer: Layer, count: int) -> list[int]:
    """Return the filters whose maps vary most, in the order of the layer.

    Args:
        layer: A layer.
        count: The largest number of filters.
    """
    maps = layer.output.reshape(-1, layer.shape[-1]).astype(np.float64)
    spread = maps.std(axis=0) if len(maps) > 1 else np.abs(maps[0])
    return sorted(int(one) for one in np.argsort(-spread, kind="stable")[:count])


def chosen_layers(microscope: Microscope) -> list[Layer]:
    """Return the layers that the figure of all layers shows: those that change values.

    If there are more than `LARGEST_STRIP`, layers that work number by number are left out first. If
    there are still too many, some of them are returned, evenly spread.
    """
    found = [layer for layer in microscope.layers if layer.changes and layer.output.ndim in (1, 3)]
    if len(found) > LARGEST_STRIP:
        found = [layer for layer in found if _mixes(layer)] or found
    if len(found) > LARGEST_STRIP:
        places = np.linspace(0, len(found) - 1, LARGEST_STRIP).round().astype(int)
        found = [found[place] for place in places]
    return found


def _mixes(layer: Layer) -> bool:
    """Return whether a layer does more than to work number by number on one input."""
    weighs = hasattr(layer.call.operation, "kernel")
    return weighs or len(layer.inputs) > 1 or layer.shape != layer.inputs[0].values.shape[1:]


def strip_figure(microscope: Microscope, name: str) -> Chart:
    """Return a figure of the image as the network sees it and the most active maps of each layer.

    Args:
        microscope: The microscope of a network and an image.
        name: The name of the image.
    """
    shown = chosen_layers(microscope)
    columns = next(number for most, number in COLUMNS.items() if len(shown) <= most)
    rows = math.ceil(len(shown) / columns)
    width = 2 * EDGE + columns * WIDE + (columns - 1) * COLUMN_GAP
    name, *labels = drawable([name, *(label for label, _share in microscope.most_probable())])
    with style([name, *labels]):
        figure, axes = open_canvas(width, HEAD + rows * HIGH + 2 * EDGE)
        _draw_head(axes, microscope, name, labels, len(shown))
        for number, layer in enumerate(shown):
            column, row = divmod(number, rows)
            corner = (EDGE + column * (WIDE + COLUMN_GAP), EDGE + HEAD + row * HIGH)
            _draw_layer(axes, layer, corner)
    return figure


def _draw_head(
    axes: Axes, microscope: Microscope, name: str, labels: list[str], count: int
) -> None:
    """Draw the image, the predicted classes, and the key; `count` layers are shown below."""
    side = HEAD - 0.6
    draw_image(axes, microscope.pixels, (EDGE, EDGE), side)
    x = EDGE + side + 0.3
    write(axes, x, EDGE + 0.12, shorten(name, 60), fontsize=14)
    height, width, channels = microscope.pixels.shape
    seen = _("as the network sees it: {height} x {width}, {mode}").format(
        height=height, width=width, mode=_("grey") if channels == 1 else "RGB"
    )
    write(axes, x, EDGE + 0.42, seen, color=GREY)
    shares = [share for _label, share in microscope.most_probable()]
    for number, (label, share) in enumerate(zip(labels, shares, strict=True)):
        y = EDGE + 0.78 + 0.25 * number
        axes.barh(y, 1.2 * share, 0.16, left=x, color="#BBBBBB" if number else BLUE)
        write(axes, x + 1.3, y, f"{share * 100:.1f} %  {shorten(label, 40)}")
    changing = sum(layer.changes for layer in microscope.layers)
    key = _(SOME if count < changing else KEY).format(count=count, changing=changing)
    write(axes, EDGE, EDGE + side + 0.3, key, color=GREY, fontsize=8)


def _draw_layer(axes: Axes, layer: Layer, corner: Point) -> None:
    """Draw the title of a layer, and its most active maps or its numbers."""
    x, y = corner
    write(axes, x, y + 0.1, shorten(layer.name, 42), fontsize=9.5)
    facts = f"{layer.kind}  {' x '.join(map(str, layer.shape))}"
    write(axes, x + WIDE - BETWEEN, y + 0.1, facts, fontsize=8, color=GREY, ha="right")
    if layer.output.ndim == 1:
        _draw_numbers(axes, layer, (x, y + 0.22))
        return
    filters = most_active(layer, ACROSS)
    largest = float(np.abs(layer.output[..., filters]).max())
    for number, one in enumerate(filters):
        place = (x + number * (SIDE + BETWEEN), y + 0.22)
        label = str(one) if layer.shape[-1] > 1 else ""
        _draw_labelled_map(axes, layer.output[..., one], label, place, SIDE, largest)


def _draw_labelled_map(
    axes: Axes, values: Numbers, label: str, corner: Point, side: float, largest: float
) -> None:
    x, y = corner
    draw_map(axes, values, corner, side, largest)
    write(axes, x + side / 2, y + side + 0.09, label, fontsize=7, color=GREY, ha="center")


def _draw_numbers(axes: Axes, layer: Layer, corner: Point) -> None:
    """Draw the numbers of a layer that gives no maps as cells, in several rows if they are many."""
    values = layer.output.astype(np.float64).ravel()
    rows = max(1, min(8, math.ceil(values.size / 64)))
    columns = math.ceil(values.size / rows)
    padded = np.pad(values, (0, rows * columns - values.size), constant_values=np.nan)
    cell = min((WIDE - BETWEEN) / columns, 0.3)
    size = (cell * columns, min(SIDE, rows * max(cell, 0.1)))
    draw_values(axes, padded.reshape(rows, columns), corner, size, float(np.abs(values).max()))


def layer_figure(layer: Layer, name: str) -> Chart:
    """Return a figure of all maps of one layer, or of the 256 most active if there are more.

    Args:
        layer: The layer.
        name: The name of the image.
    """
    maps = layer.output.ndim == 3
    filters = most_active(layer, MOST_MAPS) if maps else []
    across = min(16, max(4, math.ceil(math.sqrt(2 * len(filters)))))
    wide = LARGE_SIDE + 0.1
    high = LARGE_SIDE + 0.3
    said = _("{kind}, {shape}. Blue is above 0, orange is below 0.")
    if maps and layer.shape[-1] > len(filters):
        said = _(
            "{kind}, {shape}. Blue is above 0, orange is below 0. The {count} most active of {all} "
            "maps are shown."
        )
    said = said.format(
        kind=layer.kind,
        shape=" x ".join(map(str, layer.shape)),
        count=len(filters),
        all=layer.shape[-1] if layer.shape else 1,
    )
    height = 0.8 + (math.ceil(len(filters) / across) * high if maps else SIDE)
    [name] = drawable([name])
    with style([name]):
        figure, axes = open_canvas(max(across * wide, WIDE) + 2 * EDGE, height + 2 * EDGE)
        title = _("{layer}: {image}").format(layer=layer.name, image=shorten(name, 50))
        write(axes, EDGE, EDGE + 0.1, title, fontsize=14)
        write(axes, EDGE, EDGE + 0.42, said, color=GREY)
        if not maps:
            _draw_numbers(axes, layer, (EDGE, EDGE + 0.7))
        largest = float(np.abs(layer.output).max())
        for number, one in enumerate(filters):
            row, column = divmod(number, across)
            corner = (EDGE + column * wide, EDGE + 0.7 + row * high)
            values = layer.output[..., one]
            _draw_labelled_map(axes, values, str(one), corner, LARGE_SIDE, largest)
    return figure


def cell_figure(microscope: Microscope, layer: Layer, cell: OpenedCell, page: Page) -> Chart:
    """Return a page as a figure, with the image and the maps of the value above it."""
    seen = Shown(_("the image, as the network sees it"), microscope.pixels)
    maps = [seen, *input_maps(layer, cell, CHANNEL_MAPS), *own_map(layer, cell)]
    return draw_page(page, maps[:ABOVE])


def input_maps(layer: Layer, cell: OpenedCell, most: int) -> list[Shown]:
    """Return the maps that a value looks at, with its window outlined.

    Args:
        layer: The layer.
        cell: One of its values, opened.
        most: The largest number of channels of an input that are shown: the strongest ones.
    """
    channels: list[int] = []
    if cell.products and cell.products[0].numbers.ndim == 3:
        products = cell.products[0]
        channels = [products.channels[place] for place in products.strongest(most)]
    maps = []
    for window in cell.windows:
        values = find_input(layer, window)
        if values.ndim == 3:
            rows, columns, (first, _past) = window.spans
            maps += [
                Shown(
                    _("{name}, channel {k}").format(name=window.source, k=one),
                    values[..., one],
                    (rows, columns),
                )
                for one in channels or [first]
            ]
    return maps


def own_map(layer: Layer, cell: OpenedCell) -> list[Shown]:
    """Return the map that a value lies on, with its place outlined; nothing if it lies on none."""
    if layer.output.ndim != 3:
        return []
    row, column, unit = cell.index
    title = _("{layer}, {unit}").format(layer=layer.name, unit=layer.which_one(unit))
    spans = ((row, row + 1), (column, column + 1))
    return [Shown(title, layer.output[..., unit].astype(np.float64), spans)]


def find_input(layer: Layer, window: Window) -> Floats:
    """Return the input that a window looks at, without the batch."""
    return next(
        operand.values[0].astype(np.float64)
        for operand in layer.inputs
        if operand.source == window.source
    )
