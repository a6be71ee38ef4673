"""Values of pooling layers and of reductions, computed by hand from their windows."""

import numpy as np
import pytest
from keras import layers, ops

from convlens.explain.microscope.openers import open_cell
from tests.explain.networks import look_at


def network(x):
    x = layers.AveragePooling2D((3, 2), strides=2, padding="same", name="average")(x)
    x = layers.MaxPooling2D(2, name="max")(x)
    total = ops.sum(x, axis=1)
    smallest = ops.min(x, axis=(1, 2))
    everywhere = layers.GlobalAveragePooling2D(name="everywhere")(x)
    return layers.Dense(2)(layers.Concatenate()([layers.Flatten()(total), smallest, everywhere]))


@pytest.fixture(scope="module")
def microscope():
    return look_at(network, (9, 10, 3), 2)


def test_the_border_of_an_average_does_not_count(microscope):
    image = microscope.layer("scaling").output.astype(float)
    cell = open_cell(microscope.layer("average"), (0, 4, 1))
    seen = image[:2, 8:10, 1]
    assert cell.windows[0].spans == ((0, 2), (8, 10), (1, 2))
    assert [step.name for step in cell.steps] == ["sum", "mean"]
    assert cell.steps[0].value == pytest.approx(seen.sum())
    assert cell.value == pytest.approx(seen.mean())
    assert cell.agrees


def test_the_largest_of_a_window(microscope):
    image = microscope.layer("average").output
    cell = open_cell(microscope.layer("max"), (1, 0, 2))
    np.testing.assert_array_equal(cell.windows[0].values[..., 0], image[2:4, 0:2, 2])
    assert cell.value == image[2:4, 0:2, 2].max()
    assert cell.rule == "the largest of the window"


@pytest.mark.parametrize(
    ("kind", "index", "spans", "reduce"),
    [
        ("Sum", (1, 2), ((0, 2), (1, 2), (2, 3)), np.sum),
        ("Min", (1,), ((0, 2), (0, 2), (1, 2)), np.min),
        ("GlobalAveragePooling2D", (0,), ((0, 2), (0, 2), (0, 1)), np.mean),
    ],
)
def test_reductions_over_some_axes(microscope, kind, index, spans, reduce):
    layer = next(one for one in microscope.layers if one.kind == kind)
    cell = open_cell(layer, index)
    image = microscope.layer("max").output.astype(float)
    assert cell.windows[0].spans == spans
    assert cell.value == pytest.approx(reduce(image[tuple(slice(*span) for span in spans)]))
    assert cell.agrees
