"""Microscope maps: the image and the maps around an opened value, and its page with them."""

import numpy as np

from convlens.charts.style import Chart
from convlens.explain.microscope.layer import Floats, Layer, OpenedCell, Window
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.pages.canvas import Shown
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Page

CHANNEL_MAPS = 2  # maps of an input that are drawn
MOST_MAPS = 6  # above a page


def cell_figure(microscope: Microscope, layer: Layer, cell: OpenedCell, page: Page) -> Chart:
    """Return a page as a figure, with the image and the maps of the value above it."""
    seen = Shown("the image, as the network sees it", microscope.pixels)
    maps = [seen, *input_maps(layer, cell, CHANNEL_MAPS), *own_map(layer, cell)]
    return draw_page(page, maps[:MOST_MAPS])


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
            rows, columns, (first, _) = window.spans
            maps += [
                Shown(f"{window.source}, channel {one}", values[..., one], (rows, columns))
                for one in channels or [first]
            ]
    return maps


def own_map(layer: Layer, cell: OpenedCell) -> list[Shown]:
    """Return the map that a value lies on, with its place outlined; nothing if it lies on none."""
    if layer.output.ndim != 3:
        return []
    row, column, unit = cell.index
    spans = ((row, row + 1), (column, column + 1))
    title = f"{layer.name}, {layer.which_one(unit)}"
    return [Shown(title, layer.output[..., unit].astype(np.float64), spans)]


def find_input(layer: Layer, window: Window) -> Floats:
    """Return the input that a window looks at, without the batch."""
    return next(
        operand.values[0].astype(np.float64)
        for operand in layer.inputs
        if operand.source == window.source
    )
