"""The microscope: what it keeps of a network that computed an image."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import with_precision
from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ModelError
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.openers import open_cell
from tests.explain.networks import classifier_of, look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_nested_models_are_opened_and_names_are_unique(microscope):
    names = [layer.name for layer in microscope.layers]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith(("conv", "relu"))] == [
        "conv", "conv-2", "relu", "conv-3", "relu-2",
    ]  # fmt: skip
    halves = [layer for layer in microscope.layers if layer.kind == "Split"]
    assert [one.shape for one in halves] == [(12, 12, 1), (12, 12, 2)]
    assert microscope.layer("conv-3").inputs[0].source == "relu"
    assert [one.source for one in microscope.layer("both").inputs] == [
        halves[1].name,
        halves[0].name,
    ]
    for layer in microscope.layers[1:]:
        assert open_cell(layer, tuple(side - 1 for side in layer.shape)).agrees


def test_the_end_is_the_classifiers_own_prediction(microscope):
    found = microscope.classifier.predict(microscope.pixels)[0]
    np.testing.assert_allclose(microscope.prediction.probabilities, found.probabilities, atol=1e-6)
    assert microscope.prediction.label == found.label


def test_a_network_in_half_precision_is_opened_in_float32(microscope):
    half = with_precision(microscope.classifier.model, "mixed_bfloat16")
    one = Classifier(half, microscope.classifier.class_names, microscope.classifier.preprocessing)
    twin = Microscope.look(one, microscope.pixels)
    assert twin.layer("gelu").output.dtype == np.float32
    np.testing.assert_allclose(
        twin.layer("gelu").output, microscope.layer("gelu").output, atol=1e-6
    )


def test_what_is_no_graph_is_refused(microscope):
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ModelError, match="functional or sequential"):
        Microscope.look(
            Classifier(Own(), ("a",), microscope.classifier.preprocessing), microscope.pixels
        )


def test_near_names(microscope):
    with pytest.raises(ConfigError, match="did you mean gelu"):
        microscope.layer("gelo")
    with pytest.raises(ConfigError, match="leave --layer out"):
        microscope.layer("zzz")


def test_classifiers_of_one_logit():
    """Two classes with one logit: zeros and the logit side by side, then the softmax."""
    found = Microscope.look(
        classifier_of(lambda x: layers.Dense(1)(layers.Flatten()(x)), (6, 6, 1), 2),
        np.zeros((9, 7), np.uint8),
    )
    assert found.size == (9, 7)
    assert [layer.kind for layer in found.layers[-3:]] == ["ZerosLike", "Concatenate", "Softmax"]
    for layer in found.layers[-3:]:
        assert "softmax of [0, z] is [1 - sigmoid(z), sigmoid(z)]" in open_cell(layer, (0,)).rule
    assert "border" not in open_cell(found.layers[-3], (0,)).steps[0].name
    assert [layer.class_names for layer in found.layers[-4:]] == [
        (),
        (),
        ("class 0", "class 1"),
        ("class 0", "class 1"),
    ]
    assert open_cell(found.layers[-2], (0,)).agrees
    assert open_cell(found.layers[-1], (1,)).agrees
