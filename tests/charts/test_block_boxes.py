"""The layers between two layers, and what is written on their boxes."""

import keras
import pytest
from keras import layers

from convlens.charts.architecture import FACES
from convlens.charts.block_boxes import boxes_between
from convlens.errors import ConfigError
from convlens.zoo.create import create_model


@pytest.fixture(scope="module")
def resnet():
    return create_model("resnet20")


def test_a_residual_block(resnet):
    boxes = boxes_between(resnet, "stage1_block1_relu2", "stage1_block2_relu2")
    assert [box.lines for box in boxes] == [
        ("ReLU", "32 × 32 × 16"),
        ("conv 3×3", "16 filters", "32 × 32 × 16", "2,304 parameters"),
        ("batch normalization", "64 parameters"),
        ("ReLU",),
        ("conv 3×3", "16 filters", "32 × 32 × 16", "2,304 parameters"),
        ("batch normalization", "64 parameters"),
        ("add", "32 × 32 × 16"),
        ("ReLU",),
    ]
    assert [box.row.inputs for box in boxes] == [(), (0,), (1,), (2,), (3,), (4,), (0, 5), (6,)]
    assert boxes[1].color == FACES["layers"]
    assert boxes[2].color == "white"


def test_only_what_lies_on_the_way(resnet):
    """The shortcut of the next stage is on the way from the block before, not from its border."""
    names = [box.row.name for box in boxes_between(
        resnet, "stage2_block1_conv1_border", "stage2_block1_conv2_norm")]  # fmt: skip
    assert names[0] == "stage2_block1_conv1_border"
    assert "stage2_block1_skip" not in names
    assert len(names) == 6
    whole = boxes_between(resnet, "stage1_block3_relu2", "stage2_block1_add")
    assert "stage2_block1_skip" in [box.row.name for box in whole]


def test_a_separable_convolution_is_two():
    inputs = keras.Input((32, 32, 64))
    layer = layers.SeparableConv2D(128, 3, strides=2, padding="same", activation="relu")
    boxes = boxes_between(keras.Model(inputs, layer(inputs)), None, None)
    assert [box.lines for box in boxes] == [
        ("input", "32 × 32 × 64"),
        ("depthwise conv 3×3", "strides 2", "16 × 16 × 64", "576 parameters"),
        ("conv 1×1 + ReLU", "128 filters", "16 × 16 × 128", "8,320 parameters"),
    ]
    assert sum(box.row.params for box in boxes) == layer.count_params()


def test_dense_layers_and_activations():
    model = keras.Sequential(
        [keras.Input((4, 4, 2)), layers.Flatten(), layers.Dense(3), layers.Activation("softmax")]
    )
    assert [box.lines for box in boxes_between(model, None, None)][1:] == [
        ("flatten", "32"),
        ("dense", "3 units", "99 parameters"),
        ("softmax",),
    ]


def test_layers_that_do_not_fit(resnet):
    with pytest.raises(ConfigError, match="nothing must be the name of a layer of the model; they"):
        boxes_between(resnet, "nothing", None)
    with pytest.raises(ConfigError, match=r"between logits and stem_relu .* found 0"):
        boxes_between(resnet, "logits", "stem_relu")
    x = inputs = keras.Input((4, 4, 1))
    for _ in range(130):
        x = layers.ReLU()(x)
    with pytest.raises(ConfigError, match="at most 120 layers; found 131"):
        boxes_between(keras.Model(inputs, x), None, None)
