"""The canvas: inches from the upper left corner, cells, images and maps."""

import numpy as np
import pytest

from convlens.explain.pages.canvas import (
    Shown,
    draw_cells,
    draw_image,
    draw_map,
    draw_shown,
    open_canvas,
    resize_canvas,
)


def box(artist):
    """Return (left, top, width, height) of a rectangle in inches."""
    return pytest.approx((artist.get_x(), artist.get_y(), artist.get_width(), artist.get_height()))


def test_coordinates_are_inches_downwards():
    figure, axes = open_canvas(4, 3)
    assert tuple(figure.get_size_inches()) == (4, 3)
    left, top = axes.transData.transform((1, 1)) / figure.dpi
    assert (left, top) == pytest.approx((1, 2))  # matplotlib counts upwards from the bottom
    resize_canvas(axes, 5, 6)
    assert tuple(axes.transData.transform((1, 1)) / figure.dpi) == pytest.approx((1, 5))


def test_cells_have_their_texts_and_colours():
    _, axes = open_canvas(4, 3)
    draw_cells(axes, [[("a", "red", "white"), ("b", "black", "blue")]], (1, 2), (0.5, 0.25), 9)
    assert [text.get_text() for text in axes.texts] == ["a", "b"]
    assert [text.get_color() for text in axes.texts] == ["red", "black"]
    assert box(axes.patches[1]) == (1.5, 2, 0.5, 0.25)
    assert axes.patches[1].get_facecolor() == (0, 0, 1, 1)


def test_a_map_keeps_its_shape_and_its_window_is_outlined():
    _, axes = open_canvas(4, 3)
    values = np.array([[-2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    draw_map(axes, values, (1, 1), 2, spans=((0, 1), (1, 3)))
    (image,) = axes.images
    assert tuple(image.get_extent()) == (1, 3, 2, 1)  # twice as wide as high
    assert image.get_clim() == (-2, 2)
    assert box(axes.patches[-1]) == (1.5, 1, 1, 0.5)


def test_an_image_of_one_channel_is_grey():
    _, axes = open_canvas(4, 3)
    pixels = np.full((4, 2, 1), 7, np.uint8)
    draw_image(axes, pixels, (0, 0), 1)
    (image,) = axes.images
    assert tuple(image.get_extent()) == (0, 0.5, 1, 0)
    np.testing.assert_array_equal(image.get_array(), pixels[..., 0])


def test_shown_maps_stand_from_left_to_right():
    _, axes = open_canvas(9, 3)
    maps = [Shown("image", np.zeros((2, 2, 3), np.uint8)), Shown("map", np.ones((2, 2)))]
    draw_shown(axes, maps, (1, 1), side=2, gap=0.5)
    assert [text.get_text() for text in axes.texts] == ["image", "map"]
    assert [image.get_extent()[0] for image in axes.images] == [1, 3.5]
