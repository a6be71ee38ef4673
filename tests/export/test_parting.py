import keras
import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.export import parting
from convlens.export.parting import find_parting_layer, find_unconvertible_layer


@pytest.fixture
def fails_at(monkeypatch):
    """Return a function that lets the conversion of the layer of a name go wrong."""
    converted = []

    def convert(model, to, folder):
        assert to == "onnx"
        assert folder.is_dir()
        converted.append(model)

    def run(images):
        return converted[-1].predict_on_batch(images)

    def fail(name, error=None):
        def convert_wrongly(model, to, folder):
            copy = keras.models.clone_model(model)
            copy.set_weights(model.get_weights())
            if any(layer.name == name for layer in copy.layers):
                if error:
                    raise error
                layer = copy.get_layer(name)
                layer.set_weights([weights + 0.1 for weights in layer.get_weights()])
            convert(copy, to, folder)

        monkeypatch.setattr(parting, "convert_model", convert_wrongly)
        monkeypatch.setitem(parting.ENGINES, "onnx", lambda _path: run)
        return converted

    return fail


@pytest.mark.parametrize("name", ["first", "normalised", "second", "scores"])
def test_the_first_layer_that_differs_is_named(classifier_file, images, fails_at, name):
    classifier = Classifier.load(classifier_file)
    converted = fails_at(name)
    assert find_parting_layer(classifier, "onnx", images) == name
    layers = len(classifier.model.layers)
    assert len(converted) <= np.ceil(np.log2(layers))


def test_the_first_layer_that_cannot_be_converted_is_named(classifier_file, fails_at):
    classifier = Classifier.load(classifier_file)
    fails_at("second", ExportError("no such operation"))
    assert find_unconvertible_layer(classifier, "onnx") == "second"


def test_no_layer_is_named_if_the_network_itself_can_be_converted(classifier_file, monkeypatch):
    classifier = Classifier.load(classifier_file)
    monkeypatch.setattr(parting, "convert_model", lambda model, to, folder: None)
    assert find_unconvertible_layer(classifier, "onnx") is None
