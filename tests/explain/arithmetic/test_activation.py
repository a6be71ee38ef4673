"""Activations: against Keras' layers, their slopes, and exact numbers."""

from fractions import Fraction

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.activation import ACTIVATIONS, FUNCTIONS, activate


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_slopes(name):
    z = np.random.default_rng(0).normal(scale=3, size=(4, 5)).astype(np.float32)
    done = activate(z, name)
    expected = np.asarray(keras.layers.Activation(name)(z))
    np.testing.assert_allclose(done.output, expected, rtol=1e-5, atol=1e-6)
    step = 1e-6
    difference = (
        activate(z.astype(float) + step, name).output
        - activate(z.astype(float) - step, name).output
    ) / 2e-6
    np.testing.assert_allclose(done.slope, difference, rtol=1e-5, atol=1e-8)


def test_relu_stays_exact_and_sigmoid_shows_its_steps():
    assert activate([Fraction(-7, 9), 1], "relu").output.tolist() == [0, 1]
    done = activate([0.3775], "sigmoid")
    # This is h1 of lecture 003.
    assert done.output[0] == pytest.approx(0.593269992, abs=5e-10)
    assert done.steps["1 + e^-z"][0] == 1 / done.output[0]
    assert activate([-1000.0], "sigmoid").output[0] == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_equals_that_of_keras(name):
    numbers = [-4.0, -1.5, -0.25, 0.0, 0.25, 1.5, 7.0]
    expected = np.asarray(keras.activations.get(name)(np.float32(numbers)))
    found = [FUNCTIONS[name][1](number) for number in numbers]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


def test_another_name_is_refused():
    with pytest.raises(ConfigError, match="one of relu, sigmoid, tanh; found 'swish'"):
        activate([1], "swish")
