"""What the microscope page holds of a layer: its arithmetic, its windows, and its arrays."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.explain.pages.microscope_content import find_how, layer_content
from tests.explain.networks import look_at


def network(x):
    x = layers.Conv2D(4, 3, strides=2, padding="same", groups=1, activation="relu", name="conv")(x)
    x = layers.Conv2D(4, 3, groups=2, activation="gelu", padding="same", name="grouped")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="deep")(x)
    x = layers.SeparableConv2D(4, 1, name="separable")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.LeakyReLU(name="leaky")(x)
    x = layers.Dropout(0.5, name="drop")(x)
    x = layers.Subtract(name="minus")([x, layers.ZeroPadding2D(0, name="padded")(x)])
    y = layers.GlobalAveragePooling2D(name="mean")(layers.MaxPooling2D(2, name="pool")(x))
    return layers.Dense(3, activation="softmax", name="logits")(y)


@pytest.fixture(scope="module")
def microscope():
    return look_at(network, (9, 9, 3), 3)


HOW = {
    "images": "",
    "scaling": "rescaled",
    "conv": "weighted",
    "deep": "weighted",
    "separable": "",
    "norm": "normalised",
    "leaky": "activated",
    "drop": "moved",
    "minus": "joined",
    "padded": "moved",
    "pool": "pool",
    "mean": "pool",
    "logits": "weighted",
    "probabilities": "softmax",
}


@pytest.mark.parametrize(("name", "how"), HOW.items())
def test_the_arithmetic_of_each_class(microscope, name, how):
    assert find_how(microscope.layer(name)) == how


def test_windows_and_groups(microscope):
    conv = layer_content(microscope.layer("conv"))
    assert conv.facts["window"] == [3, 3]
    assert conv.facts["strides"] == [2, 2]
    assert conv.facts["before"] == [1, 1]
    assert conv.facts["groups"] == 1
    assert layer_content(microscope.layer("grouped")).facts["groups"] == 2
    assert layer_content(microscope.layer("deep")).facts["groups"] == 4
    mean = layer_content(microscope.layer("mean")).facts
    assert mean["window"] == list(microscope.layer("pool").shape[:2])
    assert mean["pool"] == "mean"
    assert layer_content(microscope.layer("logits")).facts["window"] == [1, 1]


def test_activations_that_the_page_computes_itself(microscope):
    facts = {name: layer_content(microscope.layer(name)).facts for name in HOW if HOW[name]}
    assert facts["conv"]["computed"]
    assert facts["deep"] == facts["deep"] | {"activation": "", "computed": True}
    assert not layer_content(microscope.layer("grouped")).facts["computed"]  # gelu
    assert not facts["leaky"]["computed"]
    assert facts["logits"] == facts["logits"] | {"activation": "softmax", "computed": False}
    assert facts["drop"]["idle"]
    assert facts["minus"]["sign"] == " - "


def test_the_arrays_are_maps_and_weights(microscope):
    layer = microscope.layer("deep")
    arrays = layer_content(layer).arrays
    kernel = keras.ops.convert_to_numpy(layer.call.operation.kernel)
    np.testing.assert_array_equal(arrays["deep/kernel"][:, :, 0, 5], kernel[:, :, 2, 1])
    assert "deep/bias" not in arrays
    np.testing.assert_array_equal(arrays["grouped"], microscope.layer("grouped").output)
    assert layer_content(microscope.layer("logits")).arrays["logits"].shape == (1, 1, 3)
    norm = layer_content(microscope.layer("norm")).arrays["norm/numbers"]
    assert norm.shape == (1, 4, 4)
    origins = layer_content(microscope.layer("padded")).arrays["padded/from"]
    assert sorted(origins.reshape(-1)) == list(range(1, origins.size + 1))
