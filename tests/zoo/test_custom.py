"""custom_cnn: each field of the configuration is seen in the network."""

import keras
import pytest

from convlens.config import ModelConfig
from convlens.errors import ModelError
from convlens.zoo.create import create_model


def custom(shape=(32, 32, 3), num_classes=10, **fields):
    return create_model(
        "custom_cnn",
        input_shape=shape,
        num_classes=num_classes,
        config=ModelConfig("custom_cnn", **fields),
    )


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_the_table_of_mnist_2conv():
    config = {"filters": (16, 36), "kernel_size": 5, "dropout": 0.0, "dense": (128,)}
    assert custom((28, 28, 1), **config).count_params() == 242_062  # lecture 001


def test_the_table_of_mnist_4conv():
    config = {"filters": (32, 64), "convs_per_block": 2, "dense": (512,)}
    model = custom((28, 28, 1), **config)
    assert model.count_params() == 1_676_266  # lecture 000
    assert kinds(model).count("Dropout") == 3


def test_pools_of_step_1():  # the sketch of lecture 004's homework
    model = custom(filters=(8,), pool_size=2, pool_strides=1)
    assert model.get_layer("block1_pool").output.shape == (None, 31, 31, 8)


def test_every_field_arrives():
    model = custom(
        filters=(5,),
        kernel_size=3,
        strides=2,
        padding="valid",
        pooling="average",
        pool_size=3,
        dense=(7, 6),
        dropout=0.1,
        activation="tanh",
        initializer="he_normal",
    )
    conv = model.get_layer("block1_conv1")
    assert (conv.filters, conv.strides, conv.padding, conv.activation.__name__) == (
        5,
        (2, 2),
        "valid",
        "tanh",
    )
    assert all(
        isinstance(layer.kernel_initializer, keras.initializers.HeNormal)
        for layer in model.layers
        if "Dense" in type(layer).__name__
    )
    assert isinstance(model.get_layer("block1_pool"), keras.layers.AveragePooling2D)
    assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [
        7,
        6,
        10,
    ]
    assert model.get_layer("flatten").output.shape == (None, 5 * 5 * 5)  # 32 -> 15 -> 5
    assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {
        0.1
    }


def test_without_pooling_and_dropout():
    model = custom((9, 9, 1), filters=(4, 4), pooling="none", dropout=0.0, dense=())
    assert kinds(model) == ["InputLayer", "Conv2D", "Conv2D", "Flatten", "Dense"]


def test_too_small_says_the_least():
    with pytest.raises(
        ModelError, match="custom_cnn needs images of at least 8 x 8 pixels; found 7 x 7"
    ):
        custom((7, 7, 1))
    with pytest.raises(ModelError, match="at least 16 x 16 pixels; found 8 x 8"):
        custom((8, 8, 1), filters=(1, 1, 1, 1))
