"""Networks of somebody else: how they may end, and which map is theirs."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.classifier import Classifier
from convlens.errors import ModelError
from convlens.maps.ending import NoEnding, find_ending, last_map
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target
from convlens.preprocess import Preprocessing

SHAPE = (16, 24, 3)
NAMES = ("a", "b", "c")


def sequential(*steps):
    convolution = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")
    return keras.Sequential([keras.Input(SHAPE), convolution, *steps], name="own")


def pooled(*steps):
    return sequential(layers.GlobalAveragePooling2D(), *steps)


def nested():
    """Return a network with a preprocessing in front, and models inside models."""
    inside = keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Conv2D(4, 3, strides=2, activation="relu", padding="same", name="conv"),
        ],
        name="inside",
    )
    images = keras.Input(SHAPE)
    middle = keras.Model(images, layers.GlobalAveragePooling2D()(inside(images)), name="middle")
    steps = [keras.Input(SHAPE), layers.RandomFlip(), layers.Rescaling(1 / 127.5, -1)]
    front = keras.Sequential(steps, name="front")
    steps = [keras.Input((4,)), layers.Dropout(0.5), layers.Dense(3), layers.Activation("softmax")]
    images = keras.Input(SHAPE)
    end = keras.Sequential(steps, name="end")
    return keras.Model(images, end(middle(front(images))), name="own")


def closed_by_an_operation():
    network = pooled(layers.Dense(3))
    return keras.Model(network.inputs[0], keras.ops.softmax(network.outputs[0]), name="own")


ENDINGS = {
    "activation of a dense layer": lambda: pooled(layers.Dense(3, activation="softmax")),
    "activation": lambda: pooled(layers.Dense(3), layers.Activation("softmax")),
    "softmax": lambda: pooled(layers.Dense(3), layers.Softmax()),
    "operation": closed_by_an_operation,
    "nested": nested,
    "flattened": lambda: sequential(layers.Flatten(), layers.Dense(3, activation="softmax")),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_logits_are_those_before_the_softmax_and_the_map_adds_up_to_them(ending):
    keras.utils.set_random_seed(0)
    network = ENDINGS[ending]()
    classifier = Classifier(network, NAMES, Preprocessing(*SHAPE))
    image = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    found = classifier.explain(image)
    expected = network.predict(image[None].astype(np.float32), verbose=0)[0]
    powers = np.exp(found.logits - found.logits.max())
    np.testing.assert_allclose(powers / powers.sum(), expected, atol=1e-5)
    (one,) = found.maps
    assert one.checks[0].name == "additivity"
    assert one.checks[0].passed
    assert one.map.values.shape == ((8, 12) if ending == "nested" else (16, 24))
    total = one.map.values.mean() + one.map.bias
    assert total == pytest.approx(found.logits[found.target.label], rel=1e-4, abs=1e-4)


def test_map_is_the_sum_by_hand():
    keras.utils.set_random_seed(1)
    network = nested()
    image = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)
    heat = Explainer(Classifier(network, NAMES, Preprocessing(*SHAPE))).map(
        image, Target(2), "exact"
    )
    inside = network.get_layer("middle").get_layer("inside")
    features = inside(image[None].astype(np.float32) / 127.5 - 1).numpy()[0]
    weights, bias = network.get_layer("end").get_weights()
    np.testing.assert_allclose(heat.values, features @ weights[:, 2], rtol=1e-4, atol=1e-5)
    assert heat.bias == pytest.approx(bias[2])


@pytest.mark.parametrize("units", [1, 3])
def test_network_that_ends_with_a_sigmoid_is_refused(units):
    network = pooled(layers.Dense(units, activation="sigmoid", name="last"))
    classifier = Classifier(network, NAMES, Preprocessing(*SHAPE))
    with pytest.raises(ModelError, match=r"must end with a softmax.*last \(sigmoid\)"):
        classifier.explain(np.zeros(SHAPE, np.uint8))


@pytest.mark.parametrize(
    "moved", [layers.Permute((3, 1, 2)), layers.Permute((2, 1, 3)), layers.Reshape((4, 16, 24))]
)
def test_positions_are_those_of_the_image_where_axes_are_moved(moved):
    network = sequential(moved, layers.Flatten(), layers.Dense(3))
    for last in (find_ending(network).map, last_map(network)):
        assert last.shape[1:] == (16, 24, 4)


def test_network_whose_convolution_leaves_one_position_is_not_said_to_have_none():
    for activation in ("linear", "relu"):
        whole = layers.Conv2D(4, SHAPE[:2], activation=activation)
        steps = [keras.Input(SHAPE), whole, layers.Flatten(), layers.Dense(3)]
        for network in (keras.Sequential(steps), keras.Sequential([*steps, layers.ReLU()])):
            with pytest.raises(NoEnding, match="a single position"):
                find_ending(network)


def test_features_that_are_multiplied_with_themselves_bend():
    images = keras.Input(SHAPE)
    features = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(images))
    squared = layers.Multiply(name="squared")([features, features])
    network = keras.Model(images, layers.Dense(3, activation="softmax")(squared))
    found = Explainer(Classifier(network, NAMES, Preprocessing(*SHAPE)))
    assert "squared bends its input" in found.reasons["gradient"]
    assert found.best_method == "occlusion"
