"""Inception-v4: the maps of the paper's figures, timm's count, and the least size."""

import math

import numpy as np
import pytest
from keras import layers

from convlens.config import ModelConfig
from convlens.errors import ModelError
from convlens.zoo.create import create_model
from convlens.zoo.registry import model_info

MAPS = (  # layer, map: figure 3, then figure 9
    ("stem_conv1", (149, 149, 32)),
    ("stem_conv2", (147, 147, 32)),
    ("stem_conv3", (147, 147, 64)),
    ("stem_fork4_concat", (73, 73, 160)),
    ("stem_fork5_concat", (71, 71, 192)),
    ("stem_fork6_concat", (35, 35, 384)),
    *((f"inception_a{number}_concat", (35, 35, 384)) for number in range(1, 5)),
    ("reduction_a1_concat", (17, 17, 1024)),
    *((f"inception_b{number}_concat", (17, 17, 1024)) for number in range(1, 8)),
    ("reduction_b1_concat", (8, 8, 1536)),
    *((f"inception_c{number}_concat", (8, 8, 1536)) for number in range(1, 4)),
    ("average", (1536,)),
)
BRANCHES = {  # module, branch -> (filters, kernel) of its convolutions: figures 4 to 8
    "inception_a1_branch3": [(64, (1, 1)), (96, (3, 3)), (96, (3, 3))],
    "inception_a4_branch4": [(96, (1, 1))],
    "reduction_a1_branch2": [(192, (1, 1)), (224, (3, 3)), (256, (3, 3))],
    "inception_b1_branch2": [(192, (1, 1)), (224, (1, 7)), (256, (7, 1))],
    "inception_b7_branch3": [
        (192, (1, 1)),
        (192, (7, 1)),
        (224, (1, 7)),
        (224, (7, 1)),
        (256, (1, 7)),
    ],
    "reduction_b1_branch2": [(256, (1, 1)), (256, (1, 7)), (320, (7, 1)), (320, (3, 3))],
    "inception_c3_branch2": [(384, (1, 1)), (256, (1, 3)), (256, (3, 1))],
    "inception_c1_branch3": [
        (384, (1, 1)),
        (448, (3, 1)),
        (512, (1, 3)),
        (256, (1, 3)),
        (256, (3, 1)),
    ],
}


@pytest.fixture(scope="module")
def model():
    return create_model("inception_v4")


def test_published_count(model):
    assert (
        sum(math.prod(weight.shape) for weight in model.trainable_weights) == 42_679_816
    )  # timm 1.0.31
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    assert len(convolutions) == 149  # timm 1.0.31
    assert not any(layer.use_bias for layer in convolutions)
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert {(layer.epsilon, layer.momentum, layer.scale) for layer in norms} == {(1e-3, 0.9, True)}
    assert model.get_layer("dropout").rate == 0.2  # the paper keeps 0.8


def test_maps_of_the_paper(model):
    assert [(name, model.get_layer(name).output.shape[1:]) for name, _ in MAPS] == list(MAPS)
    modules = [
        layer.name for layer in model.layers if layer.name.startswith(("inception", "reduction"))
    ]
    assert (
        sum(name.endswith("_concat") and "_branch" not in name for name in modules)
        == 4 + 1 + 7 + 1 + 3
    )


@pytest.mark.parametrize("branch", BRANCHES)
def test_branches_of_the_paper(model, branch):
    found = [
        (layer.filters, layer.kernel_size)
        for layer in model.layers
        if isinstance(layer, layers.Conv2D) and layer.name.startswith(f"{branch}_")
    ]
    assert sorted(found[-2:]) == sorted(
        BRANCHES[branch][-2:]
    )  # the two ends of a fork have no order
    assert found[:-2] == BRANCHES[branch][:-2]


@pytest.mark.slow
def test_too_small_says_the_least():
    with pytest.raises(
        ModelError, match="inception_v4 needs images of at least 75 x 75 pixels; found 74 x 90"
    ):
        create_model("inception_v4", input_shape=(74, 90, 3))


@pytest.mark.slow
def test_runs_at_the_least_size():
    model = create_model("inception_v4", input_shape=(75, 80, 1), num_classes=2)
    assert model.predict(np.ones((1, 75, 80, 1), np.float32), verbose=0).shape == (1, 2)


@pytest.mark.slow
def test_small_stem_takes_small_images():
    model = create_model("inception_v4", input_shape=(32, 32, 3), config=ModelConfig(stem="small"))
    assert model.get_layer("stem_fork4_concat").output.shape == (None, 26, 26, 160)
    assert model.get_layer("inception_c3_concat").output.shape == (None, 2, 2, 1536)
    assert model.count_params() == model_info("inception_v4").num_params
