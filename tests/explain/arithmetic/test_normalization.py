"""Normalisation: Keras' batch normalisation, and the steps of one number."""

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.normalization import Normalization, batch_normalize
from convlens.explain.arithmetic.writing import Step


def close(found, expected):
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-5, atol=1e-6)


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


def test_the_steps_of_one_number():
    done = Normalization(5.0, 1.0, 3.0, 1.0, 0.5, -2.0)
    steps = done.steps(Step("mean", "as trained", 1.0))
    assert [(step.text, step.value) for step in steps[1:]] == [
        ("5 - 1", 4.0),
        ("√(3 + 1)", 2.0),
        ("4 / 2", 2.0),
        ("0.5 × 2 - 2", -1.0),
    ]
    assert Normalization(1.0, 0.0, 4.0).steps(steps[0])[2].text == "√4"


def test_every_result_is_rounded_where_asked_for():
    done = Normalization(1.0, 0.26, 2.0, 0.0, 1.0, 0.0, rounded=lambda value: np.round(value, 1))
    assert (done.centred, done.deviation, done.normalized) == (0.7, 1.4, 0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: batch_normalize([[1, 2]], ([1, 2, 3], 0)), "one number or 2"),
        (lambda: batch_normalize([[1, 2]], moving=(0, -1)), "at least 0"),
        (lambda: batch_normalize([[1, 2]], epsilon=0), "epsilon must be above 0"),
        (lambda: batch_normalize([[1, 2]], momentum=1.5), "within 0 and 1; found 1.5"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()
