"""Sketches: what the figures of cells, boxes and arrows share. Their lengths are inches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text

from convlens.charts.fonts import find_fonts
from convlens.charts.style import BLUE, GREEN, GREY, INK, ORANGE, RED, Chart, new_chart, width

Point = tuple[float, float]
Color = str | tuple[float, ...]

HUES = (BLUE, ORANGE, GREEN, "#7A4FA3", RED, "#3F3F3F")  # of neighbours that must be told apart
MARGIN = 0.25  # around a figure
POINT = 1 / 72


@contextmanager
def sketch(left: float, bottom: float, right: float, top: float) -> Iterator[tuple[Chart, Axes]]:
    """Yield a figure and its only axes, whose coordinates are inches.

    The fonts are chosen at the end, from the texts that were written.

    Args:
        left: Where what is drawn begins; a margin is added on each side.
        bottom: Its lower end.
        right: Where it ends.
        top: Its upper end.
    """
    size = (right - left + 2 * MARGIN, top - bottom + 2 * MARGIN)
    with new_chart(size, layout=None) as figure:
        axes = figure.add_axes(
            (0, 0, 1, 1),
            xlim=(left - MARGIN, right + MARGIN),
            ylim=(bottom - MARGIN, top + MARGIN),
        )
        axes.set_axis_off()
        yield figure, axes
        families, _ = find_fonts(text.get_text() for text in axes.texts)
        for text in axes.texts:
            text.set_fontfamily(families)


def mixed(color: Color, share: float) -> tuple[float, ...]:
    """Return `share` of a colour mixed with white.

    >>> mixed("black", 0.0), mixed("black", 1.0)
    ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    """
    return tuple(1 - share * (1 - part) for part in to_rgb(color))


def ink_on(color: Color) -> str:
    """Return the colour of a text that can be read on a colour."""
    brightness = float(np.dot(to_rgb(color), (0.299, 0.587, 0.114)))
    return INK if brightness > 0.55 else "white"


def draw_cell(
    axes: Axes,
    corner: Point,
    size: Point,
    color: Color = "white",
    text: str = "",
    fontsize: float = 9,
) -> None:
    """Draw a box from its lower left corner on, with a text in its middle."""
    axes.add_patch(
        Rectangle(corner, *size, facecolor=color, edgecolor=GREY, linewidth=0.8, zorder=2)
    )
    if text:
        middle = (corner[0] + size[0] / 2, corner[1] + size[1] / 2)
        write(axes, middle, text, fontsize=fontsize, color=ink_on(color), zorder=3)


def draw_arrow(axes: Axes, begin: Point, end: Point, color: Color = GREY, **options: Any) -> None:
    """Draw a straight arrow, or another one that the options of FancyArrowPatch describe."""
    given: dict[str, Any] = {"arrowstyle": "-|>", "linewidth": 1.1, **options}
    axes.add_patch(
        FancyArrowPatch(begin, end, color=color, shrinkA=0, shrinkB=0, mutation_scale=9, **given)
    )


def text_width(texts: Sequence[str], fontsize: float) -> float:
    """Return the width of the widest line of the texts in inches, as they will be drawn at most."""
    lines = [line for text in texts for line in text.split("\n")]
    return 0.62 * fontsize * POINT * max(map(width, lines), default=0)


def write(axes: Axes, place: Point, text: str, **options: Any) -> Text:
    """Write a text whose middle is at a place, unless the options say otherwise."""
    given: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9, **options}
    return axes.text(*place, text, **given)
