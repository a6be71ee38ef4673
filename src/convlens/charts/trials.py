"""Trials: what a search tried and how it went, as one image."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from convlens.charts.curves import PERCENT
from convlens.charts.style import BLUE, GREY, ORANGE, Chart, style

LOGARITHMIC = ("learning_rate", "weight_decay")
COLUMNS = 3  # of the small charts, one a field


def show_trials(
    values: Sequence[Mapping[str, Any]], scores: Sequence[float], finished: Sequence[bool]
) -> Figure:
    """Show the score of each trial in order, and against each field that was varied.

    Args:
        values: of each trial, field -> value.
        scores: validation accuracy of each trial's best epoch.
        finished: whether it ran to its end; those stopped early are hollow.
    """
    fields = list(dict.fromkeys(name for one in values for name in one))
    rows = math.ceil(len(fields) / COLUMNS)
    with style():
        figure = Chart(figsize=(9, 2.6 + 2.1 * rows), layout="constrained")
        grid = figure.add_gridspec(1 + rows, COLUMNS, height_ratios=(1.3, *[1] * rows))
        axes = figure.add_subplot(grid[0, :])
        numbers = np.arange(len(scores))
        axes.step(numbers, np.maximum.accumulate(scores), where="post", color=ORANGE, zorder=1)
        _scatter(axes, numbers, scores, finished)
        axes.set(xlabel="trial", ylabel="validation accuracy")
        axes.set_title("What was tried, in order; below, by each setting")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        figure.legend(handles=_legend(all(finished)), loc="outside lower center", ncols=4)
        for place, name in enumerate(fields):
            below = figure.add_subplot(grid[1 + place // COLUMNS, place % COLUMNS], sharey=axes)
            known = [number for number, one in enumerate(values) if name in one]
            _against(
                below,
                name,
                [values[number][name] for number in known],
                np.array(scores)[known],
                np.array(finished)[known],
            )
            below.set_xlabel(name)
        for one in figure.axes:
            one.yaxis.set_major_formatter(PERCENT)
    return figure


def _legend(all_finished: bool) -> list[Line2D]:
    """Return the signs of the chart; the hollow one only where it occurs."""
    dots = [
        (BLUE, "trial that ran to its end"),
        *([] if all_finished else [("white", "stopped early")]),
    ]
    return [
        *(
            Line2D([], [], color=BLUE, marker="o", markerfacecolor=face, linestyle="", label=name)
            for face, name in dots
        ),
        Line2D([], [], color=ORANGE, label="best so far"),
        Line2D([], [], color=GREY, linewidth=1.5, label="mean of one setting"),
    ]


def _scatter(axes: Axes, places: Any, scores: Any, finished: Any) -> None:
    faces = [BLUE if done else "white" for done in finished]
    axes.scatter(places, scores, s=26, c=faces, edgecolors=BLUE, linewidths=1, zorder=2)


def _against(axes: Axes, name: str, values: list[Any], scores: Any, finished: Any) -> None:
    """Draw scores against the values of a field: on a line where they are numbers, else side by side."""
    if all(isinstance(value, float) for value in values):
        places = np.array(values)
        if name in LOGARITHMIC and places.max() > places.min() > 0:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(
                FixedLocator(np.geomspace(places.min(), places.max(), 3).tolist())
            )
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    else:
        names = sorted(
            set(values), key=lambda value: [(len(part), part) for part in str(value).split(",")]
        )
        places = np.array([names.index(value) for value in values], float)
        axes.set_xticks(range(len(names)), list(map(str, names)), fontsize=7)
        axes.set_xlim(-0.5, len(names) - 0.5)
        for number, one in enumerate(names):
            mean = float(np.mean([s for s, v in zip(scores, values, strict=True) if v == one]))
            axes.plot(
                [number - 0.25, number + 0.25], [mean, mean], color=GREY, linewidth=1.5, zorder=1
            )
    _scatter(axes, places, scores, finished)
