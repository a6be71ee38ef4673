"""Sizes and parameters: the decks' numbers by formula, Keras' counts, and the one-line notation of layers."""

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
from convlens.explain.arithmetic.stacks import STACKS, measure, read_layers


def test_deck_002_sizes_of_lenet():
    rows = measure(read_layers(STACKS["lenet"][0]), 32, 1)
    assert [row.shape[0] for row in rows[:4]] == [28, 14, 10, 5]
    assert rows[0].size == "⌊(32 - 5) / 1⌋ + 1 = 28"
    assert sum(row.params.value for row in rows) == 61_706
    assert lay_windows(5, 3, 1, "valid").count == 3


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
    assert conv_params(3, 32, 64).value == 18_496  # 002 writes 32*(24*24)+64
    counts = [
        conv_params(3, before, after).value for before, after in ((3, 32), (32, 64), (64, 128))
    ]
    assert sum(counts) == 93_248  # 004 writes 93,221


@pytest.mark.parametrize("bias", [True, False])
def test_counts_equal_keras(bias):
    cases = [
        (keras.layers.Conv2D(6, (3, 2), use_bias=bias), conv_params((3, 2), 4, 6, bias=bias)),
        (keras.layers.Conv2D(6, 3, groups=2, use_bias=bias), conv_params(3, 4, 6, bias=bias, groups=2)),
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


def test_a_stack_equals_keras_layer_by_layer():
    rows = measure(
        read_layers("conv 3 8 same /2; batchnorm; depthwise 3; separable 3 5; pool 2; global"),
        33,
        3,
    )
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((33, 33, 3)), layers.Conv2D(8, 3, 2, "same"), layers.BatchNormalization(),
        layers.DepthwiseConv2D(3), layers.SeparableConv2D(5, 3), layers.MaxPooling2D(2),
        layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    for row, layer in zip(rows, model.layers, strict=True):
        assert (row.shape, row.params.value) == (layer.output.shape[1:], layer.count_params())
    assert [row.field for row in rows] == [3, 3, 7, 11, 13, None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("conv 3", "must be written as"),
        ("conf 3 4", "found 'conf 3 4'"),
        ("", "must be written as"),
        ("conv 0 4", "at least 1"),
        ("flatten /2", "neither padding nor strides"),
        ("dense 10", "flatten first"),
        ("flatten; conv 3 4", "takes maps, not a row"),
        ("conv 40 2", "must fit"),
        ("pool 2 /0", "strides must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        measure(read_layers(text), 32, 1)
