"""Stages and blocks: what the papers' tables say of each network, found in its graph."""

import keras
import pytest
from keras import layers

from convlens.anatomy.describe import describe
from convlens.anatomy.stages import Block, divide
from convlens.anatomy.summary import layer_table
from convlens.zoo.create import create_model
from convlens.zoo.registry import list_models, model_info

RESNET50 = {  # He et al. 2015, table 1
    "112x112": ["conv 7x7 64 /2"],
    "56x56": [
        "max pool 3x3 /2",
        "3 × residual:",
        "  1x1 64, 3x3 64, 1x1 256",
        "  shortcut 1x1 in 1 of 3",
    ],
    "28x28": ["4 × residual:", "  1x1 128, 3x3 128, 1x1 512", "  shortcut 1x1 in 1 of 4"],
    "14x14": ["6 × residual:", "  1x1 256, 3x3 256, 1x1 1024", "  shortcut 1x1 in 1 of 6"],
    "7x7": ["3 × residual:", "  1x1 512, 3x3 512, 1x1 2048", "  shortcut 1x1 in 1 of 3"],
    "2048": ["global average"],
    "1000": ["dense 1000"],
}
DENSENET121 = {  # Huang et al. 2016, table 1
    "112x112": ["conv 7x7 64 /2"],
    "56x56": ["max pool 3x3 /2", "6 × joined to its input:", "  1x1 128, 3x3 32", "conv 1x1 128"],
    "28x28": [
        "average pool 2x2 /2",
        "12 × joined to its input:",
        "  1x1 128, 3x3 32",
        "conv 1x1 256",
    ],
    "14x14": [
        "average pool 2x2 /2",
        "24 × joined to its input:",
        "  1x1 128, 3x3 32",
        "conv 1x1 512",
    ],
    "7x7": ["average pool 2x2 /2", "16 × joined to its input:", "  1x1 128, 3x3 32"],
    "1024": ["global average"],
    "1000": ["dense 1000"],
}
INCEPTION_V3_LAST = [  # Szegedy et al. 2015, figures 10 and 7
    "branches:",
    "  1x1 192, 3x3 320",
    "  1x1 192, 1x7 192, 7x1 192, 3x3 192",
    "  max pool 3x3",
    "2 × branches:",
    "  1x1 320",
    "  1x1 384, (1x3 384 | 3x1 384)",
    "  1x1 448, 3x3 384, (1x3 384 | 3x1 384)",
    "  average pool 3x3, 1x1 192",
]


def told(model):
    """Words by map, the image left out."""
    stages = divide(layer_table(model))
    assert stages[0].parts[0].kind == "InputLayer"
    return {
        "x".join(map(str, stage.output_shape[:2])): describe(stage.parts) for stage in stages[1:]
    }


@pytest.mark.slow
@pytest.mark.parametrize(("name", "table"), [("ResNet50", RESNET50), ("DenseNet121", DENSENET121)])
def test_the_papers_tables(name, table):
    assert told(getattr(keras.applications, name)(weights=None)) == table


@pytest.mark.slow
def test_inception_modules():
    assert told(keras.applications.InceptionV3(weights=None))["8x8"] == INCEPTION_V3_LAST


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_every_model_is_described_whole(name):
    model = create_model(name)
    stages = divide(layer_table(keras.Model(model.inputs, model.outputs[0])))
    if len(model.outputs) == 1:
        assert sum(stage.params for stage in stages) == model_info(name).num_params
        assert sum(stage.multiply_adds for stage in stages) == model_info(name).multiply_adds
    words = [word for stage in stages for line in describe(stage.parts) for word in line.split()]
    assert len(stages) < 20
    assert len(words) < 300
    assert not {"layers", "lambda"} & set(words)  # every graph could be divided


def test_a_lecture_network():
    assert told(create_model("cifar_4conv")) == {
        "32x32": ["2 × conv 3x3 32"],
        "16x16": ["max pool 2x2 /2", "2 × conv 3x3 64"],
        "8x8": ["max pool 2x2 /2"],
        "512": ["flatten", "dense 512"],
        "10": ["dense 10"],
    }


def conv(filters, size=3, **options):
    return layers.Conv2D(filters, size, padding="same", **options)


def test_a_graph_that_cannot_be_divided_is_one_block():
    inputs = keras.Input((8, 8, 4))
    a, b = conv(4)(inputs), conv(4)(inputs)
    for _ in range(7):  # each layer takes both ways
        a, b = layers.Add()([conv(4)(a), b]), layers.Add()([a, conv(4)(b)])
    stages = divide(layer_table(keras.Model(inputs, layers.Add()([a, b]))))
    block = stages[-1].parts[0]
    assert isinstance(block, Block)
    assert describe(stages[-1].parts) == ["residual:", "  30 layers"]
    assert stages[-1].params == 16 * (9 * 16 + 4)


def test_nothing_is_lost_in_borders_and_reshapes():
    inputs = keras.Input((8, 8, 4))
    x = layers.ZeroPadding2D(1)(inputs)
    x = layers.BatchNormalization()(
        layers.Flatten()(conv(4)(layers.ZeroPadding2D(1)(layers.BatchNormalization()(x))))
    )
    model = keras.Model(inputs, layers.Reshape((2, 5))(layers.Dense(10)(x)))
    stages = divide(layer_table(model))
    assert sum(stage.params for stage in stages) == model.count_params()
    assert [describe(stage.parts) for stage in stages] == [
        ["image"],
        ["conv 3x3 4"],
        ["flatten", "dense 10"],
    ]
