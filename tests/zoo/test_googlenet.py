"""GoogLeNet: the modules of the lecture, table 1 of the paper and the auxiliary heads."""

from functools import cache

import keras
import numpy as np
import pytest
from keras import layers

from convlens.anatomy.summary import count_multiply_adds, layer_table
from convlens.errors import ModelError
from convlens.zoo.create import create_model
from convlens.zoo.googlenet import STAGES, Branches, inception_module

NAIVE = Branches(64, None, 128, None, 32, None)
REDUCED = Branches(64, 64, 128, 16, 32, 32)
TABLE_1 = {  # output, million multiply-adds
    "conv1": ((112, 112, 64), 34),
    "conv2": ((56, 56, 192), 360),
    "inception3a": ((28, 28, 256), 128),
    "inception3b": ((28, 28, 480), 304),
    "inception4a": ((14, 14, 512), 73),
    "inception4b": ((14, 14, 512), 88),
    "inception4c": ((14, 14, 512), 100),
    "inception4d": ((14, 14, 528), 119),
    "inception4e": ((14, 14, 832), 170),
    "inception5a": ((7, 7, 832), 54),
    "inception5b": ((7, 7, 1024), 71),
    "logits": ((1000,), 1),
}
PRINTED_K = {  # parameters of the modules in thousands of 1024
    "inception3a": 159,
    "inception3b": 380,
    "inception4a": 364,
    "inception4b": 437,
    "inception4c": 463,
    "inception4d": 580,
    "inception4e": 840,
    "inception5a": 1072,
    "inception5b": 1388,
}


@cache
def rows():
    return layer_table(create_model("googlenet"))


def total(part, field):
    return sum(getattr(row, field) for row in rows() if row.name.split("_")[0] == part)


@pytest.mark.parametrize(
    ("branches", "params", "channels"), [(NAIVE, 403_424, 424), (REDUCED, 122_064, 256)]
)
def test_modules_of_the_lecture(branches, params, channels):
    inputs = keras.Input((10, 10, 200))
    model = keras.Model(inputs, inception_module(inputs, branches, "module"))
    assert model.count_params() == params
    assert model.output_shape == (None, 10, 10, channels)


def test_naive_module_hands_on_the_pooled_maps():
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(
        inputs, inception_module(inputs, Branches(2, None, 2, None, 2, None), "module")
    )
    pixels = np.random.default_rng(0).random((1, 6, 6, 3), dtype=np.float32)
    maps = model.predict(pixels, verbose=0)
    assert (maps[0, 2, 3, 6:] == pixels[0, 1:4, 2:5].max((0, 1))).all()
    assert (
        maps[0, 0, 0, 6:] == pixels[0, :2, :2].max((0, 1))
    ).all()  # the border counts for nothing


def test_counts():
    assert create_model("googlenet").count_params() == 6_998_552
    assert sum(row.trainable for row in rows()) == 6_998_552
    assert create_model("googlenet_auxiliary").count_params() == 13_378_280


@pytest.mark.parametrize("part", TABLE_1)
def test_table_1(part):
    shape, millions = TABLE_1[part]
    last = [row for row in rows() if row.name.split("_")[0] == part][-1]
    assert last.output_shape == shape
    found = total(part, "multiply_adds") / 1e6
    if part == "conv1":  # printed for a separable convolution of depth multiplier 8
        separable = 112 * 112 * (7 * 7 * 3 * 8 + 3 * 8 * 64) / 1e6
        assert separable == pytest.approx(millions, abs=0.5)
        assert found == pytest.approx(118, abs=0.5)
    elif part == "inception5a":  # printed for a reduction to 48 before the 5x5
        assert found + 49 * 16 * (832 + 25 * 128) / 1e6 == pytest.approx(millions, abs=0.5)
    else:
        assert found == pytest.approx(millions, abs=0.7)
    if part in PRINTED_K:
        assert PRINTED_K[part] == pytest.approx(total(part, "params") / 1024, rel=0.075)


def test_22_layers_deep():
    depths = []
    for row in rows():
        depths.append(max((depths[number] for number in row.inputs), default=0) + (row.params > 0))
    assert depths[-1] == 22  # section 5
    assert sum(len(modules) for modules in STAGES.values()) == 9


def test_normalization_and_pooling_come_as_in_figure_3():
    kinds = [row.kind for row in rows()]
    names = [row.name for row in rows()]
    sums = [at for at, kind in enumerate(kinds) if kind == "Matmul"]
    assert len(sums) == 2
    assert names.index("pool1") < sums[0] < names.index("conv2_reduce")
    assert names.index("conv2") < sums[1] < names.index("pool2")
    pools = [
        row.output_shape[0] for row in rows() if row.name in ("pool1", "pool2", "pool3", "pool4")
    ]
    assert pools == [56, 28, 14, 7]


def test_auxiliary_heads():
    model = create_model("googlenet_auxiliary")
    assert [tuple(logits.shape) for logits in model.outputs] == [(None, 1000)] * 3
    assert model.get_layer("auxiliary1_pool").output.shape[1:] == (4, 4, 512)
    assert model.get_layer("auxiliary2_pool").output.shape[1:] == (4, 4, 528)
    first, second = (model.get_layer(f"auxiliary{n}_pool").input for n in (1, 2))
    assert first is model.get_layer("inception4a_concat").output
    assert second is model.get_layer("inception4d_concat").output
    rates = {layer.name: layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)}
    assert rates == {"dropout": 0.4, "auxiliary1_dropout": 0.7, "auxiliary2_dropout": 0.7}
    without = keras.Model(model.input, model.outputs[0])
    assert without.count_params() == 6_998_552
    assert count_multiply_adds(without) == count_multiply_adds(create_model("googlenet"))


def test_takes_other_images():
    assert create_model("googlenet", input_shape=(1, 9, 1), num_classes=2).output_shape == (None, 2)
    shapes = create_model(
        "googlenet_auxiliary", input_shape=(65, 90, 1), num_classes=2
    ).output_shape
    assert shapes == [(None, 2)] * 3
    with pytest.raises(
        ModelError,
        match="googlenet_auxiliary needs images of at least 65 x 65 pixels; found 64 x 80",
    ):
        create_model("googlenet_auxiliary", input_shape=(64, 80, 3), num_classes=2)
