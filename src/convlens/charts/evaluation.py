"""Charts of an evaluation: the confusion matrix and the calibration."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from convlens.charts.fonts import drawable
from convlens.charts.style import (
    BLUE,
    GREY,
    INK,
    PERCENT,
    RED,
    new_chart,
    shorten,
    whiskers,
    width,
)
from convlens.evaluation.scores import Bin
from convlens.language import _

NUMBERS_UP_TO = 26  # with more classes, the cells of a confusion matrix have no room for a number
SHARES_UP_TO = 14  # with more classes, they have no room for the share of the row
LABELS_UP_TO = 34  # how many labels have room along one side


def show_confusion(matrix: NDArray[np.integer], class_names: Sequence[str]) -> Figure:
    """Show a confusion matrix: the counts, and their share of the row.

    Correct predictions are blue and mistakes are red. The colours deepen with the share, and those
    of mistakes faster, so that a rare mistake is visible. With many classes the numbers are left
    out first, and then some of the labels.

    Args:
        matrix: (num_classes, num_classes) counts; the rows are the true classes.
        class_names: The names of the classes.
    """
    matrix = np.asarray(matrix)
    count = len(matrix)
    names = [shorten(name, 20) for name in drawable(class_names)]
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    blues = colors.LinearSegmentedColormap.from_list("correct", ["#F7F9FB", "#8CBFDF", BLUE])
    reds = colors.LinearSegmentedColormap.from_list("wrong", ["#FAFAFA", "#F3B295", RED])
    painted = np.where(np.eye(count, dtype=bool)[..., None], blues(shares), reds(shares**0.4))
    side = float(np.clip(0.62 * count, 2.6, 8.2))
    size = 9 if count <= NUMBERS_UP_TO else 7
    shown = range(0, count, -(-count // LABELS_UP_TO))
    labels = [names[i] for i in shown]
    are_narrow = max(map(width, names)) * size < 137 * side / count
    with new_chart((side + 1.4, side + 1.0), names) as figure:
        axes = figure.add_subplot(xlabel=_("predicted class"), ylabel=_("true class"))
        axes.imshow(painted, interpolation="nearest")
        axes.set_xticks(shown, labels, rotation=0 if are_narrow else 90, fontsize=size)
        axes.set_yticks(shown, labels, fontsize=size)
        axes.tick_params(length=0, labelcolor=INK)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        if count <= NUMBERS_UP_TO:
            edges = np.arange(count + 1) - 0.5
            axes.set_xticks(edges, minor=True)
            axes.set_yticks(edges, minor=True)
            axes.grid(True, which="minor", color="white", linewidth=1.5)
            axes.tick_params(which="minor", length=0)
            _write_cells(axes, matrix, shares, painted, np.clip(20 * side / count, 5.5, 13))
    return figure


def _write_cells(
    axes: Axes,
    matrix: NDArray[np.integer],
    shares: NDArray[np.floating],
    painted: NDArray[np.floating],
    size: float,
) -> None:
    for row, column in np.argwhere(matrix):
        color = "white" if painted[row, column, :3].mean() < 0.6 else INK
        count = f"{matrix[row, column]:,}"
        lines = [(count, size, 0.0)]
        if len(matrix) <= SHARES_UP_TO:
            share = f"{100 * shares[row, column]:.1f}".removesuffix(".0")
            lines = [(count, size, 0.3), (f"{share} %", 0.7 * size, -0.85)]
        for text, height, offset in lines:
            axes.annotate(
                text,
                (column, row),
                xytext=(0, offset * size),
                textcoords="offset points",
                ha="center",
                va="center",
                color=color,
                fontsize=height,
                in_layout=False,  # it lies within the axes
            )


def show_calibration(bins: Sequence[Bin]) -> Figure:
    """Show the accuracy against the confidence, and how many images have each confidence.

    On the dashed line a classifier is correct as often as its confidence says. Below the line it is
    overconfident. The bars are 95 % intervals.

    Args:
        bins: See `convlens.metrics.calibration_bins`.
    """
    filled = [one for one in bins if one.accuracy.n]
    accuracies = [one.accuracy for one in filled]
    with new_chart((5, 5.6)) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=(0, (4, 3)))
        upper.text(
            0.08,
            0.06,
            _("accuracy equals confidence"),
            color=GREY,
            fontsize=9,
            rotation=45,
            rotation_mode="anchor",
            va="top",
            transform_rotates_text=True,
        )
        upper.errorbar(
            [one.confidence for one in filled],
            [score.value for score in accuracies],
            whiskers(accuracies),
            color=BLUE,
            marker="o",
            markersize=6,
            linestyle="none",
            elinewidth=1.3,
            clip_on=False,  # a point at 100 % is a whole circle
            zorder=3,
        )
        upper.set(
            ylabel=_("accuracy"),
            xlim=(0, 1.01),
            ylim=(0, 1.01),
            title=_("Accuracy at each confidence"),
        )
        lower.bar(
            [(one.low + one.high) / 2 for one in filled],
            [score.n for score in accuracies],
            width=0.86 * (bins[0].high - bins[0].low),
            color=BLUE,
            alpha=0.55,
        )
        lower.set(xlabel=_("confidence"), ylabel=_("images"))
        lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        lower.grid(False, axis="x")
        upper.yaxis.set_major_formatter(PERCENT)
        lower.xaxis.set_major_formatter(PERCENT)
    return figure
