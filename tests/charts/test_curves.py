"""Lines over epochs and other quantities are all visible, even if one covers another."""

import numpy as np
import pytest

from convlens.charts.curves import show_history, show_lines, show_metrics, show_scores
from convlens.evaluation.metrics import wilson
from tests.charts.drawing import drawn

HISTORY = [
    {
        "epoch": i,
        "loss": 1 / i,
        "accuracy": 1 - 0.5 / i,
        "val_loss": 1.1 / i,
        "val_accuracy": accuracy,
        "learning_rate": 0.1,
    }
    for i, accuracy in ((1, 0.5), (2, 0.8), (3, 0.7))
]


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


def labels_of(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_history_marks_the_best_epoch_by_validation_accuracy_or_as_told():
    assert labels_of(drawn(show_history(HISTORY))) == ["train", "validation", "best epoch: 2"]
    assert labels_of(drawn(show_history(HISTORY, best=3)))[-1] == "best epoch: 3"


def test_history_from_csv_is_the_same(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(
        "\n".join([",".join(HISTORY[0])] + [",".join(map(str, row.values())) for row in HISTORY])
    )
    ours, theirs = show_history(HISTORY), show_history(path)
    for one, other in zip(ours.axes, theirs.axes, strict=True):
        np.testing.assert_array_equal(one.lines[0].get_ydata(), other.lines[0].get_ydata())


def test_a_line_break_in_quotes_is_part_of_its_cell(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text('epoch,note,loss\n1,"worse,\nthen better",2.5\n2,,1.5\n')
    assert show_history(path).axes[0].lines[0].get_ydata().tolist() == [2.5, 1.5]


@pytest.mark.parametrize(
    "rows", [[], HISTORY[:1], [{"epoch": 1, "loss": 2.0, "accuracy": 0.5}] * 2]
)
def test_history_of_no_epoch_one_epoch_and_no_validation(rows):
    drawn(show_history(rows))


def test_scores_have_a_row_each_and_their_intervals():
    scores = {"a": wilson(5, 10), "b": wilson(8, 10)}
    left, right = drawn(show_scores({"one": scores, "two": {"c": wilson(1, 10)}})).axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["a", "b"]
    assert left.get_ylim() == (1.5, -0.5)  # the first score is at the top
    bars = left.containers[1].lines[2][0].get_segments()
    assert bars[0][:, 0] == pytest.approx([scores["b"].low, scores["b"].high])
    assert (right.get_title(loc="left"), right.get_xlabel()) == ("two", "accuracy")


def test_a_logarithmic_axis_and_shares():
    figure = show_lines(
        {"": {"a": ([1, 2], [0.1, 0.01])}}, across="x", up="y", percent=True, log=True
    )
    axes = drawn(figure).axes[0]
    assert (axes.get_yscale(), axes.get_xlabel(), axes.get_ylabel()) == ("log", "x", "y")
    assert axes.yaxis.get_major_formatter()(0.1) == "10 %"


def test_a_name_that_begins_with_an_underscore_is_in_the_legend():
    lines = {"_noise_": ([1, 2], [3, 3]), "yes": ([1, 2], [1, 2])}
    axes = drawn(show_lines({"": lines}, across="x", up="y")).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["_noise_", "yes"]


def test_a_training_of_no_epoch_has_an_empty_chart():
    assert drawn(show_metrics({})).axes == []
