"""The maps around an opened value: the image, what it looks at, and its own map."""

import numpy as np
import pytest

from convlens.explain.microscope.microscope import open_cell
from convlens.explain.pages.microscope_maps import cell_figure, own_map
from convlens.explain.pages.microscope_views import cell_page
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


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
