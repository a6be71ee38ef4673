"""Pages as figures: everything is in them, within their edges, and nothing overlaps."""

import numpy as np
import pytest

from convlens.explain.pages.canvas import Shown
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Curve, Grid, Lines, Page, Row, Table

PAGE = Page(
    "標題",
    (("fact", "a text that is longer than everything else on this page, so that it is wide"),),
    (
        Row((Grid(np.eye(3), "left", mark=(0, 1, 1, 3)), "×", Grid(np.ones((1, 2)), "right"))),
        Lines((("sum", "1 + 1 = 2"),), "lines"),
        Table(("name", "count"), (("a", "1"), ("b", "22")), "table"),
        Curve("curve", "x", "y", (np.arange(9), np.arange(9)), bound=4.0),
    ),
)


def texts(figure):
    return [text for axes in figure.axes for text in axes.texts if text.get_text()]


def test_all_of_a_page_is_drawn_within_its_edges():
    figure = draw_page(PAGE)
    words = [text.get_text() for text in texts(figure)]
    for word in ("標題", "fact", "left", "×", "right", "lines", "sum", "1 + 1 = 2", "table", "22"):
        assert word in words
    assert words.count("1") == 3 + 2 + 1  # of the grids and of the table
    figure.draw_without_rendering()
    for text in texts(figure):
        extent = text.get_window_extent()
        assert extent.x0 > 0
        assert extent.x1 < figure.bbox.x1
        assert 0 < extent.y0 < extent.y1 < figure.bbox.y1


def test_blocks_follow_from_top_to_bottom():
    figure = draw_page(PAGE)
    height = {text.get_text(): text.get_position()[1] for text in texts(figure)}
    names = ("標題", "fact", "left", "lines", "sum", "table", "22", "curve")
    heights = [height[name] for name in names]
    assert heights == sorted(heights)
    figure.draw_without_rendering()
    page, curve = figure.axes
    place = curve.get_window_extent()
    below_title = page.transData.transform((0, height["curve"]))[1]
    assert 0 < place.y0 < place.y1 < below_title
    bottom, top = curve.transData.transform([(0, 0), (0, 8)])[:, 1]
    assert bottom < top  # not upside down


def test_the_bound_and_the_points_of_a_curve_are_drawn():
    curve = Curve("", "x", "y", (np.arange(3), np.ones(3)), (np.array([1]), np.array([1])), True, 2)
    axes = draw_page(Page("", (), (curve,))).axes[1]
    assert axes.get_yscale() == "log"
    assert [list(line.get_ydata()) for line in axes.lines] == [[1, 1, 1], [1], [2, 2]]


def test_maps_stand_above_the_page():
    figure = draw_page(PAGE, [Shown("map", np.ones((2, 2)))])
    (image,) = figure.axes[0].images
    title = next(text for text in texts(figure) if text.get_text() == "標題")
    assert image.get_extent()[2] < title.get_position()[1]


@pytest.mark.parametrize("columns", [4, 30])
def test_many_columns_have_smaller_cells(columns):
    figure = draw_page(Page("", (), (Row((Grid(np.zeros((1, columns))),)),)))
    sizes = {text.get_fontsize() for text in texts(figure)}
    assert sizes == {10.0 if columns == 4 else 7.0}


def test_the_labels_of_a_logarithmic_axis_are_plain_texts():
    curve = Curve("", "steps", "error", (np.arange(1, 9), 0.3 / np.arange(1, 9)), log=True)
    figure = draw_page(Page("", (), (curve,)))
    figure.canvas.draw()
    axis = figure.axes[1].yaxis
    labels = [label.get_text() for label in axis.get_ticklabels(minor=None, which="both")]
    assert "1e-01" in labels
    assert not any("$" in label for label in labels)
