"""The chart of a regularisation: how loss and accuracy follow the strength."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from convlens.charts.style import BLUE, GREY, ORANGE, new_chart, whiskers
from convlens.evaluation.scores import Score


def show_regularization(
    strengths: Sequence[float],
    losses: Sequence[float],
    accuracies: Sequence[Score],
    *,
    chosen: float,
) -> Figure:
    """Show the validation log loss and accuracy against the regularisation strength C.

    Args:
        strengths: The values of scikit-learn's C. A small C regularises strongly.
        losses: The validation log loss at each C.
        accuracies: The validation accuracy at each C, with its interval.
        chosen: The C that was chosen, which is marked.
    """
    with new_chart((9, 3.4)) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(strengths, losses, color=BLUE, marker="o")
        left.set(ylabel="validation log loss", ylim=(0, None))
        right.errorbar(
            strengths,
            [100 * score.value for score in accuracies],
            100 * whiskers(accuracies),
            color=ORANGE,
            marker="o",
            capsize=3,
        )
        right.set(ylabel="validation accuracy, %")
        for axes in (left, right):
            axes.set(xscale="log", xlabel="C: strong regularisation left, weak right")
            axes.axvline(chosen, color=GREY, linestyle=":", zorder=0)
        # The label stands on the side of the line that lies within the axes.
        side, offset = ("right", -4) if chosen == max(strengths) else ("left", 4)
        left.annotate(
            f"chosen: {chosen:g}",
            (chosen, 0.04),
            (offset, 0),
            ("data", "axes fraction"),
            "offset points",
            ha=side,
            color=GREY,
            fontsize=8,
        )
    return figure
