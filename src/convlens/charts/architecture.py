"""Architecture: a network as a row of boxes, from the image to the logits.

Boxes side by side are a stage: what works on maps of one size. Height and depth of a box are the sides of the map, its
width the number of channels, all logarithmic. Below stands what is inside, and the stage's share of the whole.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from convlens.anatomy.stages import HIDDEN, Block, Part, Stage, last_row, tell
from convlens.anatomy.summary import rounded
from convlens.charts.style import BLUE, GREY, INK, LINE, Chart, percent, style

# Lengths are inches, and those of the figure's coordinates too.
TALLEST, LOWEST = 2.1, 0.22  # a box of the image's size, and one of a single value
THINNEST, DOUBLING = 0.05, 0.045  # the width of a box of one channel, and what twice as many add
WIDEST = 2.3  # all boxes of a stage
SKEW = (0.16, 0.1)  # right and up, that the depth of a box one inch deep is drawn
LEADING, CHARACTER, SHORT_LINE = (
    0.165,
    0.058,
    31,
)  # of the text: inches a line, inches a character, characters
GAP = 0.36  # between stages
BAR = 0.7  # of a share of 100 %
FACES = {
    "image": "#CFCFCF",
    "layers": "#8FC1E3",
    "pooling": "#F2C27B",
    "dense": "#8CCBB5",
    "other": "#E4E4E4",
}
PARAMETERS, MULTIPLY_ADDS = INK, "#9C9C9C"  # colours of the shares
NO_BREAK = "\xa0"
KEY = "Height, depth: the sides of the map. Width: channels. (All logarithmic.) Arc: a way around. Stripes: branches."


@dataclass(frozen=True)
class _Column:
    """A stage with the parts that are drawn, the lines below them, and the width of the boxes and of all."""

    stage: Stage
    parts: tuple[Part, ...]
    lines: tuple[str, ...]
    boxes: float
    width: float


def show_architecture(stages: Sequence[Stage], title: str) -> Figure:
    """Show a network's stages from left to right, with the share of parameters and multiply-adds of each.

    Args:
        stages: from `convlens.anatomy.stages.divide`.
        title: the network's name.
    """
    columns = [_column(stage) for stage in stages]
    doublings = max(math.log2(max(_sides(stage.output_shape))) for stage in stages)
    params, multiply_adds = (
        sum(one.params for one in stages),
        sum(one.multiply_adds for one in stages),
    )
    floor = -TALLEST / 2 - 0.6 - LEADING * max(len(column.lines) for column in columns) - BAR
    left, right = -0.3, sum(column.width + GAP for column in columns)
    top, bottom = TALLEST / 2 + 1.55, floor - 0.7
    with style([title]):
        figure = Chart(figsize=(right - left, top - bottom))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
        axes.set_axis_off()
        axes.text(0, top - 0.2, title, fontsize=15, va="top")
        said = f"{rounded(params)} parameters, {rounded(multiply_adds)} multiply-adds"
        axes.text(0, top - 0.52, said, fontsize=10, color=GREY, va="top")
        place, end = 0.0, None
        for column in columns:
            middle = place + column.width / 2
            start = middle - (column.boxes + SKEW[0]) / 2
            if end is not None:
                _draw_arrow(axes, end, start)
            end = _draw_boxes(axes, column, start, doublings)
            _write(axes, column, middle)
            _draw_share(
                axes, column.stage.params / max(params, 1), PARAMETERS, (middle - 0.25, floor)
            )
            _draw_share(
                axes,
                column.stage.multiply_adds / max(multiply_adds, 1),
                MULTIPLY_ADDS,
                (middle + 0.01, floor),
            )
            axes.plot([middle - 0.4, middle + 0.4], [floor, floor], color=LINE, linewidth=1)
            place += column.width + GAP
        axes.text(0, floor - 0.2, "% of the parameters", color=PARAMETERS, fontsize=8, va="top")
        axes.text(0, floor - 0.4, KEY, color=GREY, fontsize=8, va="top")
        axes.text(
            1.2, floor - 0.2, "% of the multiply-adds", color=MULTIPLY_ADDS, fontsize=8, va="top"
        )
    return figure


def _column(stage: Stage) -> _Column:
    parts = tuple(part for part in stage.parts if last_row(part).kind not in HIDDEN)
    lines = []
    for line in tell(stage.parts):
        whole = (
            line.replace(" ", NO_BREAK).replace("," + NO_BREAK, ", ").replace(NO_BREAK + "|", " |")
        )
        margin = 2 * NO_BREAK if line.startswith(" ") else ""
        lines += textwrap.wrap(whole, SHORT_LINE, subsequent_indent=margin + 2 * NO_BREAK)
    boxes = min(WIDEST, sum(_thickness(part) for part in parts))
    return _Column(
        stage,
        parts,
        tuple(lines),
        boxes,
        max(boxes + SKEW[0], CHARACTER * max(map(len, lines), default=0), 0.95),
    )


def _thickness(part: Part) -> float:
    return THINNEST + DOUBLING * math.log2(last_row(part).output_shape[-1])


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of a map; a vector counts as one of 1 x 1."""
    return (shape[0], shape[1]) if len(shape) == 3 else (1, 1)


