"""The networks of the lectures: layers as printed there, activations, initialisers and names."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.zoo.create import create_model
from convlens.zoo.lectures import LECTURES, Conv, Dense, Dropout, Flatten, Pool, stack
from convlens.zoo.registry import model_info


def shapes(model):
    return {layer.name: layer.output.shape[1:] for layer in model.layers}


def test_the_printed_summary_of_lecture_001():
    found = shapes(create_model("mnist_3conv"))
    assert list(found.items())[1:] == [
        ("conv1", (28, 28, 16)),
        ("pool1", (14, 14, 16)),
        ("conv2", (14, 14, 16)),
        ("pool2", (7, 7, 16)),
        ("conv3", (7, 7, 36)),
        ("pool3", (3, 3, 36)),
        ("dropout1", (3, 3, 36)),
        ("flatten", (324,)),
        ("dense1", (128,)),
        ("dropout2", (128,)),
        ("logits", (10,)),
    ]


def test_rows_become_layers_that_are_numbered_by_kind():
    inputs = keras.Input((8, 8, 1))
    rows = (Conv(4, 3), Conv(2, 3, "valid"), Pool(2, "average"), Flatten(), Dense(5), Dropout(0.5))
    model = keras.Model(inputs, stack(inputs, 3, rows, activation="tanh"))
    assert [layer.name for layer in model.layers[1:]] == [
        "conv1", "conv2", "pool1", "flatten", "dense1", "dropout1", "logits",
    ]  # fmt: skip
    assert isinstance(model.get_layer("pool1"), layers.AveragePooling2D)
    assert model.get_layer("pool1").output.shape == (None, 3, 3, 2)
    assert model.get_layer("dense1").activation is keras.activations.tanh
    assert model.get_layer("logits").activation is keras.activations.linear


@pytest.mark.parametrize(
    ("name", "activation", "conv", "dense"),
    [
        ("mnist_4conv", "relu", "GlorotUniform", "GlorotUniform"),
        ("mnist_tanh", "tanh", "GlorotUniform", "RandomNormal"),
        ("lenet_sigmoid", "sigmoid", "RandomUniform", "RandomUniform"),
    ],
)
def test_activations_and_initialisers(name, activation, conv, dense):
    model = create_model(name)
    first = model.get_layer("conv1")
    assert first.activation.__name__ == activation
    assert type(first.kernel_initializer).__name__ == conv
    for layer in ("dense1", "logits"):
        assert type(model.get_layer(layer).kernel_initializer).__name__ == dense


def test_logistic_regression_is_a_weighted_sum():
    model = create_model("logistic")
    image = np.random.default_rng(0).random((1, 28, 28, 1), dtype=np.float32)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model(image), image.reshape(1, -1) @ kernel + bias, rtol=1e-5)


def test_every_row_is_registered_with_its_recipe():
    for name, row in LECTURES.items():
        info = model_info(name)
        assert (info.year, info.num_params) == (2019, row.num_params)
        assert info.summary.startswith("Lecture 00")
        assert "Recipe" in info.builder.__doc__
        assert "esult" in info.builder.__doc__
        assert info.builder.__module__ == "convlens.zoo.lectures"
