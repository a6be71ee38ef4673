"""The drawn difference: its colours say the sign, and the same value has the same colour."""

import io

import numpy as np
from PIL import Image, ImageColor

from convlens.charts.difference import LIMIT, NOTHING, STEP, draw_difference, scale_colours


def drawn(values):
    return np.asarray(Image.open(io.BytesIO(draw_difference(np.asarray(values)))).convert("RGB"))


def test_the_scale_goes_from_blue_over_white_to_red():
    colours = [ImageColor.getrgb(colour) for colour in scale_colours()]
    assert len(colours) == 2 * LIMIT // STEP + 1
    assert colours[len(colours) // 2] == (255, 255, 255)
    assert all(blue > red for red, _, blue in colours[: len(colours) // 2])
    assert all(red > blue for red, _, blue in colours[len(colours) // 2 + 1 :])
    assert len(set(colours)) == len(colours)


def test_each_value_has_the_colour_of_the_scale():
    colours = [ImageColor.getrgb(colour) for colour in scale_colours()]
    values = np.array([[-LIMIT, -8.0, 0.0, 8.0, LIMIT], [-255, -1, 1, 7, 255]])
    found = drawn(values)
    middle = len(colours) // 2
    assert [tuple(one) for one in found[0]] == [
        colours[place] for place in (0, middle - 2, middle, middle + 2, -1)
    ]
    assert tuple(found[1, 0]) == colours[0]
    assert tuple(found[1, 1]) == tuple(found[1, 2]) == (255, 255, 255)
    assert tuple(found[1, 4]) == colours[-1]


def test_where_there_is_nothing_there_are_stripes():
    values = np.zeros((40, 40))
    values[:20] = np.nan
    found = {tuple(pixel) for pixel in drawn(values)[:20].reshape(-1, 3)}
    assert found == {ImageColor.getrgb(colour) for colour in NOTHING}
