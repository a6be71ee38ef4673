"""A feature map becomes a vector in the order of Keras."""

import keras
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from convlens.charts.flatten import CELL, DROP, show_flatten
from convlens.charts.sketch import HUES
from convlens.errors import ConfigError
from tests.charts.drawing import drawn, words

MAPS = np.arange(1, 13).reshape(2, 2, 3) * 0.5


def vector(figure):
    """The numbers of the vector, from left to right."""
    texts = [text for text in figure.axes[0].texts if text.get_position()[1] == -DROP - CELL / 2]
    texts.sort(key=lambda text: text.get_position()[0])
    return [float(text.get_text()) for text in texts]


def cells(figure):
    """The (left, bottom, colour) of each cell: first of the map, then of the vector."""
    found = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [(*patch.get_xy(), to_hex(patch.get_facecolor())) for patch in found]


def test_the_order_is_that_of_keras():
    figure = drawn(show_flatten(MAPS), "png", "svg")
    flat = keras.ops.convert_to_numpy(keras.layers.Flatten()(MAPS[None]))[0]
    assert vector(figure) == flat.tolist() == [0.5 * number for number in range(1, 13)]
    said = words(figure)
    assert said[-4:] == ["[0, 0, :]", "[0, 1, :]", "[1, 0, :]", "[1, 1, :]"]
    assert [text for text in said if "channel" in text] == ["channel 0", "channel 1", "channel 2"]


def test_channel_by_channel():
    figure = show_flatten(MAPS, channel_by_channel=True)
    assert vector(figure) == np.moveaxis(MAPS, -1, 0).ravel().tolist()
    assert words(figure)[-3:] == ["[:, :, 0]", "[:, :, 1]", "[:, :, 2]"]


def test_a_cell_keeps_its_colour_and_a_line_leads_to_its_place():
    axes = show_flatten(MAPS).axes[0]
    found = cells(axes.figure)
    for number, (cell, place) in enumerate(zip(found[::2], found[1::2], strict=True)):
        assert cell[2] == place[2]
        line = axes.lines[number]
        assert line.get_color() == HUES[number % 3]
        begin, end = zip(*line.get_data(), strict=True)
        assert begin == pytest.approx((cell[0] + CELL / 2, cell[1] + CELL / 2))
        assert end == pytest.approx((place[0] + CELL / 2, -DROP))
    assert len({color for _, _, color in found}) == 12  # every value has another one


def test_numbers_of_a_long_vector_stand_upright():
    figure = drawn(show_flatten(np.random.default_rng(0).random((4, 4, 4))))
    upright = [text for text in figure.axes[0].texts if text.get_rotation() == 90]
    assert len(upright) == 64
    assert figure.get_figwidth() < 13


def test_a_grey_map():
    figure = drawn(show_flatten([[1, 2], [3, 1 / 3]], digits=3))
    assert vector(figure) == [1, 2, 3, 0.333]
    assert words(figure)[-4:] == ["[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]"]
    drawn(show_flatten(np.zeros((2, 2, 8))))


@pytest.mark.parametrize("shape", [(3,), (5, 5, 3), (0, 2), (1, 2, 2, 1)])
def test_other_shapes(shape):
    with pytest.raises(ConfigError, match="at most 64 values; found"):
        show_flatten(np.zeros(shape))
