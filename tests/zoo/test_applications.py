"""Tests of the networks of keras.applications.

They check the counts, the scaling inside the graph, stable names, the smallest sizes and other
numbers of channels.
"""

import re
import socket
import sys

import keras
import numpy as np
import pytest

from convlens.anatomy.graph import producer
from convlens.anatomy.summary import count_multiply_adds
from convlens.classifier.assembly import with_precision
from convlens.config import ModelConfig
from convlens.errors import ModelError
from convlens.zoo.applications import preprocess
from convlens.zoo.classics import APPLICATIONS, FAMILIES
from convlens.zoo.create import build, create_model
from convlens.zoo.registry import model_info

# The millions of parameters in the table of keras.io/api/applications, and the exact number of
# these builders.
COUNTS = {
    "vgg16": (138.4, 138_357_544),
    "vgg19": (143.7, 143_667_240),
    "inception_v3": (23.9, 23_851_784),
    "inception_resnet_v2": (55.9, 55_873_736),
    "xception": (22.9, 22_910_480),
    "resnet50": (25.6, 25_636_712),
    "resnet101": (44.7, 44_707_176),
    "resnet152": (60.4, 60_419_944),
    "densenet121": (8.1, 8_062_504),
    "densenet169": (14.3, 14_307_880),
    "densenet201": (20.2, 20_242_984),
    "efficientnet_v2_b0": (7.2, 7_200_312),
    "convnext_tiny": (28.6, 28_589_128),
    "mobilenet_v3_small": (2.6, 2_554_968),  # not in that table
    "mobilenet_v3_large": (5.5, 5_507_432),  # not in that table
}
# The parameters in torchvision 0.29, which does not count moving statistics. The networks are those
# that differ from torchvision in nothing else.
TRAINABLE = {
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "densenet121": 7_978_856,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "mobilenet_v3_small": 2_542_856,
    "mobilenet_v3_large": 5_483_032,
    "convnext_tiny": 28_589_128,
}
PAPERS = {  # thousand millions of multiply-adds, as the papers round them
    "resnet50": 3.8,  # table 1
    "resnet101": 7.6,
    "resnet152": 11.3,
    "convnext_tiny": 4.5,  # table 1
    "mobilenet_v3_large": 0.2,  # 219 million, table 3
}
QUICK = ["mobilenet_v3_small"]  # seconds; the others build the same way
ALL = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in APPLICATIONS
]
SMALL = ModelConfig(stem="small")


def random_images(shape, n=2):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype(np.float32)


def side_of(name):
    return max(32, APPLICATIONS[name].least_side)


def test_published_counts():
    assert {name: row.num_params for name, row in APPLICATIONS.items()} == {
        name: n for name, (_, n) in COUNTS.items()
    }
    assert all(round(n / 1e6, 1) == millions for millions, n in COUNTS.values())
    for name, billions in PAPERS.items():
        assert APPLICATIONS[name].multiply_adds == pytest.approx(
            billions * 1e9, rel=0.1 if billions < 1 else 0.02
        )


def test_registered():
    for name, row in APPLICATIONS.items():
        info = model_info(name)
        side = 299 if row.family in ("inception_v3", "inception_resnet_v2", "xception") else 224
        assert (info.input_shape, info.num_classes, info.scale) == ((side, side, 3), 1000, 1.0)
        assert (info.weights.name, info.head, info.year) == (
            "imagenet",
            "softmax",
            FAMILIES[row.family].year,
        )
        text = info.builder.__doc__
        assert text.startswith("Return the logits.\n")
        assert info.summary.endswith(".")
        for part in (
            "Paper  ",
            "Contribution",
            "Strengths",
            "Weaknesses",
            "Use it",
            "Avoid it",
            "Departures",
        ):
            assert f"\n{part}" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_counts(name):
    model = create_model(name)
    assert model.count_params() == COUNTS[name][1]
    assert count_multiply_adds(model) == APPLICATIONS[name].multiply_adds
    if name in TRAINABLE:
        assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == TRAINABLE[name]


@pytest.mark.parametrize("name", ALL)
def test_flat_graph_of_stock_layers_with_stable_names(name):
    shape = (side_of(name), side_of(name), 3)
    first, second = (create_model(name, input_shape=shape, num_classes=3) for _ in range(2))
    names = [operation.name for operation in first.operations]
    assert names == [operation.name for operation in second.operations]
    assert len(set(names)) == len(names)
    assert not [
        found
        for found in names
        if re.fullmatch(r"(conv2d|batch_normalization|activation|add)(_\d+)?", found)
    ]
    for operation in first.operations:
        assert type(operation).__module__.startswith(("keras.src.layers.", "keras.src.ops.")), (
            operation
        )
        assert not isinstance(operation, keras.layers.Lambda)


