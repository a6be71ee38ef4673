"""Features: what a frozen network computes for each image, and under which name it is kept."""

import hashlib
import json
import re

import keras
import numpy as np

from convlens.classifier.runtime import Compiled, compile_model
from convlens.data.decoding import converted
from convlens.data.prepared import Prepared
from convlens.data.store import VERSION
from convlens.errors import RunError
from convlens.language import _
from convlens.run import Run
from convlens.transfer.feature_cache import FeatureCache

BACKBONE = "state/backbone.json"  # in the run folder


def digest_of(body: keras.Model) -> str:
    """Return the SHA-256 of the weights of a network in hexadecimal."""
    return _with_weights(hashlib.sha256(), body).hexdigest()


def require_same_backbone(run: Run, digest: str) -> None:
    """Note the backbone with which a run begins, and refuse another one when it goes on.

    What has learned from the features of one backbone is of no use for those of another.

    Args:
        run: The run.
        digest: The `digest_of` the backbone.

    Raises:
        RunError: If the run has begun with other weights.
        StorageError: If it cannot be noted.
    """
    if not (run.folder / BACKBONE).exists():
        run.write(BACKBONE, json.dumps({"weights": digest}))
    elif run.read(BACKBONE)["weights"] != digest:
        raise RunError(
            _(
                "{folder}: a run must go on with the weights of the backbone with which it has "
                "begun; {backbone} has others now. Put its former file back, or start a new run."
            ).format(folder=run.folder, backbone=run.config.transfer.backbone)
        )


def features_key(body: keras.Model, preprocessing: object, arithmetic: str) -> str:
    """Return a name for the features of a network.

    It depends on the layers, the weights, the preprocessing and the arithmetic, but not on which
    layers are trainable, since that changes nothing that is computed here.
    """
    graph = re.sub(r'"trainable": (true|false)', "", body.to_json())
    digest = hashlib.sha256(f"{VERSION} {preprocessing} {arithmetic} {graph}".encode())
    return _with_weights(digest, body).hexdigest()[:32]


def _with_weights(digest: "hashlib._Hash", body: keras.Model) -> "hashlib._Hash":
    """Return a digest to which the weights of a network have been added."""
    for weight in body.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest


def open_features(
    body: keras.Model, prepared: Prepared, precision: str
) -> tuple[Compiled, FeatureCache]:
    """Return a network compiled to compute features, and the features that it has computed before.

    Args:
        body: The network from uint8 images to (batch, width) features.
        prepared: The images.
        precision: The arithmetic: "float32", "bfloat16" or "auto".
    """
    compiled = compile_model(body, precision)
    return compiled, FeatureCache(key_of(body, prepared, compiled), body.output_shape[-1])


def key_of(body: keras.Model, prepared: Prepared, compiled: Compiled, view: str = "") -> str:
    """Return a name for the features that a compiled network computes of these images.

    Args:
        body: The network.
        prepared: The images.
        compiled: The network, compiled.
        view: What is done to the images before, and how the numbers are kept, where that is not
            the usual.
    """
    decoding: object = prepared.preprocessing
    images = prepared.dataset.images
    if isinstance(images, np.ndarray):
        # The digest of the pixels of an array depends neither on their type nor on their shape.
        how = converted(prepared.dataset, prepared.preprocessing)
        decoding = f"{decoding} {images.dtype} {images.shape[1:]}{how}"
    return features_key(body, f"{decoding}{view}", f"{compiled.engine} {compiled.precision}")
