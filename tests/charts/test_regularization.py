import numpy as np
import pytest

from convlens.charts.regularization import show_regularization
from convlens.evaluation.metrics import accuracy

STRENGTHS = [1e-3, 1e-2, 1e-1]


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
