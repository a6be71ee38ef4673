"""Canvas: a figure that is laid out in inches, and the cells, images and maps drawn on it.

All coordinates are inches from the upper left corner; y grows downwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from convlens.charts.style import BLUE, GREY, LINE, ORANGE, RED, Chart

SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])

Point = tuple[float, float]
Spans = tuple[tuple[int, int], tuple[int, int]]  # (first, one past the last) row and column


def open_canvas(width: float, height: float) -> tuple[Chart, Axes]:
    """Return a white figure of this size, and axes that cover all of it."""
    figure = Chart(facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    resize_canvas(axes, width, height)
    return figure, axes


def resize_canvas(axes: Axes, width: float, height: float) -> None:
    """Give a canvas another size; what is drawn stays where it is."""
    figure: Any = axes.figure
    figure.set_size_inches(width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))


def write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Write a line of text whose middle is at height y."""
    axes.text(x, y, text, **{"va": "center_baseline", **style})


def outline(
    axes: Axes, corner: Point, size: Point, color: str = LINE, linewidth: float = 0.7
) -> None:
    """Draw the outline of a rectangle with this upper left corner and (width, height)."""
    axes.add_patch(
        Rectangle(corner, *size, fill=False, edgecolor=color, linewidth=linewidth, zorder=3)
    )


def draw_cells(
    axes: Axes,
    rows: Sequence[Sequence[tuple[str, str, str]]],
    corner: Point,
    size: Point,
    points: float,
    color: str = LINE,
) -> None:
    """Draw cells with texts in them.

    Args:
        axes: The axes of a canvas.
        rows: The cells, row by row: (text, colour of the text, colour of the background).
        corner: The upper left corner of the grid.
        size: The (width, height) of a cell.
        points: The font size.
        color: The colour of the lines between the cells.
    """
    width, height = size
    for row, cells in enumerate(rows):
        for column, (text, ink, fill) in enumerate(cells):
            x = corner[0] + column * width
            y = corner[1] + row * height
            box = Rectangle((x, y), width, height, facecolor=fill, edgecolor=color, linewidth=0.7)
            axes.add_patch(box)
            middle = (x + width / 2, y + 0.52 * height)
            axes.text(*middle, text, ha="center", va="center", fontsize=points, color=ink)


def draw_values(
    axes: Axes, values: NDArray[Any], corner: Point, size: Point, largest: float
) -> None:
    """Draw numbers as colours in a rectangle: blue above 0, orange below.

    Args:
        axes: The axes of a canvas.
        values: The numbers (rows, columns).
        corner: The upper left corner of the rectangle.
        size: Its (width, height).
        largest: The absolute value with the deepest colour.
    """
    _show(axes, values, corner, size, cmap=SIGNED, vmin=-(largest or 1), vmax=largest or 1)
    outline(axes, corner, size, linewidth=0.6)


def draw_map(
    axes: Axes,
    values: NDArray[Any],
    corner: Point,
    side: float,
    largest: float | None = None,
    spans: Spans | None = None,
) -> None:
    """Draw a map in a square whose side its longer side fills.

    Args:
        axes: The axes of a canvas.
        values: The map (rows, columns).
        corner: The upper left corner of the square.
        side: The side of the square.
        largest: The absolute value with the deepest colour; by default the largest of the map.
        spans: The rows and columns that are outlined.
    """
    largest = float(np.abs(values).max()) if largest is None else largest
    rows, columns = values.shape
    cell = side / max(rows, columns)
    draw_values(axes, values, corner, (columns * cell, rows * cell), largest)
    if spans is not None:
        (top, bottom), (left, right) = spans
        place = (corner[0] + left * cell, corner[1] + top * cell)
        size = ((right - left) * cell, (bottom - top) * cell)
        outline(axes, place, size, RED, linewidth=1.8)


def draw_image(axes: Axes, pixels: NDArray[np.uint8], corner: Point, side: float) -> None:
    """Draw an image (height, width, 1 or 3) in a square whose side its longer side fills."""
    height, width, _ = pixels.shape
    scale = side / max(height, width)
    _show(axes, pixels, corner, (width * scale, height * scale), cmap="gray", vmin=0, vmax=255)


def _show(axes: Axes, values: NDArray[Any], corner: Point, size: Point, **colors: Any) -> None:
    extent = (corner[0], corner[0] + size[0], corner[1] + size[1], corner[1])
    axes.imshow(values, extent=extent, aspect="auto", interpolation="nearest", **colors)


@dataclass(frozen=True)
class Shown:
    """A map or an image with a title above it.

    Attributes:
        title: The title.
        values: A map (rows, columns), or an image (height, width, channels) of uint8.
        spans: The rows and columns of a map that are outlined.
    """

    title: str
    values: NDArray[Any]
    spans: Spans | None = None


def draw_shown(axes: Axes, maps: Sequence[Shown], corner: Point, side: float, gap: float) -> None:
    """Draw maps and images from left to right, each with its title above its square.

    Args:
        axes: The axes of a canvas.
        maps: The maps and images.
        corner: The upper left corner of the first square.
        side: The side of the squares.
        gap: The space between them.
    """
    for number, one in enumerate(maps):
        place = (corner[0] + number * (side + gap), corner[1])
        write(axes, place[0], place[1] - 0.17, one.title, fontsize=9, color=GREY)
        if one.values.dtype == np.uint8:
            draw_image(axes, one.values, place, side)
        else:
            draw_map(axes, one.values, place, side, spans=one.spans)
