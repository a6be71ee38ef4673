"""Sizes and parameters: the numbers of the lectures by formula, and Keras' counts."""

import keras
import pytest

from convlens.explain.arithmetic.sizes import (
    batchnorm_params,
    conv_params,
    dense_params,
    depthwise_params,
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
