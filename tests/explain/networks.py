"""Classifiers of any network of the zoo with weights that are nowhere 0 or 1, for what looks into them."""

from functools import partial

import keras
import numpy as np
from keras import layers, ops

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.explain.microscope.microscope import Microscope
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build
from convlens.zoo.registry import list_models, model_info

DEEP = (
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "densenet_bc_100_12",
)  # small, but slow to build


def quick(name):
    """Whether a model takes a second or two; the others are under `make test-all`."""
    info = model_info(name)
    return info.num_params < 3_000_000 and info.multiply_adds < 60_000_000 and name not in DEEP


def every():
    import pytest

    return [
        name if quick(name) else pytest.param(name, marks=pytest.mark.slow)
        for name in list_models()
    ]


def classifier_of(network, shape, num_classes, scale=1 / 255):
    model = assemble(network, Preprocessing(*shape, scale=scale), num_classes, "network")
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.dtype != "float32":  # the state of a seed
            continue
        spread = 0.3 if len(weight.shape) == 1 else 0.0
        value = keras.ops.convert_to_numpy(weight)
        moved = value + spread * rng.standard_normal(value.shape)
        weight.assign(np.abs(moved) + 0.2 if "variance" in weight.path else moved)
    names = tuple(f"class {number}" for number in range(num_classes))
    return Classifier.from_logits(model, names, Preprocessing(*shape, scale=scale))


def look_at(network, shape, num_classes, scale=1 / 255):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    return Microscope.look(classifier_of(network, shape, num_classes, scale), image)


def look_at_zoo(name):
    """Look at noise through a network of the zoo, as small as it can be built."""
    info = model_info(name)
    side = info.least_side or 16
    shape = (max(side, 8), max(side, 8), info.input_shape[2])
    num_classes = 2 if info.head == "sigmoid" else 5
    return look_at(partial(build, name, num_classes=num_classes), shape, num_classes, info.scale)


def nested(x):
    """Two models within each other whose layers have the same names, one of them used twice."""
    inner = keras.Sequential(
        [keras.Input((12, 12, 3)), layers.Conv2D(3, 3, padding="same", name="conv")], name="inner"
    )
    outer = keras.Sequential(
        [keras.Input((12, 12, 3)), inner, layers.ReLU(name="relu")], name="outer"
    )
    x = layers.Conv2D(3, 3, padding="same", name="conv")(x)
    a, b = ops.split(outer(outer(x)), [1], axis=-1)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="silu", name="deep")(
        layers.Concatenate(name="both")([b, a])
    )
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool")(
        layers.BatchNormalization(name="norm")(x)
    )
    y = layers.Conv2D(4, 3, activation="gelu", padding="same", name="gelu")(x)
    x = layers.Add(name="join")([y, layers.Conv2D(4, 1, name="shortcut")(x)])
    return layers.Dense(2, name="logits")(layers.Flatten(name="flat")(x))
