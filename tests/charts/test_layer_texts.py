"""What is written on a layer."""

import keras
import pytest
from keras import layers

from convlens.anatomy.summary import layer_table
from convlens.charts.layer_texts import activation_of, layer_detail, layer_title, params_text


def row(layer, shape=(8, 8, 4)):
    inputs = keras.Input(shape)
    return layer_table(keras.Model(inputs, layer(inputs)))[-1]


@pytest.mark.parametrize(
    ("layer", "title", "detail", "params"),
    [
        (layers.Conv2D(16, (3, 5)), "conv 3×5", "16 filters", "976 parameters"),
        (layers.Conv2D(1, 1, strides=(2, 1), use_bias=False), "conv 1×1", "1 filter, strides 2×1",
         "4 parameters"),
        (layers.Conv2D(4, 3, groups=4), "depthwise conv 3×3", "4 filters", "40 parameters"),
        (layers.DepthwiseConv2D(3, strides=2), "depthwise conv 3×3", "strides 2", "40 parameters"),
        (layers.SeparableConv2D(6, 3), "separable conv 3×3", "6 filters", "66 parameters"),
        (layers.MaxPooling2D(2), "max pooling 2×2", "strides 2", ""),
        (layers.AveragePooling2D(3, 1), "average pooling 3×3", "strides 1", ""),
        (layers.GlobalAveragePooling2D(), "global average pooling", "", ""),
        (layers.Dense(5), "dense", "5 units", "25 parameters"),
        (layers.BatchNormalization(), "batch normalization", "", "16 parameters"),
        (layers.Conv2D(2048, 64, padding="same"), "conv 64×64", "2048 filters",
         "33.6 M parameters"),
        (layers.ReLU(), "ReLU", "", ""),
    ],
)  # fmt: skip
def test_texts(layer, title, detail, params):
    found = row(layer)
    assert (layer_title(found), layer_detail(found), params_text(found)) == (title, detail, params)


def test_activations():
    assert activation_of(layers.Conv2D(3, 3, activation="relu")) == "ReLU"
    assert activation_of(layers.Activation("softmax")) == "softmax"
    assert activation_of(layers.MaxPooling2D(2)) == activation_of(layers.Dense(3)) == ""
