"""Units: what is black and white in images of 16 and 32 bits."""

import numpy as np
import pytest

from convlens.unit import Values, choose_unit, convert_bytes, joined, to_bytes, values_of


@pytest.mark.parametrize(
    ("low", "high", "whole", "unit"),
    [
        (0, 255, True, (0, 255)),
        (3, 1020, True, (0, 1023)),
        (0, 4095, True, (0, 4095)),
        (12, 16_000, True, (0, 16383)),
        (0, 60_000, True, (0, 65535)),
        (0, 80_000, True, (0, 80_000)),
        (0, 1, True, (0, 1)),  # black and white
        (0, 12, True, (0, 12)),  # 13 levels; of 255 they would all be black
        (-1024, 3071, True, (-1024, 3071)),  # Hounsfield units
        (-128, 127, True, (-128, 127)),
        (0.0, 1.0, False, (0, 1)),
        (-0.03, 1.004, False, (0, 1)),  # as resampling overshoots
        (-0.2, 1.2, False, (0, 1)),
        (0.0, 1.5, False, (0, 1.5)),  # of 255 it would be black
        (-4.1, 258.3, False, (0, 255)),
        (0.1, 65_535.5, False, (0, 65535)),
        (0.5, 1e6, False, (0, 1e6)),
        (0.0, 0.01, False, (0, 0.01)),
        (-1.0, 1.0, False, (-1, 1)),
        (-0.99, 0.97, False, (-1, 1)),
        (-2.1, 2.6, False, (-2.1, 2.6)),  # standardised
        (-0.01, 0.01, False, (-0.01, 0.01)),
        (273.2, 310.6, False, (273.2, 310.6)),  # temperatures in kelvin
    ],
)
def test_the_unit_follows_from_the_smallest_and_largest_value(low, high, whole, unit):
    assert choose_unit(Values(low, high, whole)) == unit


@pytest.mark.parametrize("value", [0, 200, 5000, -3, 0.5])
def test_equal_values_have_a_unit_too(value):
    found = values_of(np.full((2, 2), value))
    black, white = choose_unit(found)
    assert black < white


def test_values_of_several_images():
    dark = values_of(np.array([[0.25, np.nan], [np.inf, 0.5]], np.float32))
    bright = values_of(np.array([[7, 1000]], np.uint16))
    assert dark == (0.25, 0.5, False, 1)
    assert bright == (7, 1000, True, 1)
    assert joined([dark, None, bright]) == (0.25, 1000, False, 2)
    assert joined([None]) is None
    assert values_of(np.full((2, 2), np.nan)) is None
    assert values_of(np.array([[0.0, 255.0]])).whole


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("dtype", [np.uint16, ">u2", np.int32, np.float32])
def test_whole_numbers_keep_their_upper_eight_bits(bits, dtype):
    levels = np.arange(256)
    values = (levels << (bits - 8)).astype(dtype)
    values[-1] = 2**bits - 1
    found = to_bytes(values, (0, 2**bits - 1))
    np.testing.assert_allclose(found.astype(int), levels, atol=1 if dtype is np.float32 else 0)


def test_floats_are_rounded_and_values_outside_are_cut_off():
    values = np.array([-5, 0, 0.5, 1, 1.3, np.nan, np.inf, -np.inf])
    assert to_bytes(values, (0, 1)).tolist() == [0, 0, 128, 255, 255, 0, 255, 0]
    assert to_bytes(np.array([-1.0, 0, 1]), (-1, 1)).tolist() == [0, 128, 255]
    assert to_bytes(np.array([-1024, -1025, 3071, 3072]), (-1024, 3071)).tolist() == [
        0,
        0,
        255,
        255,
    ]
    assert to_bytes(np.array([False, True]), (0, 1)).tolist() == [0, 255]


def test_bytes_are_brought_to_another_unit():
    table = convert_bytes((0, 255), (0, 1023))
    assert table[[0, 4, 255]].tolist() == [0, 1, 64]
    assert convert_bytes((0, 4095), (0, 1023))[[0, 10, 255]].tolist() == [0, 40, 255]
    np.testing.assert_array_equal(convert_bytes((0, 1), (0, 1)), np.arange(256))
