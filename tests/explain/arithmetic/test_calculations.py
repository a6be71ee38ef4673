"""Weighted sums and normalisations: exact, rounded, and the steps that are printed."""

from fractions import Fraction

import numpy as np

from convlens.explain.arithmetic.calculations import Normalization, WeightedSum
from convlens.explain.arithmetic.exact import as_numbers
from convlens.explain.arithmetic.writing import Step


def test_exact_numbers_stay_exact():
    numbers, weights = as_numbers([1, 2, 3], [Fraction(1, 3), 1, -1])
    done = WeightedSum(numbers, weights, Fraction(1, 2), divisor=3)
    assert done.products.tolist() == [Fraction(1, 3), 2, -3]
    assert (done.total, done.unbiased, done.value) == (
        Fraction(-2, 3),
        Fraction(-2, 9),
        Fraction(5, 18),
    )


def test_products_are_rounded_and_the_rest_is_added():
    done = WeightedSum(
        np.array([0.5, 0.25]),
        np.array([0.3, 0.3]),
        0.1,
        rest=0.5,
        rounded=lambda values: np.round(values, 1),
    )
    assert done.products.tolist() == [0.2, 0.1]
    np.testing.assert_allclose(done.value, 0.2 + 0.1 + 0.5 + 0.1)


def test_the_steps_write_few_terms_out_and_count_many():
    few = WeightedSum(np.array([1.0, 2.0]), np.array([0.5, -1.0]), -0.25).steps()
    assert [(step.name, step.text, step.value) for step in few] == [
        ("sum", "0.5 - 2", -1.5),
        ("bias", "-1.5 - 0.25", -1.75),
    ]
    many = WeightedSum(np.ones(13), np.ones(13)).steps("pointwise")
    assert [(step.name, step.text, step.value) for step in many] == [
        ("pointwise", "of 13 products", 13.0)
    ]
    mean = WeightedSum(np.ones(4), np.ones(4), divisor=4).steps(mean=True)
    assert [step.text for step in mean] == ["1 + 1 + 1 + 1", "4 / 4"]


def test_the_products_of_a_patch_are_written_channel_by_channel():
    patch = np.arange(8.0).reshape(2, 2, 2)
    assert (
        WeightedSum(patch, np.ones_like(patch)).steps()[0].text == "0 + 2 + 4 + 6 + 1 + 3 + 5 + 7"
    )


def test_the_steps_of_one_number():
    done = Normalization(5.0, 1.0, 3.0, 1.0, 0.5, -2.0)
    steps = done.steps(Step("mean", "as trained", 1.0))
    assert [(step.text, step.value) for step in steps[1:]] == [
        ("5 - 1", 4.0),
        ("√(3 + 1)", 2.0),
        ("4 / 2", 2.0),
        ("0.5 × 2 - 2", -1.0),
    ]
    assert Normalization(1.0, 0.0, 4.0).steps(steps[0])[2].text == "√4"


def test_every_result_is_rounded_where_asked_for():
    done = Normalization(1.0, 0.26, 2.0, 0.0, 1.0, 0.0, rounded=lambda value: np.round(value, 1))
    assert (done.centred, done.deviation, done.normalized) == (0.7, 1.4, 0.5)
