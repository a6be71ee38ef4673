"""ResNet: the tables of the paper, torchvision's counts, both shortcuts and both precisions."""

import math
from functools import cache

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import with_precision
from convlens.config import ModelConfig
from convlens.zoo.create import create_model
from convlens.zoo.registry import model_info
from convlens.zoo.resnet import basic_block

# The first two numbers are those of torchvision 0.29.1. Table 6 of the paper gives 0.27, 0.46,
# 0.66, 0.85 and 1.7 million for the others.
TRAINABLE = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
}
TABLE_1 = (  # layer, map
    ("stem_conv", (112, 112, 64)),
    ("stem_pool", (56, 56, 64)),
    ("stage1", (56, 56, 64)),
    ("stage2", (28, 28, 128)),
    ("stage3", (14, 14, 256)),
    ("stage4", (7, 7, 512)),
)
SECTION_4_2 = (
    ("stem_conv", (32, 32, 16)),
    ("stage1", (32, 32, 16)),
    ("stage2", (16, 16, 32)),
    ("stage3", (8, 8, 64)),
)


paper_model = cache(create_model)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow)
        if name in ("resnet32", "resnet44", "resnet56")
        else name
        for name in TRAINABLE
    ],
)
def test_published_counts(name):
    model = paper_model(name)
    assert sum(math.prod(weight.shape) for weight in model.trainable_weights) == TRAINABLE[name]
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    assert not any(layer.use_bias for layer in convolutions)
    in_a_row = [layer for layer in convolutions if "shortcut" not in layer.name]
    assert len(in_a_row) + 1 == int(
        name.removeprefix("resnet")
    )  # and the logits: the depth in the name


def test_multiply_adds_of_torchvision():
    assert round(model_info("resnet18").multiply_adds / 1e9, 3) == 1.814
    assert round(model_info("resnet34").multiply_adds / 1e9, 3) == 3.664


@pytest.mark.parametrize(
    ("name", "table", "blocks"),
    [
        ("resnet18", TABLE_1, (2, 2, 2, 2)),
        ("resnet34", TABLE_1, (3, 4, 6, 3)),
        ("resnet20", SECTION_4_2, (3, 3, 3)),
    ],
)
def test_maps_of_the_paper(name, table, blocks):
    model = paper_model(name)
    names = {layer.name for layer in model.layers}
    for row, shape in table:
        if row.startswith("stage"):
            count = blocks[int(row[-1]) - 1]
            assert f"{row}_block{count + 1}_add" not in names
            for block in range(1, count + 1):
                assert model.get_layer(f"{row}_block{block}_add").output.shape == (None, *shape)
        else:
            assert model.get_layer(row).output.shape == (None, *shape)


@pytest.mark.parametrize(("name", "shortcuts"), [("resnet18", 3), ("resnet34", 3), ("resnet20", 0)])
def test_only_photographs_have_projections(name, shortcuts):
    model = paper_model(name)
    found = [layer for layer in model.layers if layer.name.endswith("_shortcut")]
    assert len(found) == shortcuts
    assert all(layer.kernel_size == (1, 1) and layer.strides == (2, 2) for layer in found)
    assert sum(layer.name.endswith("_zeros") for layer in model.layers) == (
        2 if shortcuts == 0 else 0
    )


def test_borders_are_symmetric_and_statistics_the_papers():
    model = paper_model("resnet18")
    assert model.get_layer("stem_conv_border").padding == ((3, 3), (3, 3))
    assert model.get_layer("stem_pool_border").padding == ((1, 1), (1, 1))
    assert model.get_layer("stage2_block1_conv1_border").padding == ((1, 1), (1, 1))
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert {(layer.epsilon, layer.momentum) for layer in norms} == {(1e-5, 0.9)}


def silent_block(shape, filters, **options):
    """Return a basic block whose F(x) is 0."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, basic_block(inputs, filters, "block", **options))
    model.get_layer("block_conv2_norm").gamma.assign(np.zeros(filters))
    return model


@pytest.mark.parametrize("shape", [(8, 8, 4), (7, 5, 4), (1, 2, 4)])
def test_shortcut_a_is_every_second_value_and_zeros(shape):
    x = np.random.default_rng(0).random((2, *shape), dtype=np.float32)
    block = silent_block(shape, 10, strides=2, projection=False)
    found = np.asarray(block(x, training=False))
    np.testing.assert_array_equal(found[..., :4], x[:, ::2, ::2])
    assert found.shape[-1] == 10
    assert not found[..., 4:].any()


@pytest.mark.parametrize("projection", [True, False])
def test_block_with_nothing_to_add_leaves_the_map(projection):
    x = np.random.default_rng(0).random((2, 5, 5, 4), dtype=np.float32)
    model = silent_block((5, 5, 4), 4, projection=projection)
    np.testing.assert_array_equal(model(x, training=False), x)
    assert not any(layer.name.startswith("block_shortcut") for layer in model.layers)


@pytest.mark.parametrize(
    ("name", "shape"), [("resnet18", (1, 1, 1)), ("resnet18", (33, 70, 4)), ("resnet20", (1, 3, 1))]
)
def test_any_size_and_channels(name, shape):
    model = create_model(name, input_shape=shape, num_classes=2)
    logits = model(np.ones((1, *shape), np.float32), training=False)
    assert logits.shape == (1, 2)
    assert np.isfinite(logits).all()


def test_small_stem_keeps_small_images():
    model = create_model("resnet18", input_shape=(32, 32, 3), config=ModelConfig(stem="small"))
    assert model.get_layer("stage1_block1_add").output.shape == (None, 32, 32, 64)
    assert model.get_layer("stage4_block2_add").output.shape == (None, 4, 4, 512)
    assert model.count_params() == model_info("resnet18").num_params


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_resnet20_learns(policy):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    patterns = rng.random((10, 4, 4, 3), dtype=np.float32).repeat(8, axis=1).repeat(8, axis=2)
    labels = rng.integers(0, 10, 512)
    images = (patterns[labels] + rng.random((512, 32, 32, 3), dtype=np.float32)) / 2
    model = with_precision(create_model("resnet20"), policy)
    assert model.get_layer("stage2_block1_zeros").compute_dtype == (
        "float32" if policy == "float32" else "bfloat16"
    )
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(images, labels, batch_size=32, epochs=2, verbose=0).history["loss"]
    assert losses[1] < 0.5 < 1 < losses[0]
