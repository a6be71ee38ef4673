"""Small networks and classifiers whose weights are nowhere 0 or 1, for tests that open them."""

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

# Networks that are small, but slow to build.
DEEP = ("resnet32", "resnet44", "resnet56", "resnet110", "densenet_bc_100_12")


def quick(name):
    """Whether a model takes a second or two; the others are under `make test-all`."""
    info = model_info(name)
    return info.num_params < 3_000_000 and info.multiply_adds < 60_000_000 and name not in DEEP


def every(*slow):
    """Return all models; those that are not quick, and the ones named, as slow ones."""
    import pytest

    return [
        name if quick(name) and name not in slow else pytest.param(name, marks=pytest.mark.slow)
        for name in list_models()
    ]


def classifier_of(network, shape, num_classes, scale=1 / 255):
    model = assemble(network, Preprocessing(*shape, scale=scale), num_classes, "network")
    rng = np.random.default_rng(0)
    for weight in model.weights:
        # The state of a seed is a weight too.
        if weight.dtype != "float32":
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


def each_class(x):
    """A network with every class that can be opened, in the shapes where they differ."""
    y = layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", activation="relu", name="same")(x)
    y = layers.Conv2D(
        8, 3, dilation_rate=2, padding="same", groups=2, activation="gelu", name="grouped"
    )(y)
    y = layers.DepthwiseConv2D(
        3, depth_multiplier=2, strides=2, activation="tanh", name="depthwise"
    )(y)
    y = layers.SeparableConv2D(
        6, 3, depth_multiplier=2, padding="same", activation="silu", name="separable"
    )(y)
    a, b = ops.split(layers.BatchNormalization()(y), 2, axis=-1)
    c = layers.LayerNormalization()(layers.Concatenate()([a, ops.flip(b, axis=1)]))
    c = layers.AveragePooling2D(3, strides=2, padding="same")(
        layers.ZeroPadding2D(((1, 0), (0, 2)))(c)
    )
    c = layers.MaxPooling2D(2, padding="same")(layers.UpSampling2D(2)(c))
    for name in (
        "sigmoid",
        "elu",
        "selu",
        "softplus",
        "softsign",
        "hard_sigmoid",
        "hard_silu",
        "leaky_relu",
        "relu6",
    ):
        c = layers.Activation(name, name=f"only_{name}")(c)
    c = layers.LeakyReLU(0.1)(c) + layers.ELU(0.5)(c) * layers.ReLU(6.0, 0.1, 0.2)(c)
    c = layers.Maximum()([c, layers.Average()([c, layers.Minimum()([c, -c])])]) / 1.5
    c = layers.Activation("exponential")(c) - ops.sqrt(ops.square(c) + 1.0) * ops.rsqrt(
        ops.absolute(c) + 2.0
    )
    c = layers.Cropping2D(((0, 1), (1, 0)))(layers.Permute((2, 1, 3))(c))
    c = ops.matmul(c, np.random.default_rng(0).standard_normal((6, 4)).astype("float32"))
    top, mean = layers.GlobalMaxPooling2D()(c), layers.GlobalAveragePooling2D(keepdims=True)(c)
    mean = (
        layers.Flatten()(mean)
        + ops.sum(c, axis=(1, 2))
        + ops.mean(c, axis=[1, 2])
        + ops.max(c, axis=(1, 2))
    )
    c = layers.Subtract()([top, mean]) * ops.cast(ops.take(top, [3, 2, 1, 0], axis=-1), "float32")
    c = layers.Dense(6, activation="softmax", name="shares")(layers.Dropout(0.5)(c))
    return layers.Dense(3)(layers.Reshape((6,))(layers.Normalization(mean=0.1, variance=4.0)(c)))


def odd_network(x):
    x = layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", activation="relu", name="same")(x)
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same", activation="gelu", name="dilated")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(
        3, depth_multiplier=2, strides=2, activation="tanh", name="depthwise"
    )(x)
    x = layers.LayerNormalization(name="layer_norm")(x)
    x = layers.SeparableConv2D(
        8, 3, depth_multiplier=2, padding="same", activation="silu", name="separable"
    )(x)
    # A layer that is used twice gets terms of both.
    again = layers.Dense(8, activation="sigmoid", name="again")
    x = layers.Flatten(name="flat")(again(again(x)))
    x = layers.Dense(5, activation="softmax", name="shares")(x)
    return layers.Dense(3, name="logits")(x)


def exercises(x):
    """A network with a layer for each kind of exercise."""
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    x = layers.Conv2D(4, 7, padding="same", name="large")(layers.BatchNormalization(name="norm")(x))
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(3, (1, 11), padding="same", activation="tanh", name="wide")(x)
    x = layers.AveragePooling2D(2, name="mean")(x)
    x = layers.DepthwiseConv2D(2, name="depthwise", use_bias=False)(x)
    x = layers.Dense(6, name="shares_before")(layers.Flatten(name="flat")(x))
    x = layers.Dense(6, activation="softmax", name="shares")(x)
    return layers.Dense(3, name="logits")(x)
