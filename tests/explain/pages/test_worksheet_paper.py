"""The paper of a worksheet: lines, blanks and grids within A4."""

import numpy as np
import pytest

from convlens.charts.style import RED
from convlens.explain.pages.canvas import open_canvas
from convlens.explain.pages.worksheet_paper import EDGE, HEIGHT, WIDTH, Paper, Part


def paper(*, answers=False):
    _, axes = open_canvas(WIDTH, HEIGHT)
    return Paper(axes, EDGE, answers, 3)


def words(page):
    return [text.get_text() for text in page.axes.texts if text.get_text()]


def test_each_line_stands_below_the_one_before():
    page = paper()
    for write in (page.line, page.note):
        write("text")
    first, second = page.axes.texts
    assert second.get_position()[1] == pytest.approx(first.get_position()[1] + 0.3)
    assert second.get_fontsize() < first.get_fontsize()


def test_a_blank_is_filled_on_the_answer_sheet_only():
    for answers in (False, True):
        page = paper(answers=answers)
        page.blank("sum", -0.0)
        assert words(page) == ["sum =", *(["0.000"] if answers else [])]
        assert len(page.axes.lines) == 1
    assert page.axes.texts[-1].get_color() == RED


def test_grids_beside_or_below_each_other():
    square = (
        Part("a", np.ones((2, 2)), given=True),
        Part("b", np.ones((2, 2)), given=False, sign="×"),
    )
    page = paper()
    page.grids(*square)
    assert words(page).count("1.000") == 4  # the second is left blank
    lefts = {patch.get_x() for patch in page.axes.patches}
    assert len(lefts) == 4
    assert "×" in words(page)
    wide = (Part("a", np.ones((1, 9)), given=True, heads=tuple("abcdefghi")), *square[1:])
    page = paper(answers=True)
    page.grids(wide[0], Part("b", np.ones((1, 9)), given=False, sign="×"))
    assert len({round(patch.get_x(), 6) for patch in page.axes.patches}) == 9
    assert "× b" in words(page)
    assert words(page).count("1.000") == 18
    assert (
        max(patch.get_x() + patch.get_width() for patch in page.axes.patches) <= WIDTH - EDGE + 1e-9
    )


def test_ruled_lines_end_with_the_page():
    page = paper()
    page.ruled_lines(3)
    assert len(page.axes.lines) == 3
    page.ruled_lines(100)
    assert max(line.get_ydata()[0] for line in page.axes.lines) < HEIGHT
