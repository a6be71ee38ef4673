"""Charts of what was tuned: the trials of a search, the regularization, and the learning rate."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from convlens.charts.style import BLUE, GREY, ORANGE, PERCENT, new_chart, whiskers
from convlens.evaluation.scores import Score
from convlens.language import _

LOGARITHMIC = ("learning_rate", "weight_decay")
COLUMNS = 3  # of the small charts, one for each field


def show_trials(
    values: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    finished: Sequence[bool],
    numbers: Sequence[int] | None = None,
) -> Figure:
    """Show the score of each trial in order, and against each field that was varied.

    Args:
        values: The value of each varied field, for each trial.
        scores: The validation accuracy of each trial's best epoch.
        finished: Whether each trial ran to its end. Trials that were stopped early are hollow.
        numbers: The number of each trial. If None, they are counted from 0.
    """
    fields = list(dict.fromkeys(name for one in values for name in one))
    rows = math.ceil(len(fields) / COLUMNS)
    with new_chart((9, 2.6 + 2.1 * rows)) as figure:
        grid = figure.add_gridspec(1 + rows, COLUMNS, height_ratios=(1.3, *[1] * rows))
        axes = figure.add_subplot(grid[0, :], xlabel=_("trial"), ylabel=_("validation accuracy"))
        places = range(len(scores)) if numbers is None else numbers
        axes.step(places, np.maximum.accumulate(scores), where="post", color=ORANGE, zorder=1)
        _scatter(axes, places, scores, finished)
        axes.set_title(_("The trials in order, and below by each setting"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        figure.legend(handles=_legend(all(finished)), loc="outside lower center", ncols=4)
        for place, name in enumerate(fields):
            cell = grid[1 + place // COLUMNS, place % COLUMNS]
            below = figure.add_subplot(cell, sharey=axes, xlabel=name)
            known = [number for number, one in enumerate(values) if name in one]
            varied = [values[number][name] for number in known]
            _draw_field(below, name, varied, np.array(scores)[known], np.array(finished)[known])
        for one in figure.axes:
            one.yaxis.set_major_formatter(PERCENT)
    return figure


def _legend(all_finished: bool) -> list[Line2D]:
    """Return the signs of the chart. The hollow one is included only where it occurs."""
    dot: dict[str, Any] = {"color": BLUE, "marker": "o", "linestyle": ""}
    hollow = Line2D([], [], label=_("stopped early"), markerfacecolor="white", **dot)
    return [
        Line2D([], [], label=_("trial that ran to its end"), **dot),
        *([] if all_finished else [hollow]),
        Line2D([], [], color=ORANGE, label=_("best so far")),
        Line2D([], [], color=GREY, linewidth=1.5, label=_("mean of one setting")),
    ]


def _scatter(axes: Axes, places: Any, scores: Any, finished: Any) -> None:
    faces = [BLUE if done else "white" for done in finished]
    axes.scatter(places, scores, s=26, c=faces, edgecolors=BLUE, linewidths=1, zorder=2)


def _draw_field(axes: Axes, name: str, values: list[Any], scores: Any, finished: Any) -> None:
    """Draw scores against a field: along an axis if its values are numbers, else side by side."""
    if all(isinstance(value, float) for value in values):
        places = np.array(values)
        if name in LOGARITHMIC and places.max() > places.min() > 0:
            ticks = np.geomspace(places.min(), places.max(), 3)
            axes.set_xscale("log")
            axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
            axes.set_xticks([], minor=True)
    else:
        names = sorted(set(values), key=_by_size)
        places = np.array([names.index(value) for value in values], float)
        axes.set_xticks(range(len(names)), list(map(str, names)), fontsize=7)
        axes.set_xlim(-0.5, len(names) - 0.5)
        for number in range(len(names)):
            mean = scores[places == number].mean()
            ends = [number - 0.25, number + 0.25]
            axes.plot(ends, [mean, mean], color=GREY, linewidth=1.5, zorder=1)
    _scatter(axes, places, scores, finished)


def _by_size(value: Any) -> list[tuple[int, str]]:
    """Sort numbers that are texts, such as "8,16", by size and not by their letters."""
    return [(len(part), part) for part in str(value).split(",")]


def show_regularization(
    strengths: Sequence[float],
    losses: Sequence[float],
    accuracies: Sequence[Score],
    *,
    chosen: float,
) -> Figure:
    """Show the validation log loss and accuracy against the regularization strength C.

    Args:
        strengths: The values of scikit-learn's C. A small C regularizes strongly.
        losses: The validation log loss at each C.
        accuracies: The validation accuracy at each C, with its interval.
        chosen: The C that was chosen, which is marked.
    """
    with new_chart((9, 3.4)) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(strengths, losses, color=BLUE, marker="o")
        left.set(ylabel=_("validation log loss"), ylim=(0, None))
        right.errorbar(
            strengths,
            [100 * score.value for score in accuracies],
            100 * whiskers(accuracies),
            color=ORANGE,
            marker="o",
            capsize=3,
        )
        right.set(ylabel=_("validation accuracy, %"))
        for axes in (left, right):
            axes.set(xscale="log", xlabel=_("C: strong regularisation left, weak right"))
            axes.axvline(chosen, color=GREY, linestyle=":", zorder=0)
        # The label stands on the side of the line that lies within the axes.
        side, offset = ("right", -4) if chosen == max(strengths) else ("left", 4)
        left.annotate(
            _("chosen: {strength:g}").format(strength=chosen),
            (chosen, 0.04),
            (offset, 0),
            ("data", "axes fraction"),
            "offset points",
            ha=side,
            color=GREY,
            fontsize=8,
        )
    return figure


def show_learning_rates(
    rates: Sequence[float], losses: Sequence[float], suggestion: float
) -> Figure:
    """Show the training loss of a range test against the learning rate.

    Args:
        rates: The learning rates, in rising order.
        losses: The smoothed training loss at each rate.
        suggestion: The rate to train with, which is marked.
    """
    with new_chart((7, 4)) as figure:
        axes = figure.add_subplot(
            xscale="log", xlabel=_("learning rate"), ylabel=_("training loss, smoothed")
        )
        axes.plot(rates, losses, color=BLUE)
        axes.axvline(suggestion, linestyle="--", color=GREY, linewidth=1.2)
        axes.text(
            suggestion, axes.get_ylim()[1], f" {suggestion:.1e}", va="top", color=GREY, fontsize=9
        )
    return figure
