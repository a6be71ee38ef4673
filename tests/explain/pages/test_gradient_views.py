"""The page of a gradient: its table of terms, and the comparison with the engine."""

import pytest

from convlens.explain.microscope.gradient import differentiate
from convlens.explain.pages.gradient_views import gradient_page
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_a_page_of_a_gradient(microscope):
    layer = microscope.layer("conv-2")
    found = differentiate(microscope, layer, 0, (1, 1, 2))
    page = gradient_page(layer, found)
    assert page.blocks[0].columns == (
        "call, row, column",
        "dLoss/dOutput",
        "input",
        "term",
    )  # it is used twice
    assert float(page.blocks[0].rows[-1][-1]) == pytest.approx(found.total, abs=1e-3 * found.scale)
    assert "automatic differentiation" in page.blocks[1].lines[1][1]
