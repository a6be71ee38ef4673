"""The chart of a learning-rate range test."""

import pytest

from convlens.charts.learning_rate import show_learning_rates


def test_the_loss_is_drawn_over_the_rate_and_the_suggestion_is_marked():
    figure = show_learning_rates([0.001, 0.01, 0.1], [2.3, 1.5, 9.0], 0.001)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    curve, mark = axes.lines
    assert list(curve.get_xdata()) == [0.001, 0.01, 0.1]
    assert list(curve.get_ydata()) == [2.3, 1.5, 9.0]
    assert list(mark.get_xdata()) == [0.001, 0.001]
    assert [text.get_text() for text in axes.texts] == [" 1.0e-03"]
    assert axes.get_xlabel() == "learning rate"
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("suggestion", [0.00123, 12.0])
def test_the_suggestion_has_two_digits(suggestion):
    figure = show_learning_rates([0.001, 1.0], [1.0, 0.5], suggestion)
    assert figure.axes[0].texts[0].get_text() == f" {suggestion:.1e}"
