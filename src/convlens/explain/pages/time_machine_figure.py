"""Time machine figure: the way of an image to its class, and a filter and its map on the way."""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convlens.charts.fonts import drawable
from convlens.charts.style import CLASS_COLOURS, GREY, PERCENT, Chart, shorten, style
from convlens.explain.microscope.layer import Floats
from convlens.explain.pages.canvas import draw_image, draw_map, open_canvas, write
from convlens.explain.pages.time_machine_views import shown_classes
from convlens.explain.time_machine.machine import Way
from convlens.language import _

MOST_MOMENTS = 24  # across a figure
MOST_CHANNELS = 2  # of a kernel

# Inches, all of them.
EDGE = 0.35
LEFT = 2.1  # of what stands before the first moment
SIDE = 0.62  # of a map
STRIDE = 0.72  # from one moment to the next
HEAD = 0.75
HIGH = 2.6  # of the probabilities
LEGEND = 1.6  # width


@dataclass(frozen=True, eq=False)
class Strip:
    """A row of maps, one for each moment.

    Attributes:
        title: What they are.
        values: The maps, shaped (moments, rows, columns).
    """

    title: str
    values: NDArray[np.floating]


def chosen_moments(count: int, most: int = MOST_MOMENTS) -> list[int]:
    """Return the numbers of the moments that a figure has room for, evenly spread."""
    if count <= most:
        return list(range(count))
    return [int(one) for one in np.linspace(0, count - 1, most).round()]


def kernel_strips(name: str, filters: Floats) -> list[Strip]:
    """Return the strips of a filter: its channels that move most, and their way from the start.

    Args:
        name: What the filter is called.
        filters: Its weights, as `TimeMachine.filters` returns them. A filter that is no kernel has
            no strip.
    """
    if filters.ndim == 3:
        filters = filters[..., None]
    if filters.ndim != 4 or filters.shape[1:3] == (1, 1):
        return []
    moved = filters - filters[0]
    size = np.abs(moved).max(axis=(0, 1, 2))
    strips = []
    for channel in sorted(np.argsort(-size, kind="stable")[:MOST_CHANNELS].tolist()):
        said = name
        if filters.shape[3] > 1:
            said = _("{name}, channel {k}").format(name=name, k=channel)
        strips += [
            Strip(said, filters[..., channel]),
            Strip(_("since the start"), moved[..., channel]),
        ]
    return strips


def way_figure(
    way: Way, pixels: NDArray[np.uint8], name: str, strips: list[Strip] | None = None
) -> Chart:
    """Return a figure of the probabilities at each moment, with strips of maps below.

    Args:
        way: The way of the image.
        pixels: The image as the network takes it.
        name: Its name.
        strips: The rows of maps; all maps of a row have the same colours.
    """
    strips = strips or []
    name, *classes = drawable([name, *way.class_names])
    way = replace(way, class_names=tuple(classes))
    chosen = chosen_moments(len(way.moments))
    across = STRIDE * len(chosen)
    low = EDGE + HEAD + HIGH + 0.65
    width = LEFT + across + LEGEND + EDGE
    height = low + len(strips) * (SIDE + 0.2) + EDGE
    with style([name, *way.class_names, *(one.title for one in strips)]):
        figure, canvas = open_canvas(width, height)
        write(
            canvas,
            EDGE,
            EDGE + 0.1,
            _("{name}: the way to its class").format(name=shorten(name, 60)),
            fontsize=14,
        )
        said = _("states of the training, not evenly spaced; * is the best epoch")
        write(canvas, EDGE, EDGE + 0.42, said, color=GREY)
        draw_image(canvas, pixels, (EDGE, EDGE + HEAD + 0.2), 1.0)
        axes = figure.add_axes(
            (
                LEFT / width,
                1 - (EDGE + HEAD + HIGH) / height,
                across / width,
                HIGH / height,
            )
        )
        _draw_probabilities(axes, way, chosen)
        for number, strip in enumerate(strips):
            _draw_strip(canvas, strip, chosen, low + number * (SIDE + 0.2))
    return figure


def _draw_probabilities(axes: Axes, way: Way, chosen: list[int]) -> None:
    places = np.arange(len(chosen))
    for place, one in enumerate(shown_classes(way)):
        axes.plot(
            places,
            way.probabilities[chosen, one],
            color=CLASS_COLOURS[place % len(CLASS_COLOURS)],
            marker="o",
            markersize=4,
            label=shorten(way.class_names[one], 18),
        )
    moments = [way.moments[one] for one in chosen]
    labels = [_tick(one.step, one.epoch, whole=not one.step_of_epoch) for one in moments]
    labels = [
        label + ("*" if one.is_best else "") for label, one in zip(labels, moments, strict=True)
    ]
    axes.set_xticks(places, labels, fontsize=8)
    axes.set_xlim(-0.5, len(chosen) - 0.5)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set_xlabel(_("step, and the epochs that were done"))
    # A legend leaves out names that begin with an underscore, unless it is given the lines.
    lines = axes.get_lines()
    axes.legend(handles=lines, loc=6, bbox_to_anchor=(1.0, 0.5), fontsize=9)  # 6: left middle


def _tick(step: int, epoch: int, *, whole: bool) -> str:
    """Return the label of a moment: its step, and the epoch that ends there."""
    return f"{step:,}\n{epoch}" if whole and step else f"{step:,}"


def _draw_strip(canvas: Axes, strip: Strip, chosen: list[int], y: float) -> None:
    largest = float(np.abs(strip.values).max())
    write(canvas, EDGE, y + SIDE / 2, shorten(strip.title, 28), fontsize=8.5, color=GREY)
    for place, one in enumerate(chosen):
        x = LEFT + place * STRIDE + (STRIDE - SIDE) / 2
        draw_map(canvas, strip.values[one], (x, y), SIDE, largest)
