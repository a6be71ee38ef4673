"""Words for layers and blocks: what is described together, and how each kind is called."""

import keras
import pytest
from keras import layers, ops

from convlens.anatomy.describe import describe
from convlens.anatomy.stages import divide
from convlens.anatomy.summary import layer_table


def conv(filters, size=3, **options):
    return layers.Conv2D(filters, size, padding="same", **options)


def last_lines(x, inputs):
    return describe(divide(layer_table(keras.Model(inputs, x)))[-1].parts)


def test_modules_of_different_filters_are_described_once_with_their_range():
    x = inputs = keras.Input((8, 8, 3))
    for filters in (16, 24, 20):
        y = conv(8, (1, 7), strides=1)(conv(4, 1)(x))
        x = layers.Concatenate()([conv(filters, 1)(x), layers.ReLU()(y)])
    assert last_lines(x, inputs) == ["3 × branches:", "  1x1 16–24", "  1x1 4, 1x7 8"]


def test_equal_branches_are_described_once_and_how_channels_are_chosen_not_at_all():
    inputs = keras.Input((8, 8, 4))
    towers = layers.Concatenate()([conv(6)(part) for part in ops.split(inputs, 2, axis=-1)])
    assert last_lines(towers, inputs) == ["branches:", "  2 × 3x3 6"]
    chosen = layers.Concatenate()(
        [conv(1)(inputs[..., :2]), conv(1)(ops.take(inputs, [0, 3], -1)), conv(1, 1)(inputs)]
    )
    assert last_lines(chosen, inputs) == ["branches:", "  2 × 3x3 1", "  1x1 1"]


def test_layers_of_different_filters_are_described_each():
    inputs = keras.Input((8, 8, 3))
    x = conv(8, groups=1)(conv(8)(conv(4)(inputs)))
    assert last_lines(x, inputs) == ["conv 3x3 4", "2 × conv 3x3 8"]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (conv(8, groups=2), "grouped 3x3 8"),
        (conv(4, 7, groups=4), "depthwise 7x7"),
        (layers.DepthwiseConv2D((3, 1), padding="same"), "depthwise 3x1"),
        (layers.SeparableConv2D(8, 3, strides=2), "separable 3x3 8 /2"),
        (conv(8, 5, strides=(2, 1)), "conv 5x5 8 /2x1"),
        (layers.UpSampling2D(2), "upsampling2d"),
        (layers.Conv2DTranspose(2, 2, 2), "transposed 2x2 2 /2"),
        (layers.GlobalMaxPooling2D(), "global max"),
    ],
)
def test_words_for_layers(layer, words):
    inputs = keras.Input((8, 8, 4))
    assert last_lines(layer(inputs), inputs) == [words]


def residual(x, filters, strides=1):
    y = conv(filters)(layers.ReLU()(layers.BatchNormalization()(conv(filters, strides=strides)(x))))
    way = x if strides == 1 else layers.BatchNormalization()(conv(filters, 1, strides=strides)(x))
    return layers.ReLU()(layers.Add()([y, way]))


def test_residual_blocks_with_and_without_a_layer_beside():
    inputs = keras.Input((8, 8, 4))
    x = residual(residual(residual(inputs, 8, 2), 8), 8)
    assert last_lines(x, inputs) == ["3 × residual:", "  3x3 8, 3x3 8", "  shortcut 1x1 in 1 of 3"]
    assert last_lines(residual(inputs, 8, 2), inputs)[-1] == "  shortcut 1x1"


def test_gates_and_normalisations_by_hand():
    inputs = keras.Input((8, 8, 4))
    gate = layers.Dense(4, "sigmoid")(
        layers.Dense(2, "relu")(layers.GlobalAveragePooling2D(keepdims=True)(inputs))
    )
    assert last_lines(layers.Multiply()([inputs, gate]), inputs) == ["squeeze-excite"]
    inside = layers.Add()([inputs, conv(4)(layers.Multiply()([inputs, gate]))])
    assert last_lines(inside, inputs) == ["residual:", "  squeeze-excite, 3x3 4"]
    norm = ops.mean(ops.square(inputs), axis=-1, keepdims=True)
    assert last_lines(inputs / ops.sqrt(norm), inputs) == ["normalisation"]
    assert last_lines(layers.Multiply()([inputs, conv(4)(inputs)]), inputs) == ["gate"]
    assert last_lines(layers.Average()([conv(4)(inputs), conv(4, 1)(inputs)]), inputs) == [
        "branches:",
        "  3x3 4",
        "  1x1 4",
    ]
