"""DenseNet: the counts of the paper, the maps of a block, both block types and both precisions."""

import math

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import with_precision
from convlens.errors import ModelError
from convlens.zoo.create import create_model
from convlens.zoo.densenet import dense_block, transition

# The layers and their feature maps: 24 channels at first, 16 layers in each block that add 12
# channels each, and half of the channels after a transition.
MAPS = (
    ("stem_conv", (32, 32, 24)),
    ("block1_layer16_concat", (32, 32, 216)),
    ("transition1_pool", (16, 16, 108)),
    ("block2_layer16_concat", (16, 16, 300)),
    ("transition2_pool", (8, 8, 150)),
    ("block3_layer16_concat", (8, 8, 342)),
)


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def by_hand():
    """Return the trainable parameters of DenseNet-BC with L = 100 and k = 12.

    They are computed layer by layer from section 3 of the paper.
    """
    count, channels = 3 * 24 * 9, 24
    for block in range(3):
        for _ in range(16):
            count += 2 * channels + channels * 48 + 2 * 48 + 48 * 12 * 9
            channels += 12
        if block < 2:
            count += 2 * channels + channels * channels // 2
            channels //= 2
    return count + 2 * channels + channels * 10 + 10


def test_published_count_and_depth():
    model = create_model("densenet_bc_100_12")
    assert trainable(model) == by_hand() == 769_162
    assert round(trainable(model) / 1e6, 1) == 0.8  # the paper's table 2
    weighted = [layer for layer in model.layers if isinstance(layer, layers.Conv2D | layers.Dense)]
    assert len(weighted) == 100
    assert not any(layer.use_bias for layer in weighted[:-1])
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert {(layer.epsilon, layer.momentum) for layer in norms} == {(1e-5, 0.9)}
    for name, shape in MAPS:
        assert model.get_layer(name).output.shape == (None, *shape)


def test_type_a_gives_the_papers_plain_densenet():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for block in (1, 2, 3):
        x = dense_block(x, 12, 12, f"block{block}", bottleneck=False)
        if block < 3:
            x = transition(x, f"transition{block}", compression=1)
    x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
    model = keras.Model(inputs, layers.Dense(10)(x))
    assert round(trainable(model) / 1e6, 1) == 1.0  # the paper's table 2, L = 40 and k = 12


def test_types_differ_by_the_bottleneck():
    inputs = keras.Input((8, 8, 20))
    type_a = keras.Model(inputs, dense_block(inputs, 1, 12, "a", bottleneck=False))
    type_b = keras.Model(inputs, dense_block(inputs, 1, 12, "b"))
    assert type_a.output_shape == type_b.output_shape == (None, 8, 8, 32)

    def shapes(model):
        return [
            tuple(layer.kernel.shape) for layer in model.layers if isinstance(layer, layers.Conv2D)
        ]

    assert shapes(type_a) == [(3, 3, 20, 12)]
    assert shapes(type_b) == [(1, 1, 20, 48), (3, 3, 48, 12)]


@pytest.mark.parametrize("bottleneck", [True, False])
def test_block_keeps_what_came_in(bottleneck):
    inputs = keras.Input((5, 6, 7))
    model = keras.Model(inputs, dense_block(inputs, 3, 4, "block", bottleneck=bottleneck))
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 7)).astype(np.float32)
    found = model.predict(x, verbose=0)
    assert found.shape == (2, 5, 6, 19)
    np.testing.assert_array_equal(found[..., :7], x)
    first = keras.Model(inputs, model.get_layer("block_layer1_concat").output).predict(x, verbose=0)
    np.testing.assert_allclose(found[..., :11], first, atol=1e-6)


def test_transition_halves_and_compresses():
    inputs = keras.Input((9, 6, 21))
    assert transition(inputs, "one").shape == (None, 4, 3, 10)
    assert transition(inputs, "two", compression=1).shape == (None, 4, 3, 21)


def test_least_size():
    model = create_model("densenet_bc_100_12", input_shape=(4, 7, 1), num_classes=2)
    assert np.isfinite(model(np.ones((1, 4, 7, 1), np.float32))).all()
    assert model.output_shape == (None, 2)
    with pytest.raises(
        ModelError, match="densenet_bc_100_12 needs images of at least 4 x 4 pixels; found 3 x 9"
    ):
        create_model("densenet_bc_100_12", input_shape=(3, 9, 3))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_learns(policy):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    patterns = rng.random((10, 4, 4, 3), dtype=np.float32).repeat(8, axis=1).repeat(8, axis=2)
    labels = rng.integers(0, 10, 128)
    images = (patterns[labels] + rng.random((128, 32, 32, 3), dtype=np.float32)) / 2
    model = with_precision(create_model("densenet_bc_100_12"), policy)
    assert model.get_layer("block3_layer16_conv").compute_dtype == (
        "float32" if policy == "float32" else "bfloat16"
    )
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(images, labels, batch_size=16, epochs=2, verbose=0).history["loss"]
    assert losses[1] < 0.5 < 1 < losses[0]
