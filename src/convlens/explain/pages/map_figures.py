"""Map figures: feature maps as images: of all layers, of one, and those around an opened cell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from convlens.charts.style import BLUE, GREY, INK, LINE, ORANGE, RED, Chart, shorten, style
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.microscope import Microscope

COLORS = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
KEY = "Blue is above 0, orange below, white 0; every layer by its own largest value. Numbers are those of the filters."
LARGEST_STRIP = 60  # layers of a strip that can still be read
ACROSS, SIDE, BETWEEN = 6, 0.8, 0.07  # maps of a layer, inches of one, inches between
WIDE, HIGH = ACROSS * (SIDE + BETWEEN), SIDE + 0.62  # of a layer with its words
EDGE, COLUMN_GAP, TOP = 0.4, 0.5, 2.3  # inches
MOST_MAPS = 256  # of one layer
Spans = tuple[tuple[int, int], tuple[int, int]]


def most_active(layer: Layer, count: int) -> list[int]:
    """Return the filters whose maps vary most, in their order; a map of one colour shows nothing."""
    maps = layer.output.reshape(-1, layer.shape[-1]).astype(np.float64)
    spread = maps.std(axis=0) if len(maps) > 1 else np.abs(maps[0])
    return sorted(int(one) for one in np.argsort(-spread, kind="stable")[:count])


def chosen_layers(microscope: Microscope, most: int = LARGEST_STRIP) -> list[Layer]:
    """Return the layers of a strip: those that change values; where they are too many, first without those that work
    number by number, then evenly spread.
    """  # noqa: D205
    found = [layer for layer in microscope.layers if layer.changes and layer.output.ndim in (1, 3)]
    if len(found) > most:
        found = [
            one for one in found if one.shape != one.inputs[0].values.shape[1:] or _weighs(one)
        ] or found
    if len(found) > most:
        places = np.linspace(0, len(found) - 1, most).round().astype(int)
        found = [found[place] for place in places]
    return found


def _weighs(layer: Layer) -> bool:
    return hasattr(layer.call.operation, "kernel") or len(layer.inputs) > 1


def strip_figure(microscope: Microscope, name: str) -> Chart:
    """Return the image as the network sees it, and of each layer the most active maps.

    Args:
        microscope: what was computed.
        name: of the image.
    """
    shown = chosen_layers(microscope)
    columns = 1 if len(shown) <= 4 else 2 if len(shown) <= 24 else 3
    rows = math.ceil(len(shown) / columns)
    width = 2 * EDGE + columns * WIDE + (columns - 1) * COLUMN_GAP
    height = TOP + rows * HIGH + 2 * EDGE
    names = microscope.classifier.class_names
    with style([name, *names]):
        figure, axes = _paper(width, height)
        _draw_head(axes, microscope, name, len(shown))
        for number, layer in enumerate(shown):
            column, row = divmod(number, rows)
            _draw_layer(axes, layer, EDGE + column * (WIDE + COLUMN_GAP), EDGE + TOP + row * HIGH)
    return figure


def _paper(width: float, height: float) -> tuple[Chart, Axes]:
    """Return a figure with coordinates in inches, downwards."""
    figure = Chart(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def _draw_head(axes: Axes, microscope: Microscope, name: str, count: int) -> None:
    side = TOP - 0.6
    draw_image(axes, microscope.pixels, (EDGE, EDGE), side)
    x = EDGE + side + 0.3
    axes.text(x, EDGE + 0.12, shorten(name, 60), fontsize=14, va="center")
    height, width, channels = microscope.pixels.shape
    axes.text(x, EDGE + 0.42, f"as the network sees it: {height} x {width}, {'grey' if channels == 1 else 'RGB'}",
              color=GREY, va="center")  # fmt: skip
    probabilities = microscope.prediction.probabilities
    for number, best in enumerate(np.argsort(-probabilities)[:3]):
        share = float(probabilities[best])
        y = EDGE + 0.78 + 0.25 * number
        axes.add_patch(
            Rectangle(
                (x, y - 0.08), 1.2 * share, 0.16, facecolor=BLUE if number == 0 else "#BBBBBB"
            )
        )
        axes.text(x + 1.3, y, f"{share * 100:.1f} %  {shorten(microscope.classifier.class_names[best], 40)}",
                  va="center_baseline")  # fmt: skip
    changing = sum(layer.changes for layer in microscope.layers)
    left = (
        f" {count} of the {changing} layers that change values are shown."
        if count < changing
        else ""
    )
    axes.text(EDGE, EDGE + side + 0.3, KEY + left, color=GREY, fontsize=8, va="center")


def _draw_layer(axes: Axes, layer: Layer, x: float, y: float) -> None:
    axes.text(x, y + 0.1, shorten(layer.name, 42), fontsize=9.5, color=INK, va="center_baseline")
    shape = " x ".join(map(str, layer.shape))
    axes.text(x + WIDE - BETWEEN, y + 0.1, f"{layer.kind}  {shape}", fontsize=8, color=GREY, va="center_baseline",
              ha="right")  # fmt: skip
    if layer.output.ndim == 1:
        _draw_row_of_numbers(axes, layer, x, y + 0.22)
        return
    filters = most_active(layer, ACROSS)
    largest = float(np.abs(layer.output[..., filters]).max())
    for number, one in enumerate(filters):
        corner = (x + number * (SIDE + BETWEEN), y + 0.22)
        draw_map(axes, layer.output[..., one], corner, SIDE, largest)
        if layer.shape[-1] > 1:
            axes.text(corner[0] + SIDE / 2, y + 0.3 + SIDE, str(one), fontsize=6.5, color=GREY, ha="center",
                      va="center")  # fmt: skip


def _draw_row_of_numbers(axes: Axes, layer: Layer, x: float, y: float) -> None:
    """Draw the numbers of a dense layer as cells, in several rows where they are many."""
    values = layer.output.astype(np.float64)
    wide = WIDE - BETWEEN
    rows = max(1, min(8, math.ceil(values.size / 64)))
    columns = math.ceil(values.size / rows)
    padded = np.full(rows * columns, np.nan)
    padded[: values.size] = values
    cell = min(wide / columns, 0.3)
    high = min(SIDE, rows * max(cell, 0.1))
    _draw_image(
        axes,
        padded.reshape(rows, columns),
        (x, y),
        (cell * columns, high),
        float(np.abs(values).max()),
    )


def draw_image(
    axes: Axes, pixels: NDArray[np.uint8], corner: tuple[float, float], side: float
) -> None:
    """Draw an image in a square, its longer side filling it."""
    high, wide = (side * one / max(pixels.shape[:2]) for one in pixels.shape[:2])
    extent = (corner[0], corner[0] + wide, corner[1] + high, corner[1])
    shown: Any = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    axes.imshow(
        shown, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto", interpolation="nearest"
    )


def draw_map(
    axes: Axes, values: NDArray[Any], corner: tuple[float, float], side: float, largest: float | None,
    spans: Spans | None = None,
) -> None:  # fmt: skip
    """Draw a map in a square, its longer side filling it.

    Args:
        axes: in inches, downwards.
        values: (rows, columns).
        corner: (x, y) of the square.
        side: of the square.
        largest: value with the deepest colour; the map's own where not given.
        spans: of rows and columns, to be outlined.
    """
    largest = float(np.abs(values).max()) if largest is None else largest
    rows, columns = values.shape
    cell = side / max(rows, columns)
    size = (columns * cell, rows * cell)
    _draw_image(axes, values, corner, size, largest)
    if spans is not None:
        (top, bottom), (left, right) = spans
        place, outline = (
            (corner[0] + left * cell, corner[1] + top * cell),
            ((right - left) * cell, (bottom - top) * cell),
        )
        axes.add_patch(
            Rectangle(place, *outline, fill=False, edgecolor=RED, linewidth=1.8, zorder=4)
        )


def _draw_image(
    axes: Axes,
    values: NDArray[Any],
    corner: tuple[float, float],
    size: tuple[float, float],
    largest: float,
) -> None:
    extent = (corner[0], corner[0] + size[0], corner[1] + size[1], corner[1])
    axes.imshow(values, cmap=COLORS, vmin=-(largest or 1), vmax=largest or 1, extent=extent, aspect="auto",
                interpolation="nearest")  # fmt: skip
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=LINE, linewidth=0.6))


def layer_figure(microscope: Microscope, layer: Layer, name: str) -> Chart:
    """Return all maps of one layer; of more than 256 the most active."""
    if layer.output.ndim != 3:
        with style([name]):
            figure, axes = _paper(WIDE + 2 * EDGE, 2 * EDGE + HIGH + 0.3)
            axes.text(EDGE, EDGE + 0.1, shorten(name, 60), fontsize=14, va="center")
            _draw_layer(axes, layer, EDGE, EDGE + 0.4)
        return figure
    count = layer.shape[-1]
    filters = most_active(layer, MOST_MAPS)
    across = min(16, max(4, math.ceil(math.sqrt(2 * len(filters)))))
    side = 1.1
    width = 2 * EDGE + max(across * (side + 0.1), 5.5)
    height = 2 * EDGE + 0.8 + math.ceil(len(filters) / across) * (side + 0.3)
    with style([name]):
        figure, axes = _paper(width, height)
        axes.text(EDGE, EDGE + 0.1, f"{layer.name}: {shorten(name, 50)}", fontsize=14, va="center")
        said = f"{layer.kind}, {' x '.join(map(str, layer.shape))}. Blue above 0, orange below."
        if count > len(filters):
            said += f" The {len(filters)} most active of {count} maps."
        axes.text(EDGE, EDGE + 0.42, said, color=GREY, va="center")
        largest = float(np.abs(layer.output).max())
        for number, one in enumerate(filters):
            row, column = divmod(number, across)
            corner = (EDGE + column * (side + 0.1), EDGE + 0.7 + row * (side + 0.3))
            draw_map(axes, layer.output[..., one], corner, side, largest)
            axes.text(corner[0] + side / 2, corner[1] + side + 0.1, str(one), fontsize=7.5, color=GREY, ha="center",
                      va="center")  # fmt: skip
    return figure


@dataclass(frozen=True)
class Shown:
    """A map above a page.

    Attributes:
        title: above it.
        values: (rows, columns), or (height, width, channels) uint8 of an image.
        spans: what is outlined, in rows and columns.
    """

    title: str
    values: NDArray[Any]
    spans: Spans | None = None


def add_maps(figure: Chart, maps: Sequence[Shown], title: float = 0.0) -> Chart:
    """Return the figure of a page with maps on top of it.

    Args:
        figure: of `drawing.draw_page`, whose one axes is all of it.
        maps: from left to right.
        title: inches of the page that stay above the maps.
    """
    side, gap = 2.1, 0.35
    width, height = figure.get_size_inches()
    wide = max(width, 2 * EDGE + len(maps) * (side + gap))
    more = side + 0.75
    figure.set_size_inches(wide, height + more)
    figure.axes[0].set_position((0, 0, width / wide, height / (height + more)))
    axes = figure.add_axes((0, height / (height + more), 1, more / (height + more)))
    axes.set(xlim=(0, wide), ylim=(more, 0))
    axes.axis("off")
    with style([one.title for one in maps]):
        for number, one in enumerate(maps):
            corner = (EDGE + number * (side + gap), EDGE + 0.3)
            axes.text(
                corner[0], EDGE + 0.12, one.title, fontsize=9, color=GREY, va="center_baseline"
            )
            if one.values.dtype == np.uint8:
                draw_image(axes, one.values, corner, side)
            else:
                draw_map(axes, one.values, corner, side, float(np.abs(one.values).max()), one.spans)
    return figure
