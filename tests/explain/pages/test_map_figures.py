"""Figures of maps: what is shown, drawn and left out, and the maps around an opened value."""

import re
from dataclasses import replace

import numpy as np
import pytest
from keras import layers

from convlens.explain.microscope.microscope import open_cell
from convlens.explain.pages.map_figures import (
    LARGEST_STRIP,
    cell_figure,
    chosen_layers,
    layer_figure,
    most_active,
    own_map,
    strip_figure,
)
from convlens.explain.pages.microscope_views import cell_page
from tests.explain.networks import look_at, look_at_zoo, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_layers_that_change_nothing_are_not_in_the_strip(microscope):
    assert not microscope.layer("flat").changes
    shown = [layer.name for layer in chosen_layers(microscope)]
    assert "flat" not in shown
    assert "images" not in shown
    assert {"conv", "deep", "pool", "logits"} <= set(shown)


def test_the_most_active_maps_vary_most(microscope):
    layer = microscope.layer("gelu")
    spread = layer.output.reshape(-1, 4).std(axis=0)
    assert set(most_active(layer, 2)) == set(np.argsort(-spread)[:2])


def test_figures_are_drawn_and_name_what_they_show(microscope):
    texts = [text.get_text() for text in strip_figure(microscope, "貓.png").axes[0].texts]
    assert "貓.png" in texts
    assert "Conv2D  3 x 3 x 4" in texts
    figure = layer_figure(microscope.layer("deep"), "a.png")
    assert [text.get_text() for text in figure.axes[0].texts][-3:] == ["0", "1", "2"]


def test_the_numbers_of_a_dense_layer_are_drawn_as_cells(microscope):
    layer = microscope.layer("logits")
    axes = layer_figure(layer, "a.png").axes[0]
    title, said = (text.get_text() for text in axes.texts)
    assert title == "logits: a.png"
    assert said.startswith("Dense, 2. ")
    (drawn,) = axes.images
    np.testing.assert_array_equal(drawn.get_array(), layer.output[None])
    assert drawn.get_clim() == (-np.abs(layer.output).max(), np.abs(layer.output).max())


def test_a_deep_network_is_cut_to_what_can_be_read():
    microscope = look_at_zoo("resnet56")
    assert sum(layer.changes for layer in microscope.layers) > LARGEST_STRIP
    assert len(chosen_layers(microscope)) <= LARGEST_STRIP
    said = " ".join(text.get_text() for text in strip_figure(microscope, "a.png").axes[0].texts)
    assert re.search(r"\d+ of the \d+ layers that change values are shown", said)


@pytest.mark.parametrize(
    ("name", "index", "sources"),
    [
        ("deep", (0, 0, 1), [("both", 1)]),
        ("pool", (0, 1, 2), [("norm", 2)]),
        ("join", (1, 2, 3), [("gelu", 3), ("shortcut", 3)]),
        ("logits", (1,), []),
        ("probabilities", (0,), []),
    ],
)
def test_the_maps_around_a_cell_are_those_it_looks_at(microscope, name, index, sources):
    layer = microscope.layer(name)
    cell = open_cell(layer, index)
    figure = cell_figure(microscope, layer, cell, cell_page(layer, cell))
    maps = [microscope.layer(source).output[..., channel] for source, channel in sources]
    if len(index) == 3:
        maps.append(layer.output[..., index[2]])
    image, *drawn = (one.get_array() for one in figure.axes[0].images)
    np.testing.assert_array_equal(image, microscope.pixels)
    assert len(drawn) == len(maps)
    for one, values in zip(drawn, maps, strict=True):
        np.testing.assert_array_equal(one, values)


def test_the_map_of_a_concatenation_is_the_input_that_the_number_comes_from(microscope):
    layer = microscope.layer("both")
    cell = open_cell(layer, (0, 0, 2))
    _, drawn, own = cell_figure(microscope, layer, cell, cell_page(layer, cell)).axes[0].images
    second = microscope.layer(str(layer.inputs[1].source))
    np.testing.assert_array_equal(drawn.get_array(), second.output[..., 0])
    np.testing.assert_array_equal(own.get_array(), layer.output[..., 2])


def test_the_own_map_outlines_the_value(microscope):
    layer = microscope.layer("deep")
    (found,) = own_map(layer, open_cell(layer, (2, 3, 1)))
    assert found.title == "deep, filter 1"
    assert found.spans == ((2, 3), (3, 4))
    np.testing.assert_array_equal(found.values, layer.output[..., 1])
    layer = microscope.layer("logits")
    assert own_map(layer, open_cell(layer, (0,))) == []


def test_numbers_in_rows_and_columns_are_drawn_one_after_the_other():
    def network(x):
        x = layers.Flatten()(layers.Conv2D(5, 3, padding="same")(x))
        table = layers.Reshape((5, 13), name="table")(layers.Dense(65)(x))
        return layers.Dense(2, name="logits")(layers.Flatten()(table))

    layer = look_at(network, (6, 6, 1), 2).layer("table")
    (drawn,) = layer_figure(layer, "a.png").axes[0].images
    np.testing.assert_array_equal(drawn.get_array().compressed(), layer.output.ravel())


def test_names_are_drawn_in_a_line_and_without_characters_that_no_font_has(microscope):
    names = ("two\nlines", "\U00012000 goose")
    scope = replace(microscope, classifier=replace(microscope.classifier, class_names=names))
    with pytest.warns(UserWarning, match="No available font"):
        figure = strip_figure(scope, "a\nb.png")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "a b.png" in texts
    assert any(text.endswith("two lines") for text in texts)
    assert any(text.endswith("? goose") for text in texts)
