"""The chart of an architecture: a network as a row of boxes, from the image to the logits.

Boxes that touch form a stage, whose layers work on feature maps of one size. The height and depth
of a box are the sides of the feature map and its width is the number of channels, all on a
logarithmic scale. Below the boxes stand the layers of the stage and its share of the whole network.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from rich.cells import cell_len

from convlens.anatomy.describe import describe
from convlens.anatomy.stages import HIDDEN, Block, Part, Stage, last_row
from convlens.anatomy.summary import rounded
from convlens.charts.style import BLUE, GREY, INK, LINE, new_chart, percent
from convlens.language import N_, _

# All lengths are inches, which are also the coordinates of the figure.
TALLEST = 2.1  # a box as large as the image
LOWEST = 0.22  # a box of a single value
THINNEST = 0.05  # the width of one channel
DOUBLING = 0.045  # what each doubling of the channels adds to the width
WIDEST = 2.3  # all boxes of a stage together
SKEW = (0.16, 0.1)  # how far right and up the depth of a box is drawn, for each inch of depth
LEADING = 0.165  # the height of a line of text
CELL = 0.058  # the width of a cell of text
SHORT_LINE = 31  # how many cells a line of text has at most; a Chinese character takes two
GAP = 0.36  # between stages
BAR = 0.7  # the height of a share of 100 %
FACES = {
    "image": "#CFCFCF",
    "layers": "#8FC1E3",
    "pooling": "#F2C27B",
    "dense": "#8CCBB5",
    "other": "#E4E4E4",
}
PARAMETERS = INK  # the colour of the shares of the parameters
MULTIPLY_ADDS = "#9C9C9C"  # the colour of the shares of the multiply-adds
NO_BREAK = "\xa0"  # a file or a figure may drop a usual blank at the begin of a line
BREAK = re.compile(r"(?<=, )|(?<=、)|(?= \|)")  # behind a comma and before a bar
KEY = N_(
    "Height and depth: the sides of the feature map. Width: the channels. (All are logarithmic.) "
    "Arc: a shortcut. Stripes: branches."
)

Box = tuple[float, float, float, float]  # left, width, height, depth


@dataclass(frozen=True)
class _Column:
    """A stage as it is drawn.

    Attributes:
        stage: The stage.
        parts: Those of its parts that have a box.
        lines: The lines of text below the boxes.
        boxes: The width of all boxes.
        width: The width of the boxes or of the text, whichever is larger.
    """

    stage: Stage
    parts: tuple[Part, ...]
    lines: tuple[str, ...]
    boxes: float
    width: float


def show_architecture(stages: Sequence[Stage], title: str) -> Figure:
    """Show the stages of a network from left to right, with their parameters and multiply-adds.

    Args:
        stages: The stages, see `convlens.anatomy.stages.divide`.
        title: The name of the network.
    """
    columns = [_column(stage) for stage in stages]
    doublings = max(math.log2(max(_sides(stage.output_shape))) for stage in stages)
    params = sum(stage.params for stage in stages)
    multiply_adds = sum(stage.multiply_adds for stage in stages)
    floor = -TALLEST / 2 - 0.6 - LEADING * max(len(column.lines) for column in columns) - BAR
    right = sum(column.width + GAP for column in columns)
    top = TALLEST / 2 + 1.55
    totals = _("{params} parameters, {multiply_adds} multiply-adds").format(
        params=rounded(params), multiply_adds=rounded(multiply_adds)
    )
    with new_chart((right + 0.3, top - floor + 0.7), [title], None) as figure:
        axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.3, right), ylim=(floor - 0.7, top))
        axes.set_axis_off()
        axes.text(0, top - 0.2, title, fontsize=15, va="top")
        axes.text(0, top - 0.52, totals, fontsize=10, color=GREY, va="top")
        place = 0.0
        end = None
        for column in columns:
            middle = place + column.width / 2
            start = middle - (column.boxes + SKEW[0]) / 2
            if end is not None:
                _draw_arrow(axes, end, start)
            end = _draw_boxes(axes, column, start, doublings)
            _write(axes, column, middle)
            for share, color, x in (
                (column.stage.params / max(params, 1), PARAMETERS, middle - 0.25),
                (column.stage.multiply_adds / max(multiply_adds, 1), MULTIPLY_ADDS, middle + 0.01),
            ):
                _draw_share(axes, share, color, x, floor)
            axes.plot([middle - 0.4, middle + 0.4], [floor, floor], color=LINE, linewidth=1)
            place += column.width + GAP
        small: dict[str, Any] = {"fontsize": 8, "va": "top"}
        axes.text(0, floor - 0.2, _("% of the parameters"), color=PARAMETERS, **small)
        axes.text(1.2, floor - 0.2, _("% of the multiply-adds"), color=MULTIPLY_ADDS, **small)
        axes.text(0, floor - 0.4, _(KEY), color=GREY, **small)
    return figure


def _column(stage: Stage) -> _Column:
    parts = tuple(part for part in stage.parts if last_row(part).kind not in HIDDEN)
    lines: list[str] = []
    for line in describe(stage.parts):
        lines += wrapped_layers(line)
    boxes = min(WIDEST, sum(_thickness(part) for part in parts))
    text = CELL * max(map(cell_len, lines), default=0)
    return _Column(stage, parts, tuple(lines), boxes, max(boxes + SKEW[0], text, 0.95))


def wrapped_layers(line: str) -> list[str]:
    r"""Return a line of layers in lines of at most SHORT_LINE cells where it can be broken.

    >>> wrapped_layers("2 × conv 1x1 64, conv 3x3 64, conv 1x1 256")
    ['2\xa0×\xa0conv\xa01x1\xa064,\xa0conv\xa03x3\xa064,', '\xa0\xa0conv\xa01x1\xa0256']
    """
    indent = "    " if line.startswith(" ") else "  "
    first, *others = BREAK.split(line)
    lines = [first]
    for part in others:
        if cell_len((lines[-1] + part).rstrip()) > SHORT_LINE:
            lines.append(indent + part.lstrip())
        else:
            lines[-1] += part
    return [one.rstrip().replace(" ", NO_BREAK) for one in lines]


def _thickness(part: Part) -> float:
    return THINNEST + DOUBLING * math.log2(last_row(part).output_shape[-1])


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and width of a feature map; a vector counts as 1 x 1."""
    return (shape[0], shape[1]) if len(shape) == 3 else (1, 1)


