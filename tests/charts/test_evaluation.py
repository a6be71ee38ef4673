"""The confusion matrix and the calibration."""

import numpy as np
import pytest

from convlens.charts.evaluation import show_calibration, show_confusion
from convlens.evaluation.evaluate import evaluate
from tests.charts.drawing import drawn, words

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("classes", [2, 14, 26, 27, 100])
def test_confusion_is_drawn_for_any_number_of_classes(classes):
    matrix = RANDOM.poisson(1, (classes, classes)) + 50 * np.eye(classes, dtype=int)
    figure = drawn(show_confusion(matrix, [f"class {i}" for i in range(classes)]))
    numbers = words(figure)
    assert bool(numbers) == (classes <= 26)
    assert any(text.endswith("%") for text in numbers) == (classes <= 14)
    assert 2 <= len(figure.axes[0].get_xticklabels()) <= 34


def test_confusion_writes_the_count_and_the_share_of_the_row():
    figure = show_confusion([[3, 1], [0, 0]], ["a", "b"])
    assert words(figure) == ["3", "75 %", "1", "25 %"]
    assert figure.axes[0].get_ylabel() == "true class"


def test_a_class_name_is_text_and_no_formula():
    figure = drawn(show_confusion(np.eye(2, dtype=int), ["$5", r"$\frac$"]))
    assert figure.axes[0].get_xticklabels()[1].get_text() == r"$\frac$"


@pytest.mark.parametrize("n", [1, 300])
def test_calibration_is_drawn_from_filled_bins(n):
    probabilities = RANDOM.dirichlet([1, 1], n)
    evaluation = evaluate(RANDOM.integers(2, size=n), probabilities, ["a", "b"])
    figure = drawn(show_calibration(evaluation.bins))
    assert len(figure.axes[1].patches) == sum(one.accuracy.n > 0 for one in evaluation.bins)
    (points,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert not points.get_clip_on()  # a point at 100 % is a whole circle
