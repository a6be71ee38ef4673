"""Accuracy against its cost, and its growth."""

import numpy as np

from convlens.charts.comparison import show_growth, show_published, show_tradeoff
from convlens.evaluation.metrics import wilson
from convlens.zoo.published import ONE_CROP, PUBLISHED
from tests.charts.drawing import drawn
from tests.charts.test_labels import boxes, inside, overlaps


def test_accuracy_against_two_costs_with_intervals():
    scores = [wilson(right, 400) for right in (340, 300, 345)]
    costs = {"multiply-adds": [40e6, 190e6, 45e6], "milliseconds": [9.0, 6.0, 3.1]}
    figure = drawn(show_tradeoff(["a", "b", "c"], scores, costs))
    assert [axes.get_xlabel() for axes in figure.axes] == list(costs)
    assert all(axes.get_xscale() == "log" for axes in figure.axes)
    for axes, cost in zip(figure.axes, costs.values(), strict=True):
        assert list(boxes(axes)) == ["a", "b", "c"]
        line = axes.lines[0]
        assert np.allclose(line.get_xdata(), cost)
        assert np.allclose(line.get_ydata(), [score.value for score in scores])
        bars = axes.collections[0].get_segments()
        assert np.allclose(
            [bar[:, 1] for bar in bars], [(score.low, score.high) for score in scores]
        )


def test_names_of_other_scripts_and_signs_are_drawn():
    drawn(show_tradeoff(["我的網路", "$a_b$"], [wilson(1, 2), wilson(2, 2)], {"cost": [1.0, 2.0]}))


def test_published_figures_have_labels_that_do_not_overlap_and_hollow_marks_where_not_one_crop():
    names = list(PUBLISHED)
    operations = np.geomspace(50e6, 20e9, len(names))
    one_crop = [PUBLISHED[name].evaluated == ONE_CROP for name in names]
    figure = drawn(
        show_published(names, [PUBLISHED[name].top_1 for name in names], operations, one_crop)
    )
    axes = figure.axes[0]
    assert overlaps(axes) == []
    assert inside(axes)
    filled, hollow = axes.lines[:2]
    assert (len(filled.get_xdata()), len(hollow.get_xdata())) == (
        one_crop.count(True),
        one_crop.count(False),
    )
    assert hollow.get_markerfacecolor() == "white"


def test_growth_marks_the_epoch_that_was_kept():
    histories = [
        [
            {"seconds": 2.0, "val_accuracy": accuracy, "val_loss": loss}
            for accuracy, loss in ((0.5, 1.0), (0.9, 0.4), (0.9, 0.3), (0.8, 0.2))
        ],
        [{"seconds": 1.5, "val_accuracy": 0.3, "val_loss": 2.0}],
    ]
    axes = drawn(show_growth(["a", "b"], histories)).axes[0]
    curve, dot = axes.lines[:2]
    assert list(curve.get_xdata()) == [2, 4, 6, 8]
    # Of equal accuracies the one with the lower loss is kept, as in `fit`.
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (6, 0.9)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
