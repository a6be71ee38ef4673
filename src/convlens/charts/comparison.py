"""Charts of a comparison: accuracy against its cost, and its growth while the networks trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from convlens.charts.labels import place_labels
from convlens.charts.style import BLUE, GREEN, ORANGE, PERCENT, RED, new_chart, whiskers
from convlens.evaluation.scores import Score
from convlens.language import _

COLORS = (BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#7A6A00")
LARGE = EngFormatter()  # writes 200000000 as 200 M


def show_tradeoff(
    names: Sequence[str], scores: Sequence[Score], costs: Mapping[str, Sequence[float]]
) -> Figure:
    """Show accuracies with their 95 % intervals against each cost, on logarithmic axes.

    Args:
        names: The names of m networks.
        scores: Their validation accuracies.
        costs: The values of each cost by its name, such as "multiply-adds"; m numbers above zero.
    """
    values = np.array([score.value for score in scores])
    errors = whiskers(scores)
    title = _("Accuracy and its price ({n:,} images, 95 % intervals)").format(n=scores[0].n)
    with new_chart((5.2 * len(costs), 4.4), names) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(costs), sharey=True))
        panels[0].set(ylabel=_("validation accuracy"), title=title)
        panels[0].yaxis.set_major_formatter(PERCENT)
        for axes, (label, cost) in zip(panels, costs.items(), strict=True):
            axes.errorbar(
                cost,
                values,
                errors,
                color=BLUE,
                marker="o",
                markersize=6.5,
                linestyle="none",
                elinewidth=1.3,
            )
            _make_logarithmic(axes, np.asarray(cost, np.float64), label)
        # The labels are placed when all panels have their limits.
        for axes, cost in zip(panels, costs.values(), strict=True):
            place_labels(figure, axes, np.asarray(cost, np.float64), values, names, errors)
    return figure


def show_growth(names: Sequence[str], histories: Sequence[Sequence[Mapping[str, Any]]]) -> Figure:
    """Show the validation accuracy against the seconds trained, and mark the epoch that was kept.

    Args:
        names: The names of m networks.
        histories: For each network a row for each epoch, with "seconds", "val_accuracy" and
            "val_loss".
    """
    with new_chart((7.2, 4.4), names) as figure:
        axes = figure.add_subplot(
            xlabel=_("seconds trained, validations included"), ylabel=_("validation accuracy")
        )
        for number, (name, history) in enumerate(zip(names, histories, strict=True)):
            if not history:  # killed in its first epochs, and failed when it began anew
                continue
            color = COLORS[number % len(COLORS)]
            dashes = "-" if number < len(COLORS) else (0, (4, 2))
            seconds, values, losses = (
                [float(row[column]) for row in history]
                for column in ("seconds", "val_accuracy", "val_loss")
            )
            trained = np.cumsum(seconds)
            # This is the rule by which `fit` chooses the epoch.
            best = max(range(len(values)), key=lambda i: (values[i], -losses[i]))
            axes.plot(trained, values, color=color, linestyle=dashes, linewidth=1.8, label=name)
            axes.plot(
                trained[best],
                values[best],
                "o",
                color=color,
                markeredgecolor="white",
                markersize=7,
                zorder=5,
            )
        axes.set(xlim=(0, None), title=_("Growth of the accuracy (dot: the epoch that was kept)"))
        axes.yaxis.set_major_formatter(PERCENT)
        axes.legend(loc="best")
    return figure


def show_published(
    names: Sequence[str],
    top_1: Sequence[float],
    multiply_adds: Sequence[float],
    filled: Sequence[bool],
) -> Figure:
    """Show published ImageNet accuracies against the number of multiply-adds.

    Args:
        names: The names of m networks.
        top_1: Their top-1 accuracies, as shares.
        multiply_adds: Their multiply-adds, at the input for which each network was made.
        filled: Whether each accuracy was measured on one centre crop; the others are hollow.
    """
    x = np.asarray(multiply_adds, np.float64)
    y = np.asarray(top_1)
    one_crop = np.asarray(filled)
    marks: dict[str, Any] = {"color": BLUE, "markersize": 6.5}
    with new_chart((9.5, 6.6), names) as figure:
        axes = figure.add_subplot(
            ylabel=_("ImageNet top-1 accuracy, as published"),
            title=_("Published accuracy and operations"),
        )
        axes.plot(x[one_crop], y[one_crop], "o", label=_("one centre crop"), **marks)
        if not one_crop.all():
            marks["markerfacecolor"] = "white"
            axes.plot(x[~one_crop], y[~one_crop], "o", label=_("whole image"), **marks)
        _make_logarithmic(axes, x, _("multiply-adds of one image"))
        axes.yaxis.set_major_formatter(PERCENT)
        axes.margins(y=0.07)
        axes.legend(loc="lower right")
        place_labels(figure, axes, x, y, names)
    return figure


def _make_logarithmic(axes: Axes, values: NDArray[np.float64], label: str) -> None:
    """Make the x axis logarithmic, with room for labels at both ends and ticks such as 200 M."""
    ratio = values.max() / values.min()
    room = max(ratio**0.14, 1.6)
    axes.set(xscale="log", xlim=(values.min() / room, values.max() * room), xlabel=label)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio * room**2 < 200 else (1,)))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if value < 1000 else LARGE(value))
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
