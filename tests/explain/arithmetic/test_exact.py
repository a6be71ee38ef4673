"""Exact numbers, cells of an image below a window, and places that are not there."""

from fractions import Fraction

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import as_image, as_numbers, check_place, take_cells


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
    ],
)
def test_what_is_no_number_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()


def test_cells_outside_of_the_image_are_zero():
    (image,) = as_numbers([[1, 2], [3, 4]])
    cells = take_cells(image[..., None], range(-1, 2), range(1, 3))
    assert cells[..., 0].tolist() == [[0, 0], [2, 0], [4, 0]]
    assert all(isinstance(one, Fraction) for one in cells.flat)


def test_gaps_of_a_dilated_window_are_left_out():
    image = np.arange(25.0).reshape(5, 5, 1)
    assert take_cells(image, range(0, 5, 2), [1])[..., 0].tolist() == [[1], [11], [21]]


def test_an_image_may_come_without_channels():
    assert as_image(np.ones((2, 3))).shape == (2, 3, 1)
    for shape in ((2,), (2, 0), (1, 2, 2, 1)):
        with pytest.raises(ConfigError, match="an image must be"):
            as_image(np.ones(shape))


@pytest.mark.parametrize(
    ("place", "words"),
    [((2, 0), "row 2 is outside: take 0 to 1"), ((0, -1), "column -1 is outside: take 0 to 2")],
)
def test_a_place_that_is_not_there_is_named(place, words):
    check_place((1, 2), (2, 3), ("row", "column"), "the map")
    with pytest.raises(ConfigError, match=f"the map has 2 x 3 values, counted from 0; {words}"):
        check_place(place, (2, 3), ("row", "column"), "the map")
