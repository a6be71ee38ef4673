"""Values that layers only move: where they come from, the zeros that are added, and dropout."""

import pytest
from keras import layers

from convlens.errors import ConfigError
from convlens.explain.microscope.moved import number_cells
from convlens.explain.microscope.openers import open_cell
from tests.explain.networks import look_at


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
