"""The steps of a worksheet: their order, their blanks, and what is given."""

import pytest
from keras import layers

from convlens.explain.microscope.exercise import make_exercise
from convlens.explain.microscope.microscope import open_cell
from convlens.explain.pages.worksheet_steps import given_lines, work_steps
from tests.explain.networks import look_at


def network(x):
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.AveragePooling2D(2, name="mean")(layers.MaxPooling2D(2, name="pool")(x))
    x = layers.Flatten()(x)
    return layers.Dense(12, use_bias=False, name="logits")(x)


@pytest.fixture(scope="module")
def steps_of():
    microscope = look_at(network, (8, 8, 3), 12)

    def steps(name, index):
        layer = microscope.layer(name)
        exercise = make_exercise(layer, open_cell(layer, index))
        return exercise, work_steps(exercise, list(layer.class_names))

    return steps


def test_a_convolution_goes_from_products_to_the_activation(steps_of):
    exercise, steps = steps_of("conv", (3, 4, 1))
    done = exercise.calculation
    assert [step.text for step in steps[:3]] == [
        "Multiply each number by the weight at its place.",
        "Add up all the products.",
        "Add the bias.",
    ]
    assert steps[0].note.startswith("This is channel ")
    assert steps[0].note.endswith("the one of 3 whose products add or take most.")
    assert [part.given for part in steps[0].grids] == [True, True, False]
    assert steps[1].blanks == (("sum", done.total),)
    assert steps[2].given.startswith("The 2 other channels add up to ")
    assert steps[2].blanks == ((f"sum + the others + bias ({done.bias:.3f})", done.value),)
    assert steps[3].text == "Apply the activation relu(z) = max(0, z)."
    assert steps[3].blanks == (("value", exercise.value),)


def test_a_dense_layer_without_bias_adds_two_numbers(steps_of):
    exercise, steps = steps_of("logits", (2,))
    assert exercise.left == 4
    assert steps[0].note.startswith("These are the 12 of 16 inputs with the largest products")
    assert steps[-1].text == "Add the two."
    assert steps[-1].given.startswith("The 4 other products add up to ")
    assert steps[-1].blanks == (("sum + the others", exercise.calculation.value),)


def test_poolings(steps_of):
    exercise, (step,) = steps_of("pool", (1, 1, 2))
    assert step.blanks == (("value", exercise.calculation.max()),)
    exercise, (step,) = steps_of("mean", (0, 1, 2))
    assert step.blanks == (("sum", exercise.calculation.sum()), ("sum / 4", exercise.value))


def test_a_softmax_names_its_classes(steps_of):
    exercise, steps = steps_of("probabilities", (5,))
    assert steps[0].note == "These are 10 of 12 classes: the largest, and the one asked for."
    assert len(steps[0].grids[0].heads) == 10
    assert steps[2].given.startswith("The 2 other classes add ")
    assert steps[3].text == "The value is the share of class class 5: its e^(z - largest) / sum."
    assert steps[3].blanks == (("value", exercise.value),)


def test_a_normalisation_gives_its_numbers_first(steps_of):
    exercise, steps = steps_of("norm", (1, 2, 3))
    first, second, third = given_lines(exercise)
    assert first.startswith("Batch normalisation: gamma × (z - mean) / √(variance")
    assert second.startswith("given:  z = ")
    assert third.strip().startswith("epsilon = 0.001")
    done = exercise.calculation
    assert [step.blanks[0][1] for step in steps] == [
        done.centred,
        done.deviation,
        done.normalized,
        exercise.value,
    ]
    assert steps[2].blanks[0][0] == "normalised = (z - mean) / deviation"
