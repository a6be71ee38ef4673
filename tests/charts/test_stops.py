"""The layers that an image passes, and what they give."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.charts.stops import find_stops
from convlens.errors import ConfigError
from convlens.zoo.create import create_model

IMAGE = np.random.default_rng(0).random((8, 8, 1), np.float32)


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, padding="same", name="conv"),
            layers.BatchNormalization(),
            layers.ReLU(name="relu"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Dropout(0.5),
            layers.Flatten(name="flatten"),
            layers.Dense(2, "softmax", name="dense"),
        ]
    )


def test_values_are_those_of_the_network(network):
    stops = find_stops(network, IMAGE)
    kinds = [stop.row.kind for stop in stops]
    assert kinds == ["InputLayer", "Conv2D", "MaxPooling2D", "Flatten", "Dense"]
    assert [stop.shape for stop in stops] == [(8, 8, 1), (8, 8, 3), (4, 4, 3), (48,), (2,)]
    assert [stop.is_map for stop in stops] == [True, True, True, False, False]
    names = ("relu", "pool", "flatten", "dense")  # the activation belongs to the convolution
    outputs = [network.get_layer(name).output for name in names]
    expected = keras.Model(network.inputs, outputs)([IMAGE[None]])
    assert (stops[0].values == IMAGE).all()
    for stop, values in zip(stops[1:], expected, strict=True):
        np.testing.assert_allclose(stop.values, np.asarray(values)[0], rtol=1e-5, atol=1e-6)


def test_without_an_image_there_are_no_values(network):
    assert all(stop.values is None for stop in find_stops(network, None))


def test_a_grey_image_needs_no_channel_but_the_right_sides(network):
    assert (find_stops(network, IMAGE[..., 0])[0].values == IMAGE).all()
    with pytest.raises(ConfigError, match=r"shape \(8, 8, 1\) of the input; found \(8, 7, 1\)"):
        find_stops(network, IMAGE[:, 1:])


def test_blocks_and_deep_networks():
    """A residual block is one stop, at its addition; of a deep network one stop a size is left."""
    small = create_model("small_resnet")
    kinds = [stop.row.kind for stop in find_stops(small, np.zeros((32, 32, 3)))]
    assert kinds.count("Add") == 2
    x = inputs = keras.Input((16, 16, 1))
    for _ in range(2):
        for _ in range(8):
            x = layers.Conv2D(2, 3, padding="same")(x)
        x = layers.MaxPooling2D(2)(x)
    deep = find_stops(keras.Model(inputs, layers.Flatten()(x)), None)
    assert [stop.shape for stop in deep] == [(16, 16, 1), (16, 16, 2), (8, 8, 2), (4, 4, 2), (32,)]
