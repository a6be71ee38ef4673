"""Strengths: how validation loss and accuracy follow the regularisation of a head. Part of `convlens.plots`."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from convlens.charts.style import BLUE, GREY, ORANGE, Chart, style
from convlens.evaluation.scores import Score


def show_regularization(
    strengths: Sequence[float],
    losses: Sequence[float],
    accuracies: Sequence[Score],
    *,
    chosen: float,
) -> Figure:
    """Show log loss and accuracy on the validation images against the strength C, with the chosen one marked.

    Args:
        strengths: scikit-learn's C; small ones regularise strongly.
        losses: log loss of each.
        accuracies: of each, with its interval.
        chosen: one of the strengths.
    """
    values = [100 * score.value for score in accuracies]
    ends = [
        [100 * (s.value - s.low) for s in accuracies],
        [100 * (s.high - s.value) for s in accuracies],
    ]
    with style():
        figure = Chart(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(strengths, losses, color=BLUE, marker="o")
        left.set_ylabel("validation log loss")
        left.set_ylim(0)
        right.errorbar(strengths, values, ends, color=ORANGE, marker="o", capsize=3)
        right.set_ylabel("validation accuracy, %")
        for axes in (left, right):
            axes.set_xscale("log")
            axes.axvline(chosen, color=GREY, linestyle=":", zorder=0)
            axes.set_xlabel("C: strong regularisation left, weak right")
        side, away = ("right", -4) if chosen == max(strengths) else ("left", 4)  # within the axes
        left.annotate(f"chosen: {chosen:g}", (chosen, 0.04), (away, 0), ("data", "axes fraction"), "offset points",
                      ha=side, color=GREY, fontsize=8)  # fmt: skip
    return figure
