"""Values of activations and of operations on numbers at one place, and how they are written."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.explain.microscope.openers import open_cell
from convlens.explain.microscope.pointwise import JOINS, activation_of, activation_steps
from tests.explain.networks import look_at


@pytest.mark.parametrize(
    ("layer", "z", "text", "value"),
    [
        (layers.ReLU(), -2.0, "max(0, -2)", 0.0),
        (layers.ReLU(6.0), 7.5, "min(max(0, 7.5), 6)", 6.0),
        (layers.ReLU(6.0, 0.1, 0.2), 0.1, "min(0.1, below 0.2 0.1 (0.1 - 0.2), 6)", -0.01),
        (layers.LeakyReLU(0.1), -3.0, "-3, below 0 0.1 (-3)", -0.3),
        (layers.ELU(0.5), -1.0, "-1, below 0 0.5 (e^(-1) - 1)", 0.5 * np.expm1(-1.0)),
        (layers.Activation("softsign"), -3.0, "(-3) / (1 + |(-3)|)", -0.75),
        (layers.Dense(1, activation="sigmoid"), 0.0, "1 / (1 + e^-0)", 0.5),
    ],
)
def test_an_activation_is_written_with_its_number(layer, z, text, value):
    (step,) = activation_steps(layer, z)
    assert step.text == text
    assert step.value == pytest.approx(value)


def test_a_function_that_is_not_known_is_computed_by_keras():
    (step,) = activation_steps(layers.Activation("mish"), 0.5)
    assert (step.name, step.text) == ("mish", "mish(0.5)")
    expected = float(keras.ops.convert_to_numpy(keras.activations.mish(np.float32([0.5])))[0])
    assert step.value == pytest.approx(expected)


def test_linear_layers_and_softmax_have_no_activation_of_one_number():
    for activation in (None, "linear", "softmax"):
        assert activation_of(layers.Dense(1, activation=activation)) is None
        assert activation_steps(layers.Dense(1, activation=activation), 1.0) == []


@pytest.mark.parametrize(
    ("name", "numbers", "value"),
    [
        ("Add", (1.5, -0.5, 2.0), 3.0),
        ("Subtract", (1.0, 4.0), -3.0),
        ("Multiply", (2.0, -3.0), -6.0),
        ("Divide", (1.0, 4.0), 0.25),
        ("Maximum", (1.0, 3.0), 3.0),
        ("Minimum", (1.0, 3.0), 1.0),
        ("Average", (1.0, 2.0, 6.0), 3.0),
        ("Rsqrt", (4.0,), 0.5),
        ("Power", (2.0, 3.0), 8.0),
        ("Negative", (2.0,), -2.0),
    ],
)
def test_joins(name, numbers, value):
    assert JOINS[name][1](*numbers) == value


def test_values_of_a_network():
    def network(x):
        y = layers.Subtract(name="difference")([x, layers.Rescaling(2.0, 0.25, name="twice")(x)])
        return layers.Dense(2)(layers.Flatten()(y))

    microscope = look_at(network, (3, 3, 1), 2)
    scaled = float(microscope.layer("scaling").output[2, 1, 0])
    twice = open_cell(microscope.layer("twice"), (2, 1, 0))
    assert twice.rule == "pixel × scale + offset"
    assert twice.value == pytest.approx(2 * scaled + 0.25)
    cell = open_cell(microscope.layer("difference"), (2, 1, 0))
    assert cell.value == pytest.approx(-scaled - 0.25, abs=1e-6)
    assert [window.source for window in cell.windows] == ["scaling", "twice"]
    assert [window.spans for window in cell.windows] == [((2, 3), (1, 2), (0, 1))] * 2
    assert cell.rule == "number by number, at the same place of every input"
    assert cell.scale == pytest.approx(abs(scaled) + abs(2 * scaled + 0.25))
