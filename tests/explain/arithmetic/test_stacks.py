"""Stacks: the one-line notation of layers, LeNet's sizes, and Keras' layers."""

import keras
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.stacks import STACKS, measure, read_layers


def test_deck_002_sizes_of_lenet():
    rows = measure(read_layers(STACKS["lenet"][0]), 32, 1)
    assert [row.shape[0] for row in rows[:4]] == [28, 14, 10, 5]
    assert rows[0].size == "⌊(32 - 5) / 1⌋ + 1 = 28"
    assert sum(row.params.value for row in rows) == 61_706


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
    "text",
    ["conv 3 16 same /2", "pool 3", "pool 3 /2", "depthwise 3 partial", "dense 10", "global"],
)
def test_a_layer_is_written_as_it_is_read(text):
    assert str(read_layers(text)[0]) == text


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
