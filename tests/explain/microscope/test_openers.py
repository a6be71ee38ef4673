"""Values of every class of layers in the registry: the arithmetic gives the network's value."""

import numpy as np
import pytest
from keras import layers

from convlens.errors import ConfigError
from convlens.explain.microscope.openers import OPENERS, VALUES_ONLY, open_cell
from tests.explain.networks import each_class, every, look_at, look_at_zoo

# The values that are opened of each class of layers in a network.
CELLS = 20


def cells_of(microscope, rng):
    """Open random values of each class; return them by class, and the classes that fail."""
    by_kind = {}
    for layer in microscope.layers:
        by_kind.setdefault(layer.kind, []).append(layer)
    opened, closed = {}, set()
    for kind, found in by_kind.items():
        if kind in VALUES_ONLY:
            continue
        for _ in range(CELLS):
            layer = found[rng.integers(len(found))]
            index = tuple(int(rng.integers(side)) for side in layer.shape)
            try:
                opened.setdefault(kind, []).append(open_cell(layer, index))
            except ConfigError:
                closed.add(kind)
    return opened, closed


@pytest.mark.parametrize("name", every())
def test_every_class_of_the_registry(name):
    microscope = look_at_zoo(name)
    opened, closed = cells_of(microscope, np.random.default_rng(2))
    assert not closed, "neither in OPENERS nor in VALUES_ONLY"
    for kind, cells in opened.items():
        assert len(cells) == CELLS
        for cell in cells:
            assert np.isfinite(cell.network)
            assert cell.agrees, (kind, cell.index, cell.value, cell.network, cell.scale)


@pytest.fixture(scope="module")
def microscope():
    return look_at(each_class, (15, 13, 3), 3)


def test_each_class_in_odd_shapes(microscope):
    opened, closed = cells_of(microscope, np.random.default_rng(3))
    assert not closed
    for kind, cells in opened.items():
        for cell in cells:
            assert cell.agrees, (kind, cell.index, cell.value, cell.network, cell.scale)
    assert len(set(opened) & set(OPENERS)) >= 45


def test_every_cell_of_one_map(microscope):
    for name in ("same", "grouped", "depthwise", "separable"):
        layer = microscope.layer(name)
        for index in np.ndindex(layer.shape):
            assert open_cell(layer, index).agrees


def test_a_wrong_number_is_noticed(microscope):
    """The check can fail: the same cell with another value of the network."""
    from dataclasses import replace

    layer = microscope.layer("same")
    cell = open_cell(layer, (1, 2, 3))
    assert not replace(cell, network=cell.network + 3e-5 * cell.scale).agrees


@pytest.mark.parametrize(
    ("name", "index", "said"),
    [
        ("same", (0, 13, 0), "column 13 is outside: take 0 to 12"),
        ("same", (-1, 0, 0), "row -1 is outside"),
        ("same", (0, 0, 6), "filter 6 is outside: take 0 to 5"),
        ("same", (0, 0), "a value needs row, column, filter; found 0, 0"),
        ("shares", (6,), "unit 6 is outside"),
        ("images", (0, 0, 0), "nothing is computed"),
    ],
)
def test_cells_that_are_not_there(microscope, name, index, said):
    with pytest.raises(ConfigError, match=said):
        open_cell(microscope.layer(name), index)


def test_a_class_that_is_not_known_is_named():
    microscope = look_at(
        lambda x: layers.Dense(2)(layers.Flatten()(layers.Conv2DTranspose(2, 3)(x))), (8, 8, 1), 2
    )
    with pytest.raises(
        ConfigError, match=r"\(Conv2DTranspose\) shows its values but cannot be opened"
    ):
        open_cell(microscope.layers[2], (0, 0, 0))
