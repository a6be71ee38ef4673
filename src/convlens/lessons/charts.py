"""Charts of the lessons' experiments: measured lines, and scores beside each other, with their intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from convlens.evaluation.scores import Score
from convlens.evaluation.style import BLUE, GREEN, GREY, ORANGE, RED, Chart, style

__all__ = ["show_lines", "show_metrics", "show_scores"]

COLORS = (BLUE, ORANGE, GREEN, RED, GREY)
PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.4g} %")
COLUMNS = 2  # panels beside each other

Line = tuple[Sequence[float], Sequence[float] | Sequence[Score]]  # x, and y or scores with intervals


def show_lines(
    panels: Mapping[str, Mapping[str, Line]], *, across: str, up: str, percent: bool = False, log: bool = False
) -> Figure:
    """Show lines in panels.

    Args:
        panels: title -> name of a line -> (x, y); scores are drawn with their intervals.
        across: what x is; the same for all panels.
        up: what y is.
        percent: whether y is a share.
        log: whether the vertical axis is logarithmic.
    """
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    texts = [across, up, *panels, *(name for lines in panels.values() for name in lines)]
    with style(texts):
        figure = Chart(figsize=(4.6 * columns if columns > 1 else 6.4, 3.1 * rows + 0.3), layout="constrained")
        for index, (title, lines) in enumerate(panels.items()):
            axes = figure.add_subplot(rows, columns, index + 1)
            for color, (name, line) in zip(COLORS, lines.items(), strict=False):
                _draw_line(axes, name, line, color)
            axes.set_title(title)
            axes.set(xlabel=across, ylabel=up if index % columns == 0 else "")
            if log:
                axes.set_yscale("log")
            if percent:
                axes.yaxis.set_major_formatter(PERCENT)
            if all(float(x).is_integer() for line in lines.values() for x in line[0]):
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if index == 0 or list(lines) != list(next(iter(panels.values()))):
                axes.legend()
    return figure


def _draw_line(axes: Axes, name: str, line: Line, color: str) -> None:
    x, y = line
    marker = "o" if len(x) < 20 else None
    values = np.array([one.value if isinstance(one, Score) else one for one in y])
    axes.plot(x, values, color=color, label=name, marker=marker, markersize=4)
    scores = [one for one in y if isinstance(one, Score)]
    if scores:
        axes.fill_between(x, [one.low for one in scores], [one.high for one in scores], color=color, alpha=0.15)


def show_metrics(history: Mapping[str, Sequence[float]]) -> Figure:
    """Show what was measured in every epoch, a panel a metric, training and validation.

    Args:
        history: metric -> a value an epoch, validation under "val_..." names: the `history` that Keras' `fit` returns.
    """
    panels: dict[str, dict[str, Line]] = {}
    for name in (name for name in history if not name.startswith("val_")):
        epochs = range(1, len(history[name]) + 1)
        panels[name] = {"train": (epochs, history[name])}
        if f"val_{name}" in history:
            panels[name]["validation"] = (epochs, history[f"val_{name}"])
    figure = show_lines(panels, across="epoch", up="")
    for axes, name in zip(figure.axes, panels, strict=True):
        if "accuracy" in name:
            axes.yaxis.set_major_formatter(PERCENT)
    return figure


def show_scores(panels: Mapping[str, Mapping[str, Score]], *, across: str = "accuracy") -> Figure:
    """Show scores with their 95 % intervals, a row each, in panels beside each other.

    Args:
        panels: title -> name of a row -> score.
        across: what is scored.
    """
    texts = [across, *panels, *(name for rows in panels.values() for name in rows)]
    most = max(len(rows) for rows in panels.values())
    with style(texts):
        figure = Chart(figsize=(4.8 * len(panels) + 0.4, 0.42 * most + 1.1), layout="constrained")
        for index, (title, rows) in enumerate(panels.items()):
            axes = figure.add_subplot(1, len(panels), index + 1)
            for row, score in enumerate(rows.values()):
                reach = [[score.value - score.low], [score.high - score.value]]
                axes.errorbar(score.value, row, xerr=reach, fmt="o", color=COLORS[row % len(COLORS)], capsize=3)
            axes.set_yticks(range(len(rows)), list(rows))
            axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=across, title=title)
            axes.xaxis.set_major_formatter(PERCENT)
    return figure
