"""Maps over images: the colours of the one scale, and the lines of equal numbers."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from convlens.charts.heat import (
    FAINTEST,
    Panel,
    contour_levels,
    contour_path,
    draw_heat,
    heat_image,
    pale_levels,
    scale_colours,
)


def test_colours_are_those_of_the_scale_and_never_stretched():
    values = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    image = np.asarray(Image.open(io.BytesIO(heat_image(values, 2.0))).convert("RGB"))
    orange, white, blue = (
        [int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in scale_colours()
    )
    assert white == [255, 255, 255]
    np.testing.assert_array_equal(image[0, [0, 2, 4]], [orange, white, blue])
    np.testing.assert_allclose(image[0, 3], (np.array(white) + blue) / 2, atol=2)
    pale = np.asarray(Image.open(io.BytesIO(heat_image(values / 10, 2.0))).convert("RGB"))
    assert pale.min() > 225


def test_figure_darkens_the_colours_by_the_image():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:, 2:] = 255
    figure = draw_heat([(pixels, "a", [Panel("map", np.full((4, 4), 3.0))])], 3.0, "logits")
    drawn = np.asarray(figure.axes[1].images[0].get_array(), float)
    np.testing.assert_allclose(drawn[0, 0], FAINTEST * drawn[0, 3], atol=0.01)


LONG = "IMG_20260912_HDR_portrait_of_my_neighbours_old_grey_dog(1).jpeg"
LONG_CHINESE = "一個名字很長很長的類別，長到一行放不下，還有更多的字"


@pytest.mark.parametrize("name", [LONG, LONG_CHINESE])
def test_long_titles_are_whole_and_within_their_panels(name):
    pixels = np.zeros((8, 8, 3), np.uint8)
    panels = [Panel(f"{name}: map", np.ones((8, 8))), Panel(name, text=f"{name} " * 12)]
    figure = draw_heat([(pixels, f"{name}\npredicted: a", panels)], 1.0, "logits")
    figure.draw_without_rendering()
    panels = figure.axes[:3]
    wholes = [f"{name}predicted: a", f"{name}: map", name]
    for axes, whole in zip(panels, wholes, strict=True):
        title = axes.get_title(loc="left").replace("\n", "")
        assert title.replace(" ", "") == whole.replace(" ", "")
    # The public getter of a title gives its text only.
    boxes = [axes._left_title.get_window_extent() for axes in panels]
    assert boxes[0].x1 < boxes[1].x0
    assert boxes[1].x1 < boxes[2].x0
    for one in [*boxes, *(text.get_window_extent() for axes in panels for text in axes.texts)]:
        assert one.x0 >= 0
        assert one.y0 >= 0
        assert one.y1 <= figure.bbox.height


def test_pale_map_has_lines_of_equal_numbers():
    values = np.tile(np.linspace(-1, 2, 10), (10, 1))
    assert pale_levels(values, 5.0) is None
    assert pale_levels(np.full((3, 3), 0.1), 5.0) is None
    levels, step = pale_levels(values, 10.0)
    assert step == pytest.approx(0.5)
    pixels = np.zeros((10, 10, 3), np.uint8)
    figure = draw_heat([(pixels, "a", [Panel("map", values, "steps", levels)])], 10.0, "logits")
    (lines,) = figure.axes[1].collections
    np.testing.assert_allclose(lines.levels, [-0.5, 0.5, 1, 1.5])
    assert lines.get_linestyles()[0][1] is not None  # dashed below 0
    assert lines.get_linestyles()[1][1] is None
    assert figure.axes[1].texts[0].get_text() == "steps"


def test_levels_are_round_numbers_without_zero():
    levels, step = contour_levels(np.array([[-0.7, 1.8]]))
    assert step == pytest.approx(0.5)
    np.testing.assert_allclose(levels[np.abs(levels) < 2], [-1, -0.5, 0.5, 1, 1.5])


def test_line_lies_where_the_map_has_the_number():
    values = np.tile(np.arange(10.0), (10, 1))
    path = contour_path(values, np.array([4.5]), (20.0, 20.0))
    points = np.array(re.findall(r"([\d.]+),([\d.]+)", path), float)
    np.testing.assert_allclose(points[:, 0], 10.0)
    assert path.count("M") == 1
    assert contour_path(values, np.array([99.0]), (20.0, 20.0)) == ""
