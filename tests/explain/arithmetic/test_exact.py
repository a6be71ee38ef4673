"""Exact numbers: whole numbers and fractions stay exact, and decimal numbers do not."""

from fractions import Fraction

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import as_numbers, read_matrix, read_numbers


def test_whole_numbers_and_fractions_stay_exact_and_decimals_do_not():
    assert read_numbers("1, -2/3").tolist() == [1, Fraction(-2, 3)]
    assert read_numbers("1 0.5").dtype == np.float64
    assert read_matrix("1 2; 3 4 | 0 0; 0 1").shape == (2, 2, 2)


def test_one_float_makes_all_arrays_float():
    exact = as_numbers([1, True], np.array([2], np.uint8))
    assert [array.dtype for array in exact] == [object, object]
    assert as_numbers([1], [0.5])[0].dtype == np.float64


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: as_numbers([[1, 2], [3]]), "every row must have as many numbers as the first"),
        (lambda: as_numbers([1.0, np.inf]), "must be finite; found inf"),
        (lambda: as_numbers(["a"]), "every value must be a number"),
        (lambda: read_numbers(" , ", "--values"), "--values must be numbers .* found none"),
        (lambda: read_numbers("1e101"), "within -1e.100 and 1e.100; found 1e101"),
        (lambda: read_matrix("1 2; 3", "--filter"), "--filter: .* row 2 has 1: '3'"),
        (lambda: read_matrix("1 | 1 2"), "one size; found 1 x 1, 1 x 2"),
    ],
)
def test_what_is_no_number_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()
