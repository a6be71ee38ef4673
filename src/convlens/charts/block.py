"""The chart of a block: boxes and arrows, read from the graph of a Keras model."""

from collections.abc import Sequence

import keras
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from convlens.charts.block_boxes import Box, boxes_between
from convlens.charts.block_layout import DOWN, Edge, Layout
from convlens.charts.sketch import HUES, Color, Point, draw_arrow, sketch, text_width, write
from convlens.charts.style import GREY, INK
from convlens.language import ngettext

# Lengths are inches.
LEADING = 0.175  # from line to line
EDGE = 0.09  # around the lines of a box
LEAST = 1.35  # the width of a box


def show_block(model: keras.Model, first: str | None = None, last: str | None = None) -> Figure:
    """Show the layers between two layers of a network as boxes and arrows.

    A box says what the layer is, its filters and strides, the shape of its output and its number of
    parameters. Branches stand side by side, and what leads past layers, such as the shortcut of a
    residual block, runs to their right. Where outputs are concatenated again and again, as in a
    dense block, a line leads from every output to each concatenation that contains it.

    Args:
        model: A functional or sequential Keras model.
        first: The name of the layer where the block begins; None for the first layer.
        last: The name of the layer where it ends; None for the last layer.

    Raises:
        ConfigError: If there are no such layers, no way between them, or too many layers.
        ModelError: If the model cannot be summarised, see `convlens.anatomy.summary.steps`.

    Example:
        >>> inputs = keras.Input((8, 8, 4))
        >>> y = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
        >>> block = keras.Model(inputs, keras.layers.Add()([inputs, y]))
        >>> [text.get_text() for text in show_block(block).axes[0].texts][2:5]
        ['conv 3×3 + ReLU', '4 filters', '8 × 8 × 4']
    """
    boxes = boxes_between(model, first, last)
    width = max(LEAST, *(text_width(box.lines, 9) + 2 * EDGE for box in boxes))
    sizes = [(width, LEADING * box.height + 2 * EDGE) for box in boxes]
    layout = Layout([box.row for box in boxes], sizes)
    params = sum(box.row.params for box in boxes)
    total = ngettext("{count} parameter in all", "{count} parameters in all", params)
    total = total.format(count=f"{params:,}")
    sides = [x + side * width / 2 for x, _ in layout.places.values() for side in (-1, 1)]
    end = layout.places[len(boxes) - 1][0]
    sides += [end + side * text_width([total], 9) / 2 for side in (-1, 1)]
    floor = min(map(layout.bottom, layout.places))
    with sketch(min(sides), floor - 0.4, max([*sides, *layout.lanes.values()]), 0) as (
        figure,
        axes,
    ):
        for number, box in enumerate(boxes):
            _draw_box(axes, box, layout.places[number], sizes[number])
        for edge in layout.edges():
            _draw_edge(axes, layout, edge)
        for edge in sorted(layout.lanes):
            _draw_lane(axes, layout, edge)
        write(axes, (end, floor - 0.3), total, color=GREY)
    return figure


def _draw_box(axes: Axes, box: Box, place: Point, size: Point) -> None:
    x, top = place
    width, height = size
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2 + 0.05, top - height + 0.05),
            width - 0.1,
            height - 0.1,
            boxstyle="round,pad=0.05",
            facecolor=box.color,
            edgecolor=GREY,
            linewidth=0.8,
            zorder=2,
        )
    )
    middle = top - height / 2 + LEADING * (len(box.lines) - 1) / 2
    for number, line in enumerate(box.lines):
        color = INK if number == 0 else "#444444"
        size_of_text = 9.5 if number == 0 else 8.5
        place = (x, middle - LEADING * number)
        write(axes, place, line, fontsize=size_of_text, color=color, zorder=3)


def _draw_edge(axes: Axes, layout: Layout, edge: Edge) -> None:
    """Draw an arrow from a box to the next one, with a bend behind a fork or before a meeting."""
    (x, _), (to, y) = (layout.places[number] for number in edge)
    bottom = layout.bottom(edge[0])
    meets = len(layout.rows[edge[1]].inputs) > 1
    bend = y + DOWN / 2 if meets else bottom - DOWN / 2
    _draw_way(axes, [(x, bottom), (x, bend), (to, bend), (to, y)], GREY)


def _draw_lane(axes: Axes, layout: Layout, edge: Edge) -> None:
    """Draw a line that leaves a box at its side and enters another one at its side."""
    (x, top), (to, y) = (layout.places[number] for number in edge)
    width, height = layout.sizes[edge[0]]
    begins = sorted({source for source, _ in layout.lanes})
    entries = sorted(source for source, target in layout.lanes if target == edge[1])
    share = (entries.index(edge[0]) + 1) / (len(entries) + 1)
    # Lines leave a box in its lower quarter and enter another one above that.
    begin = (x + width / 2, top - 0.85 * height)
    end = (to + layout.sizes[edge[1]][0] / 2, y - 0.75 * share * layout.sizes[edge[1]][1])
    lane = layout.lanes[edge]
    color = HUES[begins.index(edge[0]) % len(HUES)]
    _draw_way(axes, [begin, (lane, begin[1]), (lane, end[1]), end], color, 1.6)


def _draw_way(axes: Axes, points: Sequence[Point], color: Color, linewidth: float = 1.1) -> None:
    axes.plot(*zip(*points[:-1], strict=True), color=color, linewidth=linewidth, zorder=1)
    draw_arrow(axes, points[-2], points[-1], color, linewidth=linewidth)
