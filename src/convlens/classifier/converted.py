"""Converted: the network of a classifier on OpenVINO, which is converted once and then kept.

Converting takes seconds, and opening what was converted a fraction of one. The name of what is
kept follows from the layers and the weights, so that a network with other weights has another one.
"""

import contextlib
import hashlib
from pathlib import Path

import keras
import numpy as np

from convlens.classifier.assembly import all_layers, with_precision
from convlens.classifier.classifier import Classifier
from convlens.classifier.network_files import OUTPUTS, discard, is_there, place_of, store
from convlens.classifier.on_openvino import convert, refuse_without_openvino, write_network
from convlens.classifier.runtime import Compiled, compile_model, compile_on_openvino
from convlens.data.cache_size import keep_within_limit
from convlens.errors import BackendError, StorageError

HALF = ("bfloat16", "float16")
CLOSE = 1e-3  # of a logit, by which two engines differ at most


def float32_logits(classifier: Classifier) -> keras.Model:
    """Return the network of a classifier from images to logits, in float32."""
    model = classifier.logits_model
    is_half = any(layer.compute_dtype in HALF for layer in all_layers(model))
    return with_precision(model, "float32") if is_half else model


def compile_logits(classifier: Classifier) -> Compiled:
    """Return the logits of a classifier in float32, on the fastest engine that is installed.

    On OpenVINO, the network is converted once and kept.
    """
    try:
        _network, compiled = open_converted(classifier)
        keep_within_limit()
    except (BackendError, StorageError):
        return compile_model(float32_logits(classifier), "float32")
    return compiled


def open_converted(classifier: Classifier) -> tuple[Path, Compiled]:
    """Return the network of a classifier in float32 on OpenVINO: its file, and its logits.

    The network takes one image (1, height, width, channels) uint8 and has the outputs OUTPUTS, each
    (1, num_classes). It is converted unless it was kept and gives the logits of the classifier.

    Raises:
        BackendError: If OpenVINO is not installed or cannot run the network.
        StorageError: If it cannot be written.
    """
    refuse_without_openvino()  # what was kept is of use for others with whom the cache is shared
    logits = float32_logits(classifier)
    place = place_of(_content(logits, classifier.temperature))
    if is_there(place):
        with contextlib.suppress(BackendError):  # it has suffered
            compiled = _compile(place, logits)
            if _is_of(compiled, logits):
                return place, compiled
        discard(place)
    network = convert(_with_probabilities(logits, classifier))
    # What was just converted is read from its file, too, so that the numbers do not depend on
    # whether it was kept.
    store(place, lambda path: write_network(network, path))
    return place, _compile(place, logits)


def _with_probabilities(logits: keras.Model, classifier: Classifier) -> keras.Model:
    """Return the network from images to OUTPUTS."""
    both = Classifier.from_logits(
        logits, classifier.class_names, classifier.preprocessing, classifier.temperature
    )
    outputs = {"probabilities": both.model.outputs[0], "logits": logits.outputs[0]}
    return keras.Model(logits.inputs[0], [outputs[name] for name in OUTPUTS], name=logits.name)


def _content(logits: keras.Model, temperature: float) -> str:
    """Return what identifies a network: its layers, its weights and its temperature."""
    digest = hashlib.sha256(f"{temperature} {logits.to_json()}".encode())
    for weight in logits.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _compile(place: Path, logits: keras.Model) -> Compiled:
    shape = logits.output_shape[1:]
    return compile_on_openvino(place, "float32", shape, logits.name, OUTPUTS.index("logits"))


def _is_of(compiled: Compiled, logits: keras.Model) -> bool:
    """Return whether what was kept gives the logits of a network for an image of noise."""
    shape = (1, *logits.input_shape[1:])
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = np.asarray(keras.ops.convert_to_numpy(logits(noise, training=False)))
    allowed = CLOSE * max(1.0, float(np.abs(expected).max()))
    return bool(np.abs(compiled(noise) - expected).max() <= allowed)
