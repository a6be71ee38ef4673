"""Tests of VGG: the tables of the paper and its arithmetic of 3x3 kernels.

The predictions are compared with Keras' own VGG16 and VGG19.
"""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.anatomy.summary import layer_table
from convlens.errors import ModelError
from convlens.zoo.create import create_model
from convlens.zoo.registry import model_info
from convlens.zoo.vgg import CONFIGURATIONS, vgg, vgg_block

TABLE_2 = {"A": 133, "A-LRN": 133, "B": 133, "C": 134, "D": 138, "E": 144}  # million parameters
PARAMS = {  # the same to the last one; D and E as keras.applications states them
    "A": 132_863_336,
    "A-LRN": 132_863_336,
    "B": 133_047_848,
    "C": 133_638_952,
    "D": 138_357_544,
    "E": 143_667_240,
}
DEPTHS = {"A": 11, "A-LRN": 11, "B": 13, "C": 16, "D": 16, "E": 19}  # weight layers, table 1
MAPS = [
    (112, 112, 64),
    (56, 56, 128),
    (28, 28, 256),
    (14, 14, 512),
    (7, 7, 512),
]  # after each pooling
NAMES = {"vgg11": "A", "vgg11_lrn": "A-LRN", "vgg13": "B", "vgg16_1x1": "C"}


def network(configuration, shape=(224, 224, 3), num_classes=1000):
    inputs = keras.Input(shape)
    return keras.Model(inputs, vgg(inputs, num_classes, configuration))


@pytest.mark.parametrize(
    "configuration", ["A", "C", *(pytest.param(c, marks=pytest.mark.slow) for c in ("B", "D", "E"))]
)
def test_table_1(configuration):
    model = network(configuration)
    assert model.count_params() == PARAMS[configuration]
    assert round(model.count_params() / 1e6) == TABLE_2[configuration]
    assert sum(bool(layer.weights) for layer in model.layers) == DEPTHS[configuration]
    assert [model.get_layer(f"block{n}_pool").output.shape[1:] for n in range(1, 6)] == MAPS
    assert model.get_layer("dense1").count_params() == 102_764_544


def test_registered_counts_are_the_papers():
    assert {name: model_info(name).num_params for name in NAMES} == {
        n: PARAMS[c] for n, c in NAMES.items()
    }
    assert {model_info(name).least_side for name in NAMES} == {32}


def test_c_ends_its_large_blocks_with_1x1():
    model = network("C", (32, 32, 3), 2)
    kernels = [layer.kernel_size[0] for layer in model.layers if isinstance(layer, layers.Conv2D)]
    assert kernels == [3, 3, 3, 3, *(3, 3, 1) * 3]
    assert [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("configuration", "twin"),
    [("D", "VGG16"), pytest.param("E", "VGG19", marks=pytest.mark.slow)],
)
def test_answers_as_keras_applications(configuration, twin):
    theirs = getattr(keras.applications, twin)(
        weights=None, input_shape=(32, 32, 3), classes=7, classifier_activation=None
    )
    ours = network(configuration, (32, 32, 3), 7)
    ours.set_weights(theirs.get_weights())
    pixels = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    np.testing.assert_allclose(
        ours.predict(pixels, verbose=0), theirs.predict(pixels, verbose=0), atol=1e-6
    )


def test_normalization_of_a_lrn_is_the_papers_on_pixels_to_255():
    inputs = keras.Input((8, 8, 3))
    plain = keras.Model(inputs, vgg_block(inputs, 16, (3,), name="plain"))
    normalized = keras.Model(inputs, vgg_block(inputs, 16, (3,), lrn=True, name="normalized"))
    normalized.set_weights(plain.get_weights())
    pixels = np.random.default_rng(0).random((2, 8, 8, 3), dtype=np.float32)
    maps = 255 * keras.ops.convert_to_numpy(
        keras.Model(inputs, plain.get_layer("plain_conv1").output)(pixels)
    )
    expected = np.zeros_like(maps)
    for channel in range(
        16
    ):  # Krizhevsky et al. 2012, section 3.3: n = 5, k = 2, alpha = 1e-4, beta = 0.75
        near = maps[..., max(0, channel - 2) : channel + 3]
        expected[..., channel] = maps[..., channel] / (2 + 1e-4 * (near**2).sum(-1)) ** 0.75
    expected = expected.reshape(2, 4, 2, 4, 2, 16).max((2, 4))
    by_k_alone = 255 * plain.predict(pixels, verbose=0) / 2**0.75
    assert expected.sum() < 0.8 * by_k_alone.sum()  # the squares count
    np.testing.assert_allclose(255 * normalized.predict(pixels, verbose=0), expected, rtol=1e-4)


def test_normalization_follows_the_first_convolution_of_a_lrn_only():
    fields = {name: [block.lrn for block in blocks] for name, blocks in CONFIGURATIONS.items()}
    assert fields.pop("A-LRN") == [True, False, False, False, False]
    assert not any(lrn for row in fields.values() for lrn in row)
    assert [block._replace(lrn=False) for block in CONFIGURATIONS["A-LRN"]] == list(
        CONFIGURATIONS["A"]
    )


def test_block_opens_in_a_file(tmp_path):
    inputs = keras.Input((9, 8, 2))
    model = keras.Model(inputs, vgg_block(inputs, 8, (3, 1), lrn=True, name="mine"))
    model.save(tmp_path / "block.keras")
    pixels = np.random.default_rng(0).random((2, 9, 8, 2), dtype=np.float32)
    again = keras.models.load_model(tmp_path / "block.keras")
    np.testing.assert_allclose(
        again.predict(pixels, verbose=0), model.predict(pixels, verbose=0), atol=1e-6
    )
    assert again.output_shape == (None, 4, 4, 8)


@pytest.mark.parametrize(
    ("kernel_sizes", "field"), [((3, 3), 5), ((3, 3, 3), 7), ((3, 3, 1), 5)]
)  # section 2.3
def test_stacked_kernels_see_as_a_larger_one(kernel_sizes, field):
    inputs = keras.Input((32, 32, 4))
    rows = layer_table(keras.Model(inputs, vgg_block(inputs, 4, kernel_sizes)))
    assert rows[len(kernel_sizes)].receptive_field == (field, field)
    assert sum(row.params for row in rows) == sum(k * k * 4 * 4 + 4 for k in kernel_sizes)


def test_takes_other_images_but_none_below_32():
    assert create_model("vgg11", input_shape=(32, 65, 1), num_classes=2).output_shape == (None, 2)
    with pytest.raises(
        ModelError, match="vgg11 needs images of at least 32 x 32 pixels; found 40 x 31"
    ):
        create_model("vgg11", input_shape=(40, 31, 3), num_classes=2)
