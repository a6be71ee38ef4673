"""Lines over epochs and other quantities: each can be seen, also where it lies upon another."""

import io

import pytest

from convlens.charts.curves import show_history, show_lines, show_metrics
from convlens.evaluation.metrics import wilson


def drawn(figure):
    figure.savefig(io.BytesIO(), format="png")
    return figure


def test_any_metrics_over_epochs_a_panel_each():
    history = {
        "loss": [2, 1],
        "accuracy": [0.1, 0.5],
        "val_accuracy": [0.2, 0.4],
        "val_auc": [0.6, 0.7],
    }
    loss, accuracy, auc = drawn(show_metrics(history)).axes
    assert [one.get_title(loc="left") for one in (loss, accuracy, auc)] == [
        "loss",
        "accuracy",
        "auc",
    ]
    assert [line.get_label() for line in accuracy.lines] == ["train", "validation"]
    assert list(accuracy.lines[1].get_xdata()) == [1, 2]
    assert accuracy.yaxis.get_major_formatter()(0.5) == "50 %"
    assert auc.lines[0].get_label() == "validation"


def test_equal_lines_are_told_apart():
    names = ("a", "b", "c", "d", "e")
    axes = drawn(
        show_lines({"": {name: ([1, 2], [3, 3]) for name in names}}, across="x", up="y")
    ).axes[0]
    assert [line.is_dashed() for line in axes.lines] == [False, True, True, True, True]
    assert len({line.get_color() for line in axes.lines}) == 5


def test_scores_are_drawn_with_their_intervals():
    axes = drawn(
        show_lines({"": {"a": ([1, 2], [wilson(5, 10), wilson(8, 10)])}}, across="x", up="y")
    ).axes[0]
    assert list(axes.lines[0].get_ydata()) == [0.5, 0.8]
    assert len(axes.collections) == 1


@pytest.mark.parametrize("place", [0, 1])
def test_training_is_seen_below_an_equal_validation(place):
    rows = [
        {"epoch": e, "loss": 2.3, "val_loss": 2.3, "accuracy": 0.1, "val_accuracy": 0.1}
        for e in (1, 2)
    ]
    train, val = drawn(show_history(rows)).axes[place].lines[:2]
    assert (train.is_dashed(), val.is_dashed()) == (False, True)
