import numpy as np
import pytest

from convlens.export.cost import Cost, measure_cost


def rows_of(classes):
    """Return probabilities with which these classes are predicted."""
    return np.eye(3, dtype=np.float32)[classes] * 0.6 + 0.1


def test_what_is_lost_is_counted_on_the_same_images():
    labels = np.zeros(200, np.int64)
    before = labels.copy()
    before[:20] = 1  # 90 % are correct
    after = before.copy()
    after[100:112] = 2  # 12 of them no longer
    after[:2] = 0  # and 2 others now
    cost = measure_cost(rows_of(before), rows_of(after), labels)
    assert (cost.n, cost.before_only, cost.after_only) == (200, 12, 2)
    assert cost.labelled
    assert (cost.before, cost.after) == pytest.approx((0.9, 0.85))
    assert cost.loss == pytest.approx(0.05)
    assert cost.p == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    # by hand: (13 - 3) / 202 and 1.96 * sqrt((16 / 202 - (10 / 202)^2) / 202)
    assert (cost.low, cost.high) == pytest.approx((0.01130, 0.08771), abs=1e-4)
    assert cost.too_much
    assert cost.to_dict()["too_much"] is True
    assert str(cost) == "-5.0 points [-8.8, -1.1], p = 0.013 (McNemar)"


def test_a_gain_is_no_loss():
    labels = np.zeros(200, np.int64)
    before = labels.copy()
    before[:20] = 1
    cost = measure_cost(rows_of(before), rows_of(labels), labels)
    assert cost.loss == pytest.approx(-0.1)
    assert not cost.too_much
    assert str(cost).startswith("+10.0 points [+")


def test_without_labels_each_changed_class_counts():
    before = np.array([0, 1, 2, 0])
    cost = measure_cost(rows_of(before), rows_of([0, 1, 1, 0]), None)
    assert not cost.labelled
    assert (cost.before, cost.after) == (1.0, 0.75)
    assert str(measure_cost(rows_of(before), rows_of(before), None)).startswith("+0.0 points [-")


@pytest.mark.parametrize(
    ("before", "after", "low", "too_much"),
    [
        (0.9, 0.889, 0.001, True),
        (0.9, 0.891, 0.001, False),  # less than a point
        (0.9, 0.8, -0.001, False),  # may be chance
        (0.8, 0.9, -0.15, False),
    ],
)
def test_more_than_a_point_that_is_no_chance_is_too_much(before, after, low, too_much):
    cost = Cost(1000, True, before, after, 20, 10, low, 0.2, 0.01)
    assert cost.too_much is too_much