def _face(part: Part) -> str:
    if isinstance(part, Block):
        return FACES["other" if part.kind == "scaled" else "layers"]
    kinds = {"InputLayer": "image", "Dense": "dense"}
    kind = (
        "pooling"
        if "Pool" in part.kind
        else kinds.get(part.kind, "layers" if part.window else "other")
    )
    return FACES[kind]


def _draw_boxes(axes: Axes, column: _Column, x: float, doublings: float) -> float:
    """Draw the parts of a stage from x on, and return where they end; the largest map's side is 2 ** doublings."""
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


Box = tuple[float, float, float, float]  # left, width, height, depth


def _draw_box(axes: Axes, box: Box, color: str) -> None:
    x, wide, height, depth = box
    end, low, high = x + wide, -height / 2, height / 2
    right, up = SKEW[0] * depth, SKEW[1] * depth
    for corners, shade in (
        (((x, high), (x + right, high + up), (end + right, high + up), (end, high)), 0.35),
        (((end, low), (end + right, low + up), (end + right, high + up), (end, high)), -0.12),
        (((x, low), (end, low), (end, high), (x, high)), 0.0),
    ):
        face = Polygon(
            corners, facecolor=_shaded(color, shade), edgecolor="white", linewidth=0.7, zorder=2
        )
        axes.add_patch(face)


def _shaded(color: str, shade: float) -> tuple[float, ...]:
    """Return a colour mixed with white (a positive share) or black (a negative one)."""
    return tuple(part + abs(shade) * ((shade > 0) - part) for part in to_rgb(color))


def _draw_ways(axes: Axes, block: Block, box: Box) -> None:
    """Draw a stripe for each branch; of a residual block, an arc for the way around."""
    x, wide, height, _ = box
    around = block.kind in ("residual", "joined")
    stripes = len(block.branches) if block.kind == "branches" else 1
    for number in range(1, stripes):
        y = height * (number / stripes - 0.5)
        axes.plot([x, x + wide], [y, y], color="white", linewidth=1.2)
    if around:
        ends = ((x + 0.01, -height / 2 - 0.02), (x + wide - 0.01, -height / 2 - 0.02))
        axes.add_patch(FancyArrowPatch(*ends, connectionstyle="arc3,rad=0.5", arrowstyle="-", shrinkA=0, shrinkB=0,
                                       color=BLUE, linewidth=1.2))  # fmt: skip


def _draw_arrow(axes: Axes, begin: float, end: float) -> None:
    axes.add_patch(FancyArrowPatch((begin + 0.06, 0), (end - 0.06, 0), arrowstyle="->", mutation_scale=8, color=GREY,
                                   shrinkA=0, shrinkB=0, linewidth=0.8))  # fmt: skip


def _write(axes: Axes, column: _Column, x: float) -> None:
    shape, field = column.stage.output_shape, column.stage.receptive_field
    y = TALLEST / 2 + SKEW[1] * TALLEST + 0.16
    axes.text(x, y + 0.18, " × ".join(map(str, shape)), ha="center", fontsize=9)
    sees = (
        "" if field == (1, 1) else "sees all" if field is None else f"sees {field[0]} × {field[1]}"
    )
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


def _draw_share(axes: Axes, share: float, color: str, corner: tuple[float, float]) -> None:
    x, y = corner
    axes.add_patch(Rectangle(corner, 0.24, BAR * share, facecolor=color))
    if share:
        axes.text(
            x + 0.12,
            y + BAR * share + 0.05,
            percent(share).removesuffix(" %"),
            ha="center",
            fontsize=7,
            color=color,
        )
