"""Values of activations and of operations at one place, and values that layers only move."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.errors import ConfigError
from convlens.explain.microscope.microscope import open_cell
from convlens.explain.microscope.pointwise import (
    JOINS,
    activation_of,
    activation_steps,
    number_cells,
)
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


def network(x):
    padded = layers.ZeroPadding2D(((1, 0), (0, 2)), name="padded")(x)
    both = layers.Concatenate(name="both")([x, layers.Cropping2D(((1, 0), (0, 2)))(padded)])
    x = layers.UpSampling2D(2, interpolation="bilinear", name="smooth")(both)
    return layers.Dense(2)(layers.Dropout(0.25, name="drop")(layers.Flatten(name="flat")(x)))


@pytest.fixture(scope="module")
def microscope():
    return look_at(network, (3, 4, 3), 2)


def test_a_number_comes_from_its_place(microscope):
    cell = open_cell(microscope.layer("padded"), (2, 3, 1))
    assert (cell.steps[0].name, cell.steps[0].text) == ("moved", "scaling at 1, 3, 1")
    assert cell.value == microscope.layer("scaling").output[1, 3, 1]
    flat = open_cell(microscope.layer("flat"), (21,))
    # The map is 6 x 8 x 6, and its cells are flattened channel by channel.
    assert flat.steps[0].text == "smooth at 0, 3, 3"


def test_a_zero_that_was_added_comes_from_nowhere(microscope):
    cell = open_cell(microscope.layer("padded"), (0, 0, 0))
    assert (cell.value, cell.windows, cell.rule) == (0.0, (), "numbers moved, zeros added")


def test_a_concatenation_names_the_input(microscope):
    layer = microscope.layer("both")
    cell = open_cell(layer, (1, 2, 5))
    assert cell.windows[0].source == layer.inputs[1].source
    assert cell.windows[0].spans == ((1, 2), (2, 3), (2, 3))


def test_dropout_passes_everything_on(microscope):
    cell = open_cell(microscope.layer("drop"), (5,))
    assert cell.steps[0].name == "passed on"
    assert "when the network predicts" in cell.rule
    assert cell.rule.endswith("in training it drops 25 %")


def test_a_layer_that_mixes_its_inputs_is_refused(microscope):
    with pytest.raises(ConfigError, match="smooth: a UpSampling2D of this size or kind"):
        number_cells(microscope.layer("smooth"))
