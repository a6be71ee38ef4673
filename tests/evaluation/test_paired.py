import numpy as np
import pytest

from convlens.evaluation.paired import Pair, compare_pairs, difference_interval, holm, mcnemar


@pytest.mark.parametrize(
    ("first_only", "second_only", "p"),
    [
        # Fagerland, Lydersen, Laake, 2013: airway hyper-responsiveness of 21 children, 0.070
        (1, 7, 0.0703),
        (7, 1, 0.0703),
        (0, 6, 2 / 2**6),
        (5, 5, 1.0),
        (0, 0, 1.0),  # two classifiers with equal predictions
    ],
)
def test_exact_mcnemar(first_only, second_only, p):
    assert mcnemar(first_only, second_only) == pytest.approx(p, abs=5e-5)


def test_holm_as_published():
    # This is the worked example of Wikipedia's "Holm-Bonferroni method": H4 and H1 are rejected at
    # 0.05.
    corrected = holm([0.01, 0.04, 0.03, 0.005])
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [value <= 0.05 for value in corrected] == [True, False, False, True]


def test_holm_keeps_order_stays_below_one_and_leaves_a_single_test_alone():
    values = np.random.default_rng(0).uniform(high=0.1, size=20)
    corrected = holm(values)
    in_order = [corrected[place] for place in np.argsort(values)]
    assert in_order == sorted(in_order)
    assert len(set(corrected)) > 1
    assert all(value <= one <= 1 for value, one in zip(values, corrected, strict=True))
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_pairs_count_what_only_one_classifies_correctly():
    right = np.zeros((3, 100), bool)
    right[0, :90] = True
    right[1, :60] = True
    right[1, 95:] = True
    right[2] = right[0]
    pairs = compare_pairs(["a", "b", "c"], right)
    assert [(p.first, p.second, p.first_only, p.second_only, p.n) for p in pairs] == [
        ("a", "b", 30, 5, 100), ("a", "c", 0, 0, 100), ("b", "c", 5, 30, 100)
    ]  # fmt: skip
    assert pairs[0].p == pytest.approx(mcnemar(30, 5))
    assert pairs[0].p_corrected == pytest.approx(3 * pairs[0].p)
    assert [p.significant for p in pairs] == [True, False, True]


def test_a_verdict_names_the_better_one_first():
    assert str(Pair("a", "b", 5, 30, 2e-5, 6e-5, 1000)) == (
        "b is better than a (p < 0.0001): only b classifies 30 of 1,000 images correctly, only a 5"
    )
    assert str(Pair("a", "b", 8, 4, 0.388, 0.388, 50)).startswith(
        "a and b cannot be told apart (p = 0.39): only a classifies 8 of 50 images "
    )


@pytest.mark.slow
def test_equal_classifiers_are_called_different_in_one_of_twenty_comparisons_at_most():
    rng = np.random.default_rng(0)
    wrong = sum(
        any(p.significant for p in compare_pairs("abcd", rng.random((4, 200)) < 0.8))
        for _ in range(400)
    )
    assert wrong / 400 < 0.07


def test_the_interval_of_a_difference():
    # The children and the patients of Fagerland, Lydersen and Laake (2014), with their formula.
    assert difference_interval(1, 7, 21) == pytest.approx((-0.508, -0.013), abs=6e-4)
    low, high = difference_interval(6, 16, 161)
    assert (low, high) == pytest.approx((-0.1195, -0.0032), abs=1e-4)
    assert difference_interval(16, 6, 161) == pytest.approx((-high, -low))
    assert difference_interval(0, 0, 1) == pytest.approx((-0.9239, 0.9239), abs=1e-4)


def test_the_interval_holds_the_true_difference_in_19_of_20_cases():
    rng = np.random.default_rng(0)
    for first, second, n in ((0.03, 0.01, 1000), (0.1, 0.1, 100), (0.02, 0.05, 300)):
        counts = rng.multinomial(n, [first, second, 1 - first - second], size=3000)
        ends = np.array([difference_interval(a, b, n) for a, b, _rest in counts])
        inside = (ends[:, 0] <= first - second) & (first - second <= ends[:, 1])
        assert 0.94 < inside.mean() < 0.98
