"""Which networks are a sum, and whether the maps of those add up."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.maps.ending import NoEnding
from convlens.maps.evidence import check_additivity
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target
from convlens.maps.network import OpenedNetwork
from convlens.preprocess import Preprocessing

SIDE = 16


class OwnDense(layers.Dense):
    """A layer of a user, whose arithmetic convlens does not know."""


def classifier_of(*steps, classes=3, temperature=2.0):
    """Return an untrained classifier of a convolution and some layers."""
    keras.utils.set_random_seed(1)
    network = keras.Sequential([layers.Conv2D(6, 3, strides=2, activation="relu"), *steps])
    return as_classifier(network, classes, temperature)


def as_classifier(network, classes=3, temperature=2.0):
    preprocessing = Preprocessing(SIDE, SIDE, 3)
    model = assemble(network, preprocessing, classes, "net")
    rng = np.random.default_rng(0)
    for weight in model.weights:  # also those that begin as zeros and ones
        weight.assign(np.abs(rng.normal(size=weight.shape)) + 0.1)
    names = tuple(f"class {number}" for number in range(classes))
    return Classifier.from_logits(model, names, preprocessing, temperature)


def images(count=3):
    return np.random.default_rng(2).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


SUMS = {
    "average": lambda: (layers.GlobalAveragePooling2D(), layers.Dense(3)),
    "flatten": lambda: (layers.Flatten(), layers.Dense(3)),
    "dropout": lambda: (layers.Dropout(0.5), layers.GlobalAveragePooling2D(), layers.Dense(3)),
    "scaler": lambda: (
        layers.GlobalAveragePooling2D(),
        layers.Normalization(mean=0.2, variance=0.3),
        layers.Rescaling(0.5, 0.1),
        layers.Dense(3),
    ),
    "batch": lambda: (
        layers.GlobalAveragePooling2D(),
        layers.BatchNormalization(),
        layers.Dense(3),
    ),
    "nested": lambda: (
        keras.Sequential([layers.Conv2D(4, 1), layers.ReLU(), layers.GlobalAveragePooling2D()]),
        layers.Dense(3),
    ),
    "pooled": lambda: (layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(3)),
    "nin": lambda: (layers.Conv2D(3, 1, activation="relu"), layers.GlobalAveragePooling2D()),
}
NO_SUMS = {
    "hidden": lambda: (layers.Flatten(), layers.Dense(4, "relu"), layers.Dense(3)),
    "norm": lambda: (
        layers.GlobalAveragePooling2D(),
        layers.LayerNormalization(),
        layers.Dense(3),
    ),
    "maximum": lambda: (layers.GlobalMaxPooling2D(), layers.Dense(3)),
    "own": lambda: (layers.GlobalAveragePooling2D(), OwnDense(3)),
}


@pytest.mark.parametrize("name", SUMS)
def test_map_adds_up_to_the_logit(name):
    classifier = classifier_of(*SUMS[name]())
    explainer = Explainer(classifier)
    for pixels in images():
        logits = np.asarray(classifier.logits_model(pixels[None]), np.float64)[0]
        for label in range(3):
            heat = explainer.map(pixels, Target(label), "exact")
            assert heat.values.shape[0] > 1
            assert heat.values.mean() + heat.bias == pytest.approx(logits[label], rel=1e-5)
            assert check_additivity(heat).passed


def test_terms_are_those_of_the_layers_by_hand():
    classifier = classifier_of(*SUMS["average"]())
    network = OpenedNetwork.of(classifier)
    convolution, _, dense = network.model.layers[-3:]
    body = keras.Model(network.model.input, convolution.output)
    features = np.asarray(body(images(1)))[0]
    kernel = np.asarray(dense.kernel)
    heat = Explainer(classifier).map(images(1)[0], Target(1), "exact")
    np.testing.assert_allclose(heat.values, features @ kernel[:, 1], rtol=1e-5)
    assert heat.bias == pytest.approx(float(dense.bias[1]))


@pytest.mark.parametrize("name", NO_SUMS)
def test_other_networks_have_no_exact_map(name):
    network = OpenedNetwork.of(classifier_of(*NO_SUMS[name]()))
    assert isinstance(network.ending, NoEnding)
    layer = network.model.layers[-2 if name in ("hidden", "norm", "maximum") else -1]
    assert layer.name in str(network.ending)


def test_network_without_convolution_says_so():
    network = keras.Sequential([layers.Flatten(), layers.Dense(3)])
    reasons = Explainer(as_classifier(network)).reasons
    assert set(reasons) == {"exact", "gradient", "grad-cam"}
    assert "no convolution" in reasons["exact"]


def test_one_logit_for_two_classes_is_a_sum():
    network = keras.Sequential(
        [layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(1)]
    )
    explainer = Explainer(as_classifier(network, classes=2))
    pixels = images()[0]
    assert not explainer.map(pixels, Target(0), "exact").values.any()
    assert check_additivity(explainer.map(pixels, Target(1), "exact")).passed


def test_contrast_is_the_difference_of_two_maps():
    explainer = Explainer(classifier_of(*SUMS["flatten"]()))
    pixels = images()[0]
    one, other = (explainer.map(pixels, Target(label), "exact") for label in (0, 2))
    contrast = explainer.map(pixels, Target(0, 2), "exact")
    np.testing.assert_allclose(contrast.values, one.values - other.values, rtol=1e-4, atol=1e-4)
    assert contrast.logit == pytest.approx(one.logit - other.logit, rel=1e-5)


def test_map_of_another_network_or_image_is_refused():
    classifier = classifier_of(*SUMS["average"]())
    explainer = Explainer(classifier)
    one, other, _ = images()
    heat = explainer.map(one, Target(0), "exact")
    assert explainer.check(one, heat).checks[0].passed
    assert not explainer.check(other, heat).checks[0].passed
    foreign = classifier_of(*SUMS["average"]())
    foreign.model.weights[-2].assign(-foreign.model.weights[-2])
    refused = explainer.check(one, Explainer(foreign).map(one, Target(0), "exact"))
    assert not refused.drawn
    assert "additivity" in refused.refusal


def test_gradient_of_a_sum_is_the_exact_map():
    explainer = Explainer(classifier_of(*SUMS["average"]()))
    pixels = images()[0]
    exact = explainer.map(pixels, Target(1), "exact")
    gradient = explainer.map(pixels, Target(1), "gradient")
    np.testing.assert_allclose(gradient.values, exact.values, rtol=1e-5)
    assert gradient.remainder == pytest.approx(exact.bias, abs=1e-5)
    grad_cam = explainer.map(pixels, Target(1), "grad-cam")
    np.testing.assert_allclose(grad_cam.values, np.maximum(exact.values, 0), rtol=1e-5)


def test_gradient_needs_a_network_without_bends():
    network = (layers.Flatten(), layers.Dense(4, "tanh", name="bent"), layers.Dense(3))
    reasons = Explainer(classifier_of(*network)).reasons
    assert "bent" in reasons["gradient"]
    assert "grad-cam" not in reasons
