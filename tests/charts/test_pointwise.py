"""A 1x1 convolution is drawn with the numbers that Keras computes."""

import keras
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from convlens.charts.pointwise import CELL, show_pointwise
from convlens.errors import ConfigError
from tests.charts.drawing import drawn, words

COLOURS = np.array([[[1, 0], [0, 2]], [[3, 1], [2, 2]]])  # 2 x 2 pixels of 2 channels
MIXING = np.array([[1, 2, -1], [1, 0, 1]]).reshape(1, 1, 2, 3)


def test_the_numbers_of_lesson_004():
    said = words(drawn(show_pointwise(COLOURS, MIXING, at=(1, 0), filter_number=2), "png", "svg"))
    assert said[:3] == ["[1, 0, :]", "weights", "products"]
    assert said[-1] == "(-3) + 1 = -2"
    for channel, row in ((0, ["3", "-1", "-3"]), (1, ["1", "1", "1"])):
        begin = said.index(f"channel {channel}")
        grid = [str(value) for value in COLOURS[..., channel].ravel()]
        assert said[begin + 1 : begin + 5] == grid
        signs = said[begin + 5 : begin + 11]
        assert signs == ["", row[0], "×", row[1], "=", row[2]]
    output = said[said.index("output of filter 2") + 1 : -1]
    assert output == ["-1", "2", "-2", "0"]


def test_the_output_is_that_of_keras():
    random = np.random.default_rng(0)
    maps = random.normal(size=(3, 4, 5)).astype("float32")
    layer = keras.layers.Conv2D(2, 1)
    layer.build((None, 3, 4, 5))
    layer.bias.assign([0.5, -0.25])
    kernel = np.asarray(layer.kernel)
    figure = drawn(show_pointwise(maps, kernel, at=(2, 1), filter_number=1, bias=-0.25))
    said = words(figure)
    expected = np.asarray(layer(maps[None]))[0, ..., 1]
    numbers = [float(text) for text in said[said.index("output of filter 1") + 1 : -1]]
    np.testing.assert_allclose(numbers, expected.ravel(), rtol=0.01, atol=1e-3)
    assert said[-1].endswith(f"+ (-0.25) = {expected[2, 1]:.3g}")


def test_frames_stand_around_one_place_in_every_map():
    axes = show_pointwise(COLOURS, MIXING, at=(1, 0)).axes[0]
    frames = [one for one in axes.patches if isinstance(one, Rectangle) and not one.get_fill()]
    assert len(frames) == 3  # two channels and the output
    assert frames[0].get_xy() == pytest.approx((0, -2 * CELL))


def test_texts_do_not_overlap():
    figure = show_pointwise(np.full((2, 2, 6), -0.123), np.full((6, 1), -0.456))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    for index, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


@pytest.mark.parametrize(
    ("maps", "weights", "given", "message"),
    [
        (np.ones((7, 2, 2)), np.ones((2, 1)), {}, r"each at most 6; found \(7, 2, 2\)"),
        (np.ones((2, 2)), np.ones((2, 1)), {}, r"\(height, width, channels\), .* found \(2, 2\)"),
        (COLOURS, np.ones((3, 1)), {}, r"with 2 channels; found \(3, 1\)"),
        (COLOURS, MIXING, {"at": (0, 2)}, r"below \(2, 2, 3\); found \(0, 2, 0\)"),
        (COLOURS, MIXING, {"filter_number": -1}, r"below \(2, 2, 3\); found \(0, 0, -1\)"),
    ],
)
def test_what_does_not_fit(maps, weights, given, message):
    with pytest.raises(ConfigError, match=message):
        show_pointwise(maps, weights, **given)
