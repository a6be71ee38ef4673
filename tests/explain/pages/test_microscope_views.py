"""Pages of an opened value: what they print, what they draw, and the same as plain data."""

import json

import numpy as np
import pytest

from convlens.explain.microscope.microscope import open_cell
from convlens.explain.pages.microscope_views import cell_data, cell_page, layers_table
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_pages_of_a_cell(microscope):
    layer = microscope.layer("conv")
    cell = open_cell(layer, (0, 0, 1))
    page = cell_page(layer, cell)
    assert page.title == "conv: filter 1, row 0, column 0"
    pool = microscope.layer("pool")
    grid = cell_page(pool, open_cell(pool, (0, 0, 0))).blocks[0].items[0]
    assert grid.values[grid.mark[0], grid.mark[2]] == grid.values.max()
    assert (
        "looks at",
        "rows -1 to 1, columns -1 to 1, channels 0 to 2 of scaling, the border being zeros",
    ) in page.facts
    assert page.blocks[-1].lines[-1][1].endswith("is allowed")
    content = json.loads(json.dumps(cell_data(layer, cell)))
    assert content["steps"][-1]["value"] == content["value"]
    assert np.array(content["products"][0]["products"]).sum() == pytest.approx(
        content["products"][0]["total"]
    )


def test_the_table_names_every_layer(microscope):
    assert [row[0] for row in layers_table(microscope).rows] == [
        layer.name for layer in microscope.layers
    ]
