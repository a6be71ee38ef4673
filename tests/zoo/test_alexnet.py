"""Tests of AlexNet: the sizes and the initial weights of the paper, and response normalisation.

Each of the two towers sees only its own feature maps.
"""

import keras
import numpy as np
import pytest

from convlens.anatomy.summary import layer_table
from convlens.classifier.assembly import with_precision
from convlens.config import ModelConfig
from convlens.zoo.alexnet import local_response_normalization
from convlens.zoo.create import create_model

SHAPES = {  # the lecture's and the paper's figure 2
    "conv1": (55, 55, 96),
    "pool1": (27, 27, 96),
    "conv2": (27, 27, 256),
    "pool2": (13, 13, 256),
    "conv3": (13, 13, 384),
    "conv4": (13, 13, 384),
    "conv5": (13, 13, 256),
    "pool5": (6, 6, 256),
    "flatten": (9216,),
    "dense6": (4096,),
    "dense7": (4096,),
    "logits": (1000,),
}
# The numbers of section 3.5 of the paper. Its 253,440 for the first layer, which is left out here,
# is 55 x 55 x 96 with a 48 in place of one 55.
NEURONS = {
    "conv2": 186_624,
    "conv3": 64_896,
    "conv4": 64_896,
    "conv5": 43_264,
    "dense6": 4096,
    "dense7": 4096,
    "logits": 1000,
}
LECTURE_PARAMS = {
    "conv1": 34_944,
    "conv2": 614_656,
    "conv3": 885_120,
    "conv4": 1_327_488,
    "conv5": 884_992,
}
PAPER_PARAMS = {
    "conv1": 34_944,
    "conv2": 307_456,
    "conv3": 885_120,
    "conv4": 663_936,
    "conv5": 442_624,
}
SMALL = (67, 67, 3)  # pixels: the least


def answers(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def images(n=2, shape=SMALL):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype("float32")


@pytest.mark.parametrize(
    ("name", "params"), [("alexnet", LECTURE_PARAMS), ("alexnet_2towers", PAPER_PARAMS)]
)
def test_sizes_of_the_paper(name, params):
    model = create_model(name)
    shapes = {layer: model.get_layer(layer).output.shape[1:] for layer in SHAPES}
    assert shapes == SHAPES
    assert {layer: np.prod(shapes[layer]) for layer in NEURONS} == NEURONS
    rows = layer_table(model)
    counts = {
        conv: sum(row.trainable for row in rows if row.name.split("_tower")[0] == conv)
        for conv in params
    }
    assert counts == params
    assert sum(row.trainable for row in rows) == model.count_params()


def test_paper_kernels_see_half_the_maps():
    """Section 3.5: 256 kernels of 5x5x48, 384 of 3x3x256, 384 of 3x3x192, 256 of 3x3x192."""
    model = create_model("alexnet_2towers", input_shape=SMALL)
    kernels = {
        layer.name: tuple(layer.kernel.shape)
        for layer in model.layers
        if "conv" in layer.name and layer.weights
    }
    assert kernels == {
        "conv1": (11, 11, 3, 96),
        **dict.fromkeys(("conv2_tower1", "conv2_tower2"), (5, 5, 48, 128)),
        "conv3": (3, 3, 256, 384),
        **dict.fromkeys(("conv4_tower1", "conv4_tower2"), (3, 3, 192, 192)),
        **dict.fromkeys(("conv5_tower1", "conv5_tower2"), (3, 3, 192, 128)),
    }


def test_towers_do_not_mix():
    model = create_model("alexnet_2towers", input_shape=SMALL, num_classes=2)
    conv3 = model.get_layer("conv3")
    kernel, bias = conv3.get_weights()
    kernel[..., 192:] = 0  # nothing reaches the second tower's half
    conv3.set_weights([kernel, bias])
    maps = keras.Model(model.input, [model.get_layer(f"conv5_tower{n}").output for n in (1, 2)])
    first, second = (np.asarray(m) for m in maps(images()))
    assert first.std(axis=0).max() > 0  # follows the image
    assert second.std(axis=0).max() == 0
    assert second.max() > 0  # its biases


def test_response_normalisation_of_the_paper():
    """Section 3.3, written as a loop."""
    maps = np.random.default_rng(0).normal(0, 100, (2, 3, 2, 8)).astype("float32")
    expected = np.empty_like(maps)
    for i in range(8):
        total = sum(maps[..., j] ** 2 for j in range(max(0, i - 2), min(7, i + 2) + 1))
        expected[..., i] = maps[..., i] / (2 + 1e-4 * total) ** 0.75
    inputs = keras.Input(maps.shape[1:])
    model = keras.Model(inputs, local_response_normalization(inputs))
    np.testing.assert_allclose(answers(model, maps), expected, rtol=1e-5)
    assert abs(expected / maps).max() < 2**-0.75 + 1e-6
    other = keras.Model(inputs, local_response_normalization(inputs, size=3, bias=1.0, alpha=1e-2))
    edge = maps[..., 0] / (1 + 1e-2 * (maps[..., 0] ** 2 + maps[..., 1] ** 2)) ** 0.75
    np.testing.assert_allclose(answers(other, maps)[..., 0], edge, rtol=1e-5)


def test_start_of_the_paper():
    """Check the initial weights against section 5 of the paper.

    They are Gaussian with a standard deviation of 0.01. The biases are 1 in convolutions 2, 4 and 5
    and in the hidden dense layers.
    """
    model = create_model("alexnet_2towers", input_shape=SMALL)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            assert kernel.std() == pytest.approx(0.01, rel=0.02)
            one = "tower" in layer.name or "dense" in layer.name
            np.testing.assert_array_equal(bias, 1.0 if one else 0.0)
    first, second = (model.get_layer(f"conv4_tower{n}").get_weights()[0] for n in (1, 2))
    assert not np.array_equal(first, second)


def test_start_of_the_lecture():
    model = create_model("alexnet", input_shape=SMALL)
    for number in range(1, 6):
        kernel, bias = model.get_layer(f"conv{number}").get_weights()
        assert 0.0499 < abs(kernel).max() <= 0.05
        assert not bias.any()
    assert model.get_layer("dense6").kernel_initializer.__class__.__name__ == "GlorotUniform"


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_subtracts_the_mean(channels):
    model = create_model("alexnet_2towers", input_shape=(67, 70, channels), num_classes=2)
    pixels = images(1, (67, 70, channels))
    centred = keras.Model(model.input, model.get_layer("subtract_mean").output)
    mean = [123.68, 116.779, 103.939] if channels == 3 else np.mean([123.68, 116.779, 103.939])
    np.testing.assert_allclose(answers(centred, pixels), pixels - mean, atol=1e-4)


def test_saving_and_precision(tmp_path):
    model = create_model("alexnet_2towers", input_shape=SMALL, num_classes=5)
    expected = answers(model, images())
    model.save(tmp_path / "alexnet.keras")
    np.testing.assert_allclose(
        answers(keras.models.load_model(tmp_path / "alexnet.keras"), images()), expected
    )
    rough = answers(with_precision(model, "mixed_bfloat16"), images())
    np.testing.assert_allclose(rough, expected, atol=0.05 * abs(expected).max())


@pytest.mark.parametrize("name", ["alexnet", "alexnet_2towers"])
def test_small_stem(name):
    model = create_model(
        name, input_shape=(32, 32, 3), num_classes=10, config=ModelConfig(stem="small")
    )
    assert model.output_shape == (None, 10)
    assert model.get_layer("conv1").output.shape[1:3] == (22, 22)
