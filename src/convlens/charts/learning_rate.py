"""The chart of a learning-rate range test."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from convlens.charts.style import BLUE, GREY, new_chart


def show_learning_rates(
    rates: Sequence[float], losses: Sequence[float], suggestion: float
) -> Figure:
    """Show the training loss against the learning rate, with the suggested rate marked.

    Args:
        rates: The learning rates, in rising order.
        losses: The smoothed training loss at each rate.
        suggestion: The rate to train with.
    """
    with new_chart((7, 4)) as figure:
        axes = figure.add_subplot(
            xscale="log", xlabel="learning rate", ylabel="training loss, smoothed"
        )
        axes.plot(rates, losses, color=BLUE)
        axes.axvline(suggestion, linestyle="--", color=GREY, linewidth=1.2)
        axes.text(
            suggestion, axes.get_ylim()[1], f" {suggestion:.1e}", va="top", color=GREY, fontsize=9
        )
    return figure
