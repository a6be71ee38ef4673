"""Losses: deck 003's error, and Keras' losses on random numbers."""

from fractions import Fraction

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.backprop import LECTURE_EXAMPLE, LECTURE_NETWORK, run_forward
from convlens.explain.arithmetic.losses import loss


def test_deck_003_half_squares():
    outputs = run_forward(LECTURE_NETWORK, LECTURE_EXAMPLE.inputs)[-1].outputs
    done = loss("half-squared", LECTURE_EXAMPLE.targets, outputs)
    assert [round(term, 9) for term in done.terms] == [0.274811083, 0.023560026]
    assert round(done.value, 9) == 0.298371109


def test_exact_where_the_numbers_are():
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
def test_equal_to_keras(name, expected):
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
        (("categorical-crossentropy", [1, 0], [0, 0]), "must not all be 0"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        loss(*arguments)
