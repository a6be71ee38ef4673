"""Tests of Inception v2: figure 5 of the paper row by row, and its number of parameters.

The number is compared with that of other libraries, and the difference is explained.
"""

from functools import cache

import pytest
from keras import layers

from convlens.anatomy.summary import layer_table
from convlens.zoo.create import create_model
from convlens.zoo.inception_v2 import MODULES

FIGURE_5 = {  # output (3c and 4e after they are halved), parameters by k * k * i * o + 4 * o
    "conv1": ((112, 112, 64), 2_968),
    "conv2": ((56, 56, 192), 115_712),
    "inception3a": ((28, 28, 256), 220_032),
    "inception3b": ((28, 28, 320), 261_248),
    "inception3c": ((14, 14, 576), 386_176),
    "inception4a": ((14, 14, 576), 611_712),
    "inception4b": ((14, 14, 576), 667_136),
    "inception4c": ((14, 14, 576), 897_920),
    "inception4d": ((14, 14, 576), 1_110_144),
    "inception4e": ((7, 7, 1024), 1_441_792),
    "inception5a": ((7, 7, 1024), 2_185_472),
    "inception5b": ((7, 7, 1024), 2_282_880),
    "logits": ((1000,), 1_025_000),
}


@cache
def model():
    return create_model("inception_v2")


@cache
def rows():
    return layer_table(model())


@pytest.mark.parametrize("part", FIGURE_5)
def test_figure_5(part):
    shape, params = FIGURE_5[part]
    mine = [row for row in rows() if row.name.split("_")[0] == part]
    assert mine[-1].output_shape == shape
    assert sum(row.params for row in mine) == params


def test_counts():
    assert model().count_params() == sum(params for _, params in FIGURE_5.values()) == 11_208_192
    assert sum(row.trainable for row in rows()) == 11_188_288
    channels = sum(row.output_shape[-1] for row in rows() if row.kind == "BatchNormalization")
    assert channels == 9_952
    plain_conv1 = 7 * 7 * 3 * 64 - (7 * 7 * 3 * 8 + 3 * 8 * 64)
    projection_4c = (
        576 * 32 + 3 * 32
    )  # 128 instead of 96; each filter has a bias, a scale and a shift there
    inputs_4d = 32 * (96 + 128 + 160)
    projection_4d = 608 * 128 - 576 * 96 + 3 * 32
    inputs_4e = 32 * (128 + 192)
    inputs_5a = 32 * (352 + 192 + 160 + 128)
    more = projection_4c + inputs_4d + projection_4d + inputs_4e + inputs_5a
    assert (
        11_188_288 + channels + plain_conv1 + more == 11_295_240
    )  # pretrainedmodels and pytorchcv


def test_first_layer_is_separable_with_depth_multiplier_8():
    first = model().get_layer("conv1_conv")
    assert isinstance(first, layers.SeparableConv2D)
    assert tuple(first.depthwise_kernel.shape) == (7, 7, 3, 8)
    assert tuple(first.pointwise_kernel.shape) == (1, 1, 24, 64)


def test_every_convolution_is_normalized_and_has_no_bias():
    convolutions = [
        layer
        for layer in model().layers
        if isinstance(layer, layers.Conv2D | layers.SeparableConv2D)
    ]
    assert all(not layer.use_bias for layer in convolutions)
    kinds = [row.kind for row in rows()]
    assert len(convolutions) == kinds.count("BatchNormalization") == kinds.count("ReLU") == 69
    assert "Dropout" not in kinds  # section 4.2.1


def test_halving_modules_pass_their_pooling_through():
    halving = [name for name, module in MODULES.items() if not module.conv1]
    assert halving == ["3c", "4e"]
    for name in halving:
        strides = {
            layer.name.removeprefix(f"inception{name}_"): layer.strides[0]
            for layer in model().layers
            if layer.name.startswith(f"inception{name}_") and hasattr(layer, "strides")
        }
        ones = {"3x3_reduce_conv": 1, "double_reduce_conv": 1, "double1_conv": 1}
        assert strides == ones | {"3x3_conv": 2, "double2_conv": 2, "pool": 2}
        pool = model().get_layer(f"inception{name}_pool")
        assert isinstance(pool, layers.MaxPooling2D)
        assert any(
            tensor is pool.output for tensor in model().get_layer(f"inception{name}_concat").input
        )


def test_pooling_is_average_but_for_the_last_module():
    kinds = {name: type(model().get_layer(f"inception{name}_pool")).__name__ for name in MODULES}
    assert [name for name, kind in kinds.items() if kind == "MaxPooling2D"] == ["3c", "4e", "5b"]
    assert set(kinds.values()) == {"MaxPooling2D", "AveragePooling2D"}


def test_depth():
    depths = []
    for row in rows():
        here = row.kind in ("Conv2D", "SeparableConv2D", "Dense")
        depths.append(max((depths[number] for number in row.inputs), default=0) + here)
    assert (
        depths[-1] == 22 + 9 + 3
    )  # GoogLeNet's, one more a module (the appendix), and a tenth module


def test_takes_other_images():
    for shape in ((1, 1, 1), (33, 20, 4)):
        small = create_model("inception_v2", input_shape=shape, num_classes=3)
        assert small.output_shape == (None, 3)
