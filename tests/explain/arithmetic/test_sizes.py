"""Sizes and parameters: the numbers of the lectures by formula, and Keras' counts."""

import keras
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.sizes import (
    batchnorm_params,
    conv_params,
    dense_params,
    depthwise_params,
    lay_windows,
    receptive_field,
    separable_params,
)


def test_deck_004_two_threes_against_a_five():
    assert str(conv_params(5, 1, 1, bias=False)) == "5 × 5 × 1 × 1 = 25"
    assert 2 * conv_params(3, 1, 1, bias=False).value == 18
    assert receptive_field([(3, 1), (3, 1)])[-1].field == receptive_field([(5, 1)])[-1].field == 5


def test_deck_004_standard_against_depthwise_separable():
    assert conv_params(3, 3, 2, bias=False).value == 54
    assert depthwise_params(3, 3, bias=False).value == 27
    assert conv_params(1, 3, 2, bias=False).value == 6
    assert str(separable_params(3, 3, 2, bias=False)) == "3 × 3 × 3 + 3 × 2 = 33"


def test_the_decks_slips_counted_rightly():
    # Lecture 002 writes 32*(24*24)+64.
    assert conv_params(3, 32, 64).value == 18_496
    counts = [
        conv_params(3, before, after).value for before, after in ((3, 32), (32, 64), (64, 128))
    ]
    # Lecture 004 writes 93,221.
    assert sum(counts) == 93_248


@pytest.mark.parametrize("bias", [True, False])
def test_counts_equal_keras(bias):
    cases = [
        (keras.layers.Conv2D(6, (3, 2), use_bias=bias), conv_params((3, 2), 4, 6, bias=bias)),
        (keras.layers.Conv2D(6, 3, groups=2, use_bias=bias),
         conv_params(3, 4, 6, bias=bias, groups=2)),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=bias),
         depthwise_params(3, 4, multiplier=2, bias=bias)),
        (keras.layers.SeparableConv2D(6, 3, use_bias=bias), separable_params(3, 4, 6, bias=bias)),
        (keras.layers.BatchNormalization(), batchnorm_params(4)),
    ]  # fmt: skip
    for layer, count in cases:
        layer.build((None, 9, 9, 4))
        assert layer.count_params() == count.value
    layer = keras.layers.Dense(5, use_bias=bias)
    layer.build((None, 7))
    assert layer.count_params() == dense_params(7, 5, bias=bias).value


@pytest.mark.parametrize(
    ("arguments", "count", "before", "after"),
    [
        ((5, 3, 1, "valid"), 3, 0, 0),
        ((5, 2, 1, "same"), 5, 0, 1),
        ((8, 3, 2, "same"), 4, 0, 1),
        ((7, 2, 2, "partial"), 4, 0, 0),
        ((9, 3, 1, "same", 2), 9, 2, 2),
    ],
)
def test_windows_along_a_side(arguments, count, before, after):
    side = lay_windows(*arguments)
    assert (side.count, side.before, side.after) == (count, before, after)


def test_the_cells_of_a_dilated_window():
    side = lay_windows(9, 3, 2, "same", 2)
    assert side.span(1) == (0, 5)
    assert list(side.cells(1)) == [0, 2, 4]
    assert side.span_inside(0) == (0, 3)
    assert list(side.cells_below(2)) == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, 0, 1, "valid"), "the window's size must be at least 1; found 0"),
        ((5, 2, 0, "valid"), "strides must be at least 1; found 0"),
        ((5, 2, 1, "full"), "found 'full'"),
        ((5, 6, 1, "valid"), "a window of 6 must fit into the image's side of 5"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        lay_windows(*arguments)
