"""Parting: the first layer at which an export goes wrong, found by exporting parts of a network."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.export.convert import convert_model
from convlens.export.standalone import ENGINES
from convlens.export.target import FORMATS
from convlens.preprocess import ImageArray

PART = 1e-3  # relative to the largest value of a layer


def find_parting_layer(classifier: Classifier, to: str, images: ImageArray) -> str:
    """Return the name of the first layer whose exported values differ.

    Args:
        classifier: The classifier.
        to: The format.
        images: (n, height, width, channels) uint8.
    """
    return _first(classifier.model, partial(_differs, to=to, images=images))


def find_unconvertible_layer(classifier: Classifier, to: str) -> str | None:
    """Return the name of the first layer with which a network cannot be converted to a format.

    It is None if the network itself can be converted, and only its resize or its lower precision
    cannot.
    """
    if not _fails(classifier.model, to):
        return None
    return _first(classifier.model, partial(_fails, to=to))


def _first(model: keras.Model, is_wrong: Callable[[keras.Model], bool]) -> str:
    """Return the first layer up to which a network is wrong, by bisection.

    Args:
        model: The network, which is wrong as a whole.
        is_wrong: A function that says so of a part, from the input to a layer.
    """
    layers = [layer for layer in model.layers if _has_values(layer)]
    low = 0
    high = len(layers) - 1
    while low < high:
        middle = (low + high) // 2
        if is_wrong(keras.Model(model.input, layers[middle].output)):
            high = middle
        else:
            low = middle + 1
    return str(layers[low].name)


def _has_values(layer: keras.Layer) -> bool:
    is_input = isinstance(layer, keras.layers.InputLayer)
    return not is_input and isinstance(layer.output, keras.KerasTensor)


def _fails(model: keras.Model, to: str) -> bool:
    with tempfile.TemporaryDirectory() as place:
        try:
            convert_model(model, to, Path(place))
        except ExportError:
            return True
    return False


def _differs(model: keras.Model, to: str, images: ImageArray) -> bool:
    expected = np.asarray(model.predict_on_batch(images[:1]))
    with tempfile.TemporaryDirectory() as place:
        convert_model(model, to, Path(place))
        run = ENGINES[to](Path(place) / FORMATS[to].file)  # type: ignore[no-untyped-call]
        found = np.asarray(run(images[:1]))
    scale = max(float(np.abs(expected).max()), 1e-6)
    return bool(np.abs(found.reshape(expected.shape) - expected).max() > PART * scale)
