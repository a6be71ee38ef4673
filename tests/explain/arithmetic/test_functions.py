"""Activations and losses: against Keras and deck 003, their slopes, and exact numbers."""

from fractions import Fraction

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.backprop import LECTURE_EXAMPLE, LECTURE_NETWORK, run_forward
from convlens.explain.arithmetic.functions import ACTIVATIONS, FUNCTIONS, activate, loss


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


def test_deck_003_half_squares():
    outputs = run_forward(LECTURE_NETWORK, LECTURE_EXAMPLE.inputs)[-1].outputs
    done = loss("half-squared", LECTURE_EXAMPLE.targets, outputs)
    assert [round(term, 9) for term in done.terms] == [0.274811083, 0.023560026]
    assert round(done.value, 9) == 0.298371109


def test_losses_are_exact_where_the_numbers_are():
    assert loss("squared", [1, 0], [Fraction(1, 3), 0]).value == Fraction(2, 9)
    assert loss("absolute", [1, 0], [Fraction(1, 3), 0]).total == Fraction(2, 3)
    assert loss("root-mean-square", [3, 4], [0, 0]).value == pytest.approx(12.5**0.5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("squared", keras.losses.mean_squared_error),
        ("absolute", keras.losses.mean_absolute_error),
        ("binary-crossentropy", keras.losses.binary_crossentropy),
        ("categorical-crossentropy", keras.losses.categorical_crossentropy),
        ("root-mean-square", lambda t, p: keras.ops.sqrt(keras.losses.mean_squared_error(t, p))),
        ("half-squared", lambda t, p: keras.losses.mean_squared_error(t, p) * 6 / 2),
    ],
)
def test_losses_equal_those_of_keras(name, expected):
    rng = np.random.default_rng(0)
    for predicted in (rng.uniform(0.01, 0.99, 6), rng.dirichlet(np.ones(6))):
        targets = np.eye(6)[1] if "categorical" in name else rng.integers(0, 2, 6)
        value = float(expected(targets.astype(np.float32), predicted.astype(np.float32)))
        assert loss(name, targets, predicted).value == pytest.approx(value, rel=1e-5, abs=1.1e-6)


def test_probabilities_of_0_and_1_stay_finite():
    assert loss("binary-crossentropy", [0, 1], [0, 0]).value == pytest.approx(-np.log(1e-7) / 2)
    assert loss("categorical-crossentropy", [0, 1], [1, 0]).value == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("hinge", [1], [1]), "found 'hinge'"),
        (("squared", [1, 2], [1]), "as many predicted values as targets, 2; found 1"),
        (("binary-crossentropy", [1], [1.5]), "within 0 and 1; found 1.5"),
        (("binary-crossentropy", [1], [1.0000001]), "within 0 and 1; found 1.0000001"),
        (("categorical-crossentropy", [1, 0], [0, 0]), "must not all be 0"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        loss(*arguments)
