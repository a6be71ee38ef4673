"""Numbers, sums and equations as they are printed."""

from fractions import Fraction

import numpy as np
import pytest

from convlens.explain.arithmetic.writing import (
    decimals_of,
    equation,
    write_number,
    write_numbers,
    write_sum,
    write_terms,
)


def test_numbers():
    assert [write_number(n) for n in (Fraction(7, 9), Fraction(3), 0.5, 1e-9, -0.0)] == [
        "7/9",
        "3",
        "0.5",
        "1e-09",
        "0",
    ]
    assert write_number(Fraction(1, 10**10 + 1)) == "1e-10"
    assert write_numbers([0.5, 1.25, 3.0]) == ["0.50", "1.25", "3.00"]


def test_sums():
    assert write_sum(["-1", "2", "-3"]) == "-1 + 2 - 3"
    assert write_terms(np.array([1.0, -2.0])) == "1 - 2"
    assert write_terms(np.ones(1300)) == "of 1,300 values"


@pytest.mark.parametrize(
    ("values", "decimals"), [([0.0], 3), ([123.0, -4.0], 0), ([0.5], 3), ([1e-20], 12)]
)
def test_decimals_show_the_largest_number(values, decimals):
    assert decimals_of(np.array(values), 2) == decimals


@pytest.mark.parametrize(
    ("text", "result", "sign"),
    [
        ("1/3 × 3", "1", "="),
        ("0.1 + 0.2", "0.3", "="),
        ("0.1 + 0.2", "0.31", "≈"),
        ("1,200 / 2", "600", "="),
        ("max(0, -2)", "0", "="),
        ("-(3 - 1)", "-2", "="),
        ("e^(0)", "1", "="),
        ("e^(1)", "2.718282", "≈"),
        ("1 / 0", "0", "≈"),
        ("of 25 products", "7", "="),
        ("conv at 1, 2", "7", "="),
    ],
)
def test_an_equation_says_whether_its_numbers_are_exact(text, result, sign):
    assert equation(text, result) == f"{text} {sign} {result}"
