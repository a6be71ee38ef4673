"""Charts of what was tuned: trials, regularization strengths and learning rates."""

import numpy as np
import pytest

from convlens.charts.tuning import show_learning_rates, show_regularization, show_trials
from convlens.evaluation.metrics import accuracy

STRENGTHS = [1e-3, 1e-2, 1e-1]


def test_a_chart_a_field():
    values = [
        {"filters": "64,128", "learning_rate": 1e-3},
        {"filters": "8,16", "learning_rate": 1e-1},
        {"filters": "64,128", "dropout": 0.2},
    ]
    figure = show_trials(values, [0.5, 0.9, 0.7], [True, True, False])
    trials, filters, rate, dropout = figure.axes
    assert [one.get_xlabel() for one in figure.axes] == [
        "trial",
        "filters",
        "learning_rate",
        "dropout",
    ]
    assert list(trials.lines[0].get_ydata()) == [0.5, 0.9, 0.9]
    assert [text.get_text() for text in filters.get_xticklabels()] == [
        "8,16",
        "64,128",
    ]  # by size, not by letters
    assert [float(line.get_ydata()[0]) for line in filters.lines] == [0.9, 0.6]  # means
    assert rate.get_xscale() == "log"
    assert dropout.get_xscale() == "linear"
    assert len(dropout.collections[0].get_offsets()) == 1
    faces = trials.collections[0].get_facecolors()
    assert tuple(faces[2][:3]) == (1.0, 1.0, 1.0)  # stopped early: hollow
    assert tuple(faces[0][:3]) != (1.0, 1.0, 1.0)
    assert all(float(tick).is_integer() for tick in trials.get_xticks())
    assert trials.get_title(loc="left")
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [
        "trial that ran to its end",
        "stopped early",
        "best so far",
        "mean of one setting",
    ]
    assert figure._repr_png_().startswith(b"\x89PNG")  # a notebook shows it


@pytest.fixture
def figure():
    labels = np.zeros(40, np.int64)
    scores = [accuracy(labels, (np.arange(40) < wrong).astype(np.int64)) for wrong in (20, 4, 8)]
    return show_regularization(STRENGTHS, [0.7, 0.2, 0.3], scores, chosen=0.01)


def test_loss_and_accuracy_over_the_strengths_with_the_chosen_one_marked(figure):
    left, right = figure.axes
    assert left.get_xscale() == right.get_xscale() == "log"
    assert left.lines[0].get_xdata().tolist() == STRENGTHS
    assert left.lines[0].get_ydata().tolist() == [0.7, 0.2, 0.3]
    assert left.get_ylim()[0] == 0
    points = right.containers[0].lines[0]
    assert points.get_ydata().tolist() == [50, 90, 80]
    for axes in (left, right):
        assert any(list(line.get_xdata()) == [0.01, 0.01] for line in axes.lines)
    assert [text.get_text() for text in left.texts] == ["chosen: 0.01"]


def test_whiskers_are_the_intervals(figure):
    (bars,) = figure.axes[1].containers[0].lines[2]
    low, high = bars.get_segments()[1][:, 1]
    assert 75 < low < 80  # Wilson's interval of 36 of 40
    assert 95 < high < 98


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
