"""The fused batch normalisation: it computes what Keras' own computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from convlens.classifier.assembly import with_precision
from convlens.training.fused_norm import FusedBatchNormalization, faster_layers

CHANNELS = 12
# One step of bfloat16 at most, where a sum is rounded to the other side.
TOLERANCE = {"float32": 3e-6, "mixed_bfloat16": 8e-3}


def computed(kind, policy, maps, weights, *, training, trainable=True, **settings):
    """Return the outputs of a layer, its gradients, and its moving statistics afterwards."""
    layer = kind(dtype=policy, momentum=0.6, **settings)
    layer.build(maps.shape)
    layer.trainable = trainable
    random = np.random.default_rng(1)
    for variable in layer.variables:
        variable.assign(random.uniform(0.5, 2, variable.shape))
    inputs = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(tf.cast(inputs, layer.compute_dtype), training=training)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) * weights)
    assert outputs.dtype == layer.compute_dtype
    gradients = tape.gradient(total, [inputs, *(one.value for one in layer.trainable_variables)])
    statistics = [layer.moving_mean, layer.moving_variance]
    return [np.asarray(tf.cast(one, tf.float32)) for one in (outputs, *gradients, *statistics)]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "settings", [{}, {"scale": False}, {"center": False}, {"trainable": False}, {"epsilon": 1e-5}]
)
def test_as_keras_computes_it(policy, training, settings):
    random = np.random.default_rng(0)
    maps = random.normal(2, 3, (4, 5, 6, CHANNELS)).astype("float32")
    weights = random.normal(size=maps.shape).astype("float32")
    kinds = (keras.layers.BatchNormalization, FusedBatchNormalization)
    expected, found = (
        computed(kind, policy, maps, weights, training=training, **settings) for kind in kinds
    )
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE[policy] * np.abs(other).max())


def test_one_pixel_of_one_image_has_no_variance():
    maps = np.full((1, 1, 1, CHANNELS), 3.0, np.float32)
    *_, mean, variance = computed(FusedBatchNormalization, "float32", maps, maps, training=True)
    *_, of_mean, of_variance = computed(
        keras.layers.BatchNormalization, "float32", maps, maps, training=True
    )
    np.testing.assert_allclose(mean, of_mean, rtol=1e-6)
    np.testing.assert_allclose(variance, of_variance, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [((4, CHANNELS), {}), ((4, 5, CHANNELS), {}), ((2, 5, 6, CHANNELS), {"axis": 1})],
)
def test_what_the_operation_cannot_do_is_left_to_keras(shape, settings):
    maps = np.random.default_rng(0).normal(size=shape).astype("float32")
    kinds = (keras.layers.BatchNormalization, FusedBatchNormalization)
    expected, found = (
        computed(kind, "float32", maps, maps, training=True, **settings) for kind in kinds
    )
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


def test_only_the_copy_that_is_trained_has_it():
    class Own(keras.layers.BatchNormalization):
        """A layer of the user is not replaced, because it may compute something else."""

    inputs = keras.Input((4, 4, 3))
    nested = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.BatchNormalization()])
    model = keras.Model(inputs, Own()(nested(inputs)))
    model.set_weights([np.full(one.shape, 2 + n) for n, one in enumerate(model.get_weights())])
    twin = with_precision(model, "float32", kinds=faster_layers())
    assert type(twin.layers[1].layers[0]) is FusedBatchNormalization
    assert type(twin.layers[2]) is Own
    assert type(model.layers[1].layers[0]) is keras.layers.BatchNormalization
    for one, other in zip(twin.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