def test_numbers_of_names_follow_the_order_of_building():
    names = [layer.name for layer in create_model("inception_v3", input_shape=(75, 75, 3)).layers]
    assert sum(name.startswith("conv") and name[4:].isdigit() for name in names) == 94
    assert names[:6] == ["pixels", "preprocess", "conv1", "norm1", "activation1", "conv2"]
    assert {"conv94", "norm94", "mixed0", "mixed10", "concat2", "predictions"} <= set(names)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("vgg16", "vgg16"),
        ("vgg19", "vgg19"),
        ("resnet50", "resnet"),
        ("resnet101", "resnet"),
        ("resnet152", "resnet"),
        ("inception_v3", "inception_v3"),
        ("inception_resnet_v2", "inception_resnet_v2"),
        ("xception", "xception"),
        ("densenet121", "densenet"),
        ("densenet169", "densenet"),
        ("densenet201", "densenet"),
    ],
)
def test_scales_as_keras_preprocess_input_does(name, package):
    images = random_images((40, 30, 3), n=3)
    expected = getattr(keras.applications, package).preprocess_input(images.copy())
    np.testing.assert_allclose(scaled(images, name), expected, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_v2_b0", "convnext_tiny"]
)
@pytest.mark.slow
def test_scales_as_the_layers_in_keras_networks_do(name):
    inside = getattr(keras.applications, APPLICATIONS[name].builder)(weights=None)
    scalings = [
        layer
        for layer in inside.layers
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization))
    ]
    images = random_images((224, 224, 3))
    expected = keras.Model(inside.input, scalings[-1].output)(images)
    np.testing.assert_allclose(scaled(images, name), expected, atol=1e-4)


def scaled(images, name):
    inputs = keras.Input(images.shape[1:])
    return np.asarray(
        keras.Model(inputs, preprocess(inputs, FAMILIES[APPLICATIONS[name].family].mode))(images)
    )


@pytest.mark.parametrize(
    ("name", "scale", "offset"),
    [
        ("vgg16", 1.0, -(103.939 + 116.779 + 123.68) / 3),
        ("xception", 1 / 127.5, -1.0),
        (
            "densenet121",
            (1 / 0.229 + 1 / 0.224 + 1 / 0.225) / 765,
            -(0.485 / 0.229 + 0.456 / 0.224 + 0.406 / 0.225) / 3,
        ),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_get_the_mean(name, scale, offset, channels):
    images = random_images((8, 8, channels))
    np.testing.assert_allclose(scaled(images, name), images * scale + offset, atol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_other_channels_sizes_and_heads(name):
    side = side_of(name)
    for shape, head in (((side, side + 9, 1), "softmax"), ((side + 7, side, 3), "sigmoid")):
        model = create_model(name, input_shape=shape, num_classes=2, head=head)
        assert model.output_shape == (None, 2 if head == "softmax" else 1)
        assert np.isfinite(model(random_images(shape))).all()


@pytest.mark.parametrize("name", ALL)
def test_least_side(name):
    least = APPLICATIONS[name].least_side
    assert np.isfinite(
        create_model(name, input_shape=(least, least, 3), num_classes=2)(
            random_images((least, least, 3))
        )
    ).all()
    if least > 1:
        with pytest.raises(
            ModelError, match=f"at least {least} x {least} pixels; found {least - 1} x {least}"
        ):
            create_model(name, input_shape=(least - 1, least, 3))


@pytest.mark.parametrize("name", ALL)
def test_in_half_precision(name):
    shape = (side_of(name), side_of(name), 3)
    model = create_model(name, input_shape=shape, num_classes=3)
    half = with_precision(model, "mixed_bfloat16")
    assert [operation.name for operation in half.operations] == [
        operation.name for operation in model.operations
    ]
    full = np.asarray(model(random_images(shape), training=False))
    found = half(random_images(shape), training=False)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_allclose(found, full, atol=0.05 * np.abs(full).max())


@pytest.mark.parametrize("name", ALL)
def test_small_stem(name):
    side = 48 if APPLICATIONS[name].least_side > 32 else 32
    model = create_model(name, input_shape=(side, side, 3), num_classes=2, config=SMALL)
    paper = create_model(name, input_shape=(4 * side, 4 * side, 3), num_classes=2)
    for layer, other in zip(model.layers, paper.layers, strict=True):
        if layer.name != "fc1":  # VGG's first dense layer has the size of the map
            assert [w.shape for w in layer.weights] == [w.shape for w in other.weights]
    assert np.isfinite(model(random_images((side, side, 3)))).all()


def test_within_a_larger_graph():
    inputs = keras.Input((32, 32, 3), dtype="uint8")
    before = keras.layers.Activation("linear")(keras.layers.Rescaling(1.0)(inputs))
    name = producer(before).name
    model = keras.Model(inputs, build("mobilenet_v3_small", before, 4))
    assert model.output_shape == (None, 4)
    assert name in [layer.name for layer in model.layers]  # only the network's own are renamed
    assert "activation1" in [layer.name for layer in model.layers]


@pytest.mark.slow
def test_convnext_computes_what_kerass_own_layers_compute():
    theirs = keras.applications.ConvNeXtTiny(
        weights=None, input_tensor=keras.Input((32, 40, 3)), classes=4, classifier_activation=None
    )
    ours = create_model("convnext_tiny", input_shape=(32, 40, 3), num_classes=4)
    generator = np.random.default_rng(0)
    values = [
        generator.normal(0, 0.1, np.shape(array)).astype(np.float32)
        for array in theirs.get_weights()
    ]
    theirs.set_weights(values)
    ours.set_weights(
        [value.reshape(w.shape) for value, w in zip(values, ours.weights, strict=True)]
    )
    images = random_images((32, 40, 3))
    np.testing.assert_allclose(ours(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_no_network_is_touched(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(sys.modules["keras"].utils, "get_file", refuse)
    for name in QUICK:
        assert create_model(name, input_shape=(32, 32, 3), num_classes=2)
