"""Layers: dense, softmax, dropout, batch normalisation and joins, against Keras' layers."""

from fractions import Fraction

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain import arithmetic
from convlens.explain.arithmetic import (
    add,
    concatenate,
    dense,
    dropout,
    flatten,
    softmax,
)
from convlens.explain.arithmetic.layers import batch_normalize


def close(found, expected) -> None:
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(expected), rtol=1e-5, atol=1e-6
    )


def test_the_first_pixel_of_deck_000_scaled():
    # The numbers of the lecture are float32.
    printed = [str(np.float32(Fraction(value, 255))) for value in (59, 62, 63)]
    assert printed == ["0.23137255", "0.24313726", "0.24705882"]


def test_softmax():
    z = np.random.default_rng(1).normal(size=7).astype(np.float32)
    close(softmax(z).output, keras.layers.Softmax()(z[None])[0])
    assert softmax([1000, 1000]).output.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", "tanh", "softmax"])
def test_dense(activation):
    layer = keras.layers.Dense(3, activation=activation, bias_initializer="normal")
    inputs = np.random.default_rng(2).normal(size=5).astype(np.float32)
    expected = layer(inputs[None])[0]
    done = dense(inputs, *layer.get_weights(), activation=activation)
    close(done.output, expected)
    close(done.products.sum(axis=0) + done.bias, done.sums)
    assert dense([1, 2], [[1], [Fraction(1, 3)]], 1).output.tolist() == [Fraction(8, 3)]


def test_dropout_equals_keras_with_its_mask():
    values = np.random.default_rng(3).normal(size=(6, 50)).astype(np.float32)
    expected = np.asarray(keras.layers.Dropout(0.3, seed=0)(values, training=True))
    done = dropout(values, 0.3, mask=expected != 0)
    close(done.output, expected)
    assert dropout([4, 5], Fraction(1, 2), mask=[1, 0]).output.tolist() == [8, 0]
    drawn = dropout(np.ones(10_000), 0.25, seed=1)
    assert drawn.mask.mean() == pytest.approx(0.75, abs=0.02)
    assert drawn.mask.tolist() == dropout(np.ones(10_000), 0.25, seed=1).mask.tolist()


def test_concatenate_add_flatten():
    rng = np.random.default_rng(5)
    one, two = (rng.normal(size=(3, 4, 2)).astype(np.float32) for _ in range(2))
    close(concatenate([one, two]), keras.layers.Concatenate()([one[None], two[None]])[0])
    close(add([one, two]), keras.layers.Add()([one[None], two[None]])[0])
    close(flatten(one), keras.layers.Flatten()(one[None])[0])
    assert add([[[1]], [[Fraction(1, 3)]]]).tolist() == [[Fraction(4, 3)]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: softmax([[1, 2]]), "one row"),
        (lambda: dense([1, 2], [[1]]), r"must be \(2, units\)"),
        (lambda: dense([1], [[1]], [1, 2]), "one number for each unit, 1; found 2"),
        (lambda: dropout([1], 1), "below 1; found 1"),
        (lambda: dropout([1, 2], 0.5, mask=[1]), "mask must be"),
        (lambda: dropout([1, 2], 0.5, mask=[1, 2]), "0s and 1s"),
        (lambda: concatenate([[[1]], [[1], [2]]]), "one height and width"),
        (lambda: add([[[1]], [[1, 2]]]), "one shape"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()


def test_all_names_exist():
    assert all(getattr(arithmetic, name) is not None for name in arithmetic.__all__)


def test_batch_normalisation_in_training_and_inference():
    rng = np.random.default_rng(4)
    batch = rng.normal(2, 3, size=(8, 4, 5, 3)).astype(np.float32)
    layer = keras.layers.BatchNormalization(momentum=0.9)
    layer.build(batch.shape)
    gamma, beta, mean, variance = (rng.uniform(0.5, 2, 3).astype(np.float32) for _ in range(4))
    layer.set_weights([gamma, beta, mean, variance])
    close(
        batch_normalize(batch, (gamma, beta), (mean, variance), training=False).output,
        layer(batch, training=False),
    )
    done = batch_normalize(batch, (gamma, beta), (mean, variance), momentum=0.9)
    close(done.output, layer(batch, training=True))
    close(done.moving_mean, layer.moving_mean)
    close(done.moving_variance, layer.moving_variance)
    assert np.abs(done.normalized.mean(axis=(0, 1, 2))).max() < 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: batch_normalize([[1, 2]], ([1, 2, 3], 0)), "one number or 2"),
        (lambda: batch_normalize([[1, 2]], moving=(0, -1)), "at least 0"),
        (lambda: batch_normalize([[1, 2]], epsilon=0), "epsilon must be above 0"),
        (lambda: batch_normalize([[1, 2]], momentum=1.0000001), "found 1.0000001"),
    ],
)
def test_a_batch_normalisation_that_cannot_be_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()
