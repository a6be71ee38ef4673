"""A Keras model of the user is checked, copied and cut off at its logits."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import set_weights, with_precision
from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.errors import ModelError
from convlens.training.network import choose_network
from tests.training.networks import (
    CONFIG,
    IMAGES,
    NAMES,
    SHAPE,
    assembled,
    own,
    softmax,
)


def nested(x):
    head = keras.Sequential(
        [layers.Input((4,)), layers.Dense(5), layers.Dense(3, activation="softmax")]
    )
    return head(x)


SOFTMAX = {
    "activation of the last layer": lambda x: layers.Dense(3, activation="softmax")(x),
    "Activation layer": lambda x: layers.Activation("softmax")(layers.Dense(3)(x)),
    "Softmax layer": lambda x: layers.Softmax()(layers.Dense(3)(x)),
    "keras.ops": lambda x: keras.ops.softmax(layers.Dense(3)(x)),
    "keras.activations": lambda x: keras.activations.softmax(layers.Dense(3)(x)),
    "nested model": nested,
    "nested Softmax layer": lambda x: keras.Sequential(
        [layers.Input((4,)), layers.Dense(3), layers.Softmax()]
    )(x),
}


@pytest.mark.parametrize("end", SOFTMAX.values(), ids=SOFTMAX)
def test_a_closing_softmax_is_taken_off_and_the_trained_weights_go_back(end):
    model = own(end)
    logits = assembled(model)
    rows = np.asarray(logits(IMAGES))
    assert np.abs(rows.sum(1) - 1).min() > 1e-3  # They are logits, not probabilities.
    assert np.allclose(softmax(rows), np.asarray(model(IMAGES / 255.0)), atol=1e-5)
    trained = with_precision(logits, "float32", seed=1)
    trained.set_weights([value + 0.1 for value in trained.get_weights()])
    set_weights(model, trained.get_weights())
    assert np.allclose(softmax(trained(IMAGES)), np.asarray(model(IMAGES / 255.0)), atol=1e-5)


@pytest.mark.parametrize(
    "end",
    [
        lambda x: layers.Dense(1, activation="sigmoid")(x),
        lambda x: keras.ops.sigmoid(layers.Dense(1)(x)),
        lambda x: layers.Activation("sigmoid")(layers.Dense(1)(x)),
    ],
)
def test_a_closing_sigmoid_is_taken_off(end):
    model = own(end)
    data = Dataset("memory", "arrays", IMAGES, np.arange(24) % 2, ("a", "b"))
    probabilities = softmax(assembled(model, data)(IMAGES))
    assert np.allclose(probabilities[:, 1:], np.asarray(model(IMAGES / 255.0)), atol=1e-5)


def test_a_sequential_model_may_end_in_a_softmax_layer(tmp_path):
    model = keras.Sequential(
        [layers.Input((12, 12, 3)), layers.Flatten(), layers.Dense(3), layers.Softmax()]
    )
    logits = assembled(model)
    expected = np.asarray(model(IMAGES / 255.0))
    assert np.allclose(softmax(logits(IMAGES)), expected, atol=1e-5)
    Classifier.from_logits(logits, NAMES, SHAPE).save(tmp_path / "own.keras")
    assert np.allclose(
        Classifier.load(tmp_path / "own.keras").probabilities(IMAGES), expected, atol=1e-5
    )


@pytest.mark.parametrize("end", ["Softmax layer", "logits"])
def test_a_model_compiled_with_a_loss_of_ones_own_is_copied(tmp_path, end):
    model = own(SOFTMAX.get(end, layers.Dense(3)))
    model.compile("adam", loss=lambda true, found: keras.ops.mean((true - found) ** 2))
    logits = with_precision(assembled(model), "float32", seed=0)
    Classifier.from_logits(logits, NAMES, SHAPE).save(tmp_path / "own.keras")
    loaded = Classifier.load(tmp_path / "own.keras")
    assert np.allclose(loaded.probabilities(IMAGES), softmax(logits(IMAGES)), atol=1e-6)


def test_other_endings_stay():
    model = own(lambda x: layers.Dense(3, activation="tanh")(x))
    assert np.allclose(
        np.asarray(assembled(model)(IMAGES)), np.asarray(model(IMAGES / 255.0)), atol=1e-5
    )


def test_a_model_that_scales_in_a_nested_model_gets_pixels():
    front = keras.Sequential([layers.Input((12, 12, 3)), layers.Rescaling(1 / 255)])
    deeper = keras.Sequential([layers.Input((12, 12, 3)), front])
    model = own(front=deeper)
    assert choose_network(CONFIG, model).scale == 1.0
    assert np.allclose(
        np.asarray(assembled(model)(IMAGES)),
        np.asarray(model(IMAGES.astype("float32"))),
        atol=1e-5,
    )


@pytest.mark.parametrize("wrap", [False, True])
def test_a_copy_of_a_model_with_an_adapted_normalization_normalises(wrap):
    normalization = layers.Normalization()
    normalization.adapt(IMAGES.astype("float32"))
    front = keras.Sequential([layers.Input((12, 12, 3)), normalization]) if wrap else normalization
    model = own(SOFTMAX["Softmax layer"], front)
    expected = np.asarray(model(IMAGES.astype("float32")))
    logits = assembled(model)
    assert np.allclose(softmax(logits(IMAGES)), expected, atol=1e-5)
    assert np.allclose(
        softmax(with_precision(logits, "float32", seed=0)(IMAGES)), expected, atol=1e-5
    )


@pytest.mark.parametrize("channels", [2, 4])
def test_a_model_of_other_channels_is_refused(channels):
    with pytest.raises(
        ModelError, match=rf"1 \(grey\) or 3 \(RGB\) channels; own takes {channels}"
    ):
        choose_network(CONFIG, own(channels=channels))


def test_a_model_of_two_outputs_is_refused():
    with pytest.raises(ModelError, match="one output"):
        choose_network(CONFIG, own(lambda x: [layers.Dense(3)(x), layers.Dense(3)(x)]))
