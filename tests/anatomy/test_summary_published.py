"""The layer table of networks of papers against the numbers that were published."""

import math

import keras
import pytest

from convlens.anatomy.summary import brief, count_multiply_adds, layer_table
from convlens.zoo.create import create_model
from tests.anatomy.test_summary import rows_of

# The side of the image, the multiply-adds in billions as published, and the receptive field of the
# last map. The receptive fields are those of Araujo, Norris and Sim, who publish a table with their
# article (github.com/google-research/receptive_field); they count an addition as an operation of
# its own. None stands for the whole image (squeeze and excitation), and ... for a value that is not
# published.
PUBLISHED = {
    "ResNet50": (224, 3.8, 483),  # He et al. 2015, table 1
    "ResNet101": (224, 7.6, 1027),
    "ResNet152": (224, 11.3, 1507),
    "MobileNet": (224, 0.569, 315),  # Howard et al. 2017, table 8
    "InceptionV3": (224, 5.69 / 2, 1311),  # Araujo et al.
    "InceptionResNetV2": (299, ..., 3039),
    "MobileNetV2": (224, 0.300, ...),  # Sandler et al. 2018, table 4
    "MobileNetV3Large": (224, 0.219, None),  # Howard et al. 2019, table 3: 219 million
    "MobileNetV3Small": (224, 0.056, None),  # the same
    "EfficientNetB0": (224, 0.39, None),  # Tan, Le 2019, table 2
    "ConvNeXtTiny": (224, 4.5, ...),  # Liu et al. 2022, table 1
}


QUICK = ("ResNet50", "MobileNet", "MobileNetV3Small")


# Araujo et al.: receptive field and stride after each end point.
ALONG_THE_WAY = {
    "VGG16": {
        "block1_conv1": (3, 1), "block1_pool": (6, 2), "block2_conv1": (10, 2),
        "block2_pool": (16, 4), "block3_conv1": (24, 4), "block3_conv2": (32, 4),
        "block3_pool": (44, 8), "block4_conv1": (60, 8), "block4_conv2": (76, 8),
        "block4_pool": (100, 16), "block5_conv1": (132, 16), "block5_conv2": (164, 16),
        "block5_pool": (212, 32),
    },
    "InceptionV3": {
        "conv2d": (3, 2), "conv2d_1": (7, 2), "conv2d_2": (11, 2), "max_pooling2d": (15, 4),
        "conv2d_3": (15, 4), "conv2d_4": (23, 4), "max_pooling2d_1": (31, 8), "mixed0": (63, 8),
        "mixed1": (95, 8), "mixed2": (127, 8), "mixed3": (159, 16), "mixed4": (351, 16),
        "mixed5": (543, 16), "mixed6": (735, 16), "mixed7": (927, 16), "mixed8": (1055, 32),
        "mixed9": (1183, 32), "mixed10": (1311, 32),
    },
    "MobileNet": {
        "conv1": (3, 2), "conv_pw_1": (7, 2), "conv_pw_2": (11, 4), "conv_pw_3": (19, 4),
        "conv_pw_4": (27, 8), "conv_pw_5": (43, 8), "conv_pw_6": (59, 16), "conv_pw_7": (91, 16),
        "conv_pw_11": (219, 16), "conv_pw_12": (251, 32), "conv_pw_13": (315, 32),
    },
    # The strides are those of Keras, which halves the map where a stage begins; the original
    # network halves it where a stage ends.
    "ResNet50": {
        "conv2_block3_out": (35, 4), "conv3_block4_out": (99, 8), "conv4_block6_out": (291, 16),
        "conv5_block3_out": (483, 32),
    },
}  # fmt: skip


def build(name, side):
    keras.backend.clear_session()  # names without numbers of earlier models
    return getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3))


def square(pair):
    assert pair is None or pair[0] == pair[1]
    return pair and pair[0]


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PUBLISHED],
)
def test_published_multiply_adds_and_receptive_fields(name):
    side, billions, field = PUBLISHED[name]
    model = build(name, side)
    assert billions is ... or count_multiply_adds(model) / 1e9 == pytest.approx(billions, rel=0.02)
    rows = layer_table(model)
    last = [row for row in rows if row.stride is not None][-1]
    assert field is ... or square(last.receptive_field) == field
    assert sum(row.params for row in rows) == model.count_params()
    assert sum(row.trainable for row in rows) == sum(
        math.prod(w.shape) for w in model.trainable_weights
    )
    assert sum(row.multiply_adds for row in rows) == count_multiply_adds(model)
    assert sum(row.params for row in brief(rows)) == model.count_params()
    assert sum(row.multiply_adds for row in brief(rows)) == count_multiply_adds(model)


@pytest.mark.parametrize(
    "name",
    [
        "MobileNet",
        "ResNet50",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("VGG16", "InceptionV3")),
    ],
)
def test_published_fields_and_strides_layer_by_layer(name):
    rows = rows_of(build(name, 299 if name == "InceptionV3" else 224))
    found = {
        end: (square(rows[end].receptive_field), square(rows[end].stride))
        for end in ALONG_THE_WAY[name]
    }
    assert found == ALONG_THE_WAY[name]


@pytest.mark.slow
def test_vgg16_and_alexnet_by_hand():
    vgg = (
        3 * 64 * 224**2
        + 64 * 64 * 224**2
        + (64 * 128 + 128 * 128) * 112**2
        + (128 * 256 + 2 * 256**2) * 56**2
    )
    vgg += (256 * 512 + 2 * 512**2) * 28**2 + 3 * 512**2 * 14**2
    dense = 7 * 7 * 512 * 4096 + 4096**2 + 4096 * 1000
    assert 9 * vgg + dense == 15_470_264_320  # "15.5 billion" of every comparison
    assert count_multiply_adds(build("VGG16", 224)) == 9 * vgg + dense
    towers = 11 * 11 * 3 * 96 * 55**2 + 5 * 5 * 48 * 256 * 27**2
    towers += (
        3 * 3 * (256 * 384 + 192 * 384 + 192 * 256) * 13**2
        + 6 * 6 * 256 * 4096
        + 4096**2
        + 4096 * 1000
    )
    model = create_model("alexnet_2towers")
    assert count_multiply_adds(model) == towers == 724_406_816
    last = [row for row in layer_table(model) if row.stride is not None][-1]
    assert (last.receptive_field, last.stride) == (
        (195, 195),
        (32, 32),
    )  # Araujo et al., alexnet_v2 at pool5