def _face(part: Part) -> str:
    """Return the colour of a box."""
    if isinstance(part, Block):
        return FACES["other" if part.kind == "scaled" else "layers"]
    if "Pool" in part.kind:
        return FACES["pooling"]
    kinds = {"InputLayer": "image", "Dense": "dense"}
    return FACES[kinds.get(part.kind, "layers" if part.window else "other")]


def _draw_boxes(axes: Axes, column: _Column, x: float, doublings: float) -> float:
    """Draw the parts of a stage from x on, and return where they end.

    The side of the largest feature map is 2 ** doublings.
    """
    scale = column.boxes / sum(_thickness(part) for part in column.parts)
    for part in column.parts:
        sides = _sides(last_row(part).output_shape)
        height, depth = (
            LOWEST + (TALLEST - LOWEST) * math.log2(side) / max(doublings, 1) for side in sides
        )
        box = (x, scale * _thickness(part), height, depth)
        _draw_box(axes, box, _face(part))
        if isinstance(part, Block):
            _draw_ways(axes, part, box)
        x += box[1]
    return x + SKEW[0] * depth


def _draw_box(axes: Axes, box: Box, color: str) -> None:
    x, wide, height, depth = box
    corners = np.array([(0, -0.5), (1, -0.5), (1, 0.5), (0, 0.5)]) * (wide, height) + (x, 0)
    behind = corners + np.multiply(SKEW, depth)
    for face, shade in (
        ([corners[3], behind[3], behind[2], corners[2]], 0.35),  # the top
        ([corners[1], behind[1], behind[2], corners[2]], -0.12),  # the side
        (corners, 0.0),  # the front
    ):
        axes.add_patch(
            Polygon(
                face,
                facecolor=_shaded(color, shade),
                edgecolor="white",
                linewidth=0.7,
                zorder=2,
            )
        )


def _shaded(color: str, shade: float) -> tuple[float, ...]:
    """Return a colour mixed with white (a positive share) or black (a negative one)."""
    target = 1.0 if shade > 0 else 0.0
    return tuple(part + abs(shade) * (target - part) for part in to_rgb(color))


def _draw_ways(axes: Axes, block: Block, box: Box) -> None:
    """Draw a stripe for each branch of a block, and an arc for the shortcut of a residual block."""
    x, wide, height, _ = box
    stripes = len(block.branches) if block.kind == "branches" else 1
    for number in range(1, stripes):
        y = height * (number / stripes - 0.5)
        axes.plot([x, x + wide], [y, y], color="white", linewidth=1.2)
    if block.kind in ("residual", "joined"):
        y = -height / 2 - 0.02
        axes.add_patch(
            FancyArrowPatch(
                (x + 0.01, y),
                (x + wide - 0.01, y),
                connectionstyle="arc3,rad=0.5",
                arrowstyle="-",
                shrinkA=0,
                shrinkB=0,
                color=BLUE,
                linewidth=1.2,
            )
        )


def _draw_arrow(axes: Axes, begin: float, end: float) -> None:
    axes.add_patch(
        FancyArrowPatch(
            (begin + 0.06, 0),
            (end - 0.06, 0),
            arrowstyle="->",
            mutation_scale=8,
            color=GREY,
            shrinkA=0,
            shrinkB=0,
            linewidth=0.8,
        )
    )


def _write(axes: Axes, column: _Column, x: float) -> None:
    """Write the size and the receptive field above a stage, and its layers below."""
    field = column.stage.receptive_field
    if field is None:
        sees = _("sees all")
    else:
        sees = _("sees {height} × {width}").format(height=field[0], width=field[1])
    y = TALLEST / 2 + SKEW[1] * TALLEST + 0.16
    size = " × ".join(map(str, column.stage.output_shape))
    axes.text(x, y + 0.18, size, ha="center", fontsize=9)
    if field != (1, 1):
        axes.text(x, y, sees, ha="center", fontsize=8, color=GREY)
    axes.text(
        x,
        -TALLEST / 2 - 0.25,
        "\n".join(column.lines),
        va="top",
        fontsize=8,
        ha="center",
        multialignment="left",
        linespacing=1.4,
    )


def _draw_share(axes: Axes, share: float, color: str, x: float, y: float) -> None:
    axes.add_patch(Rectangle((x, y), 0.24, BAR * share, facecolor=color))
    if share:
        text = percent(share).removesuffix(" %")
        axes.text(x + 0.12, y + BAR * share + 0.05, text, ha="center", fontsize=7, color=color)
