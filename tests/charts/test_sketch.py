"""The axes of a sketch measure inches, and texts on colours can be read."""

import pytest

from convlens.charts.sketch import MARGIN, draw_cell, ink_on, mixed, sketch, text_width, write
from convlens.charts.style import INK
from tests.charts.drawing import drawn, words


def test_lengths_are_inches():
    with sketch(0, -1, 3, 2) as (figure, axes):
        draw_cell(axes, (1, 1), (0.5, 0.25), "black", "7")
    drawn(figure)
    assert figure.get_size_inches() == pytest.approx([3 + 2 * MARGIN, 3 + 2 * MARGIN])
    figure.canvas.draw()
    box = axes.patches[0].get_window_extent()
    assert (box.width, box.height) == pytest.approx((0.5 * figure.dpi, 0.25 * figure.dpi))
    assert words(figure) == ["7"]
    assert axes.texts[0].get_color() == "white"


def test_colors():
    assert mixed("red", 0.5) == pytest.approx((1, 0.5, 0.5))
    assert ink_on("white") == ink_on(mixed("black", 0.3)) == INK
    assert ink_on("black") == "white"


@pytest.mark.parametrize("text", ["WWW 100 %", "3x3 卷積", "a\nlonger line"])
def test_texts_are_at_most_as_wide_as_reserved(text):
    with sketch(0, 0, 3, 1) as (figure, axes):
        written = write(axes, (1, 0.5), text, fontsize=9)
    figure.canvas.draw()
    assert written.get_window_extent().width <= text_width([text], 9) * figure.dpi * 1.1
