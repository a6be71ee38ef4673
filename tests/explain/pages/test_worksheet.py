"""Worksheets: their paper, their characters, and answers that are near the network's value."""

import numpy as np
import pytest

from convlens.charts.style import RED
from convlens.explain.microscope.exercise import make_exercise
from convlens.explain.microscope.microscope import open_cell
from convlens.explain.pages.canvas import open_canvas
from convlens.explain.pages.worksheet import (
    EDGE,
    HEIGHT,
    WIDTH,
    Paper,
    draw_worksheet,
    write_worksheet,
)
from convlens.explain.pages.worksheet_steps import Part
from convlens.language_choice import using
from tests.explain.networks import exercises, look_at


@pytest.fixture(scope="module")
def microscope():
    return look_at(exercises, (16, 16, 3), 3)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("conv", (0, 3, 2)),
        ("pool", (1, 2, 0)),
        ("wide", (3, 3, 1)),
        ("mean", (0, 1, 2)),
        ("depthwise", (1, 1, 0)),
        ("logits", (2,)),
        ("large", (8, 8, 1)),
        ("norm", (4, 5, 2)),
        ("probabilities", (1,)),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_two_pages_of_every_kind(microscope, name, index, language, tmp_path):
    layer = microscope.layer(name)
    cell = open_cell(layer, index)
    exercise = make_exercise(layer, cell)
    done = exercise.calculation
    gain = abs(done.gamma) / done.deviation if exercise.kind == "normalised" else 1.0
    names = {"weighted": "numbers", "softmax": "logits", "normalised": "inputs"}
    size = np.size(getattr(done, names.get(exercise.kind, ""), done))
    # Each number is rounded by at most half a digit.
    bound = 0.5 * 10**-exercise.decimals * (size + 12) * max(1, gain)
    assert exercise.value == pytest.approx(cell.network, abs=bound)
    path = tmp_path / "sheet.pdf"
    texts = {}
    with using(language):
        write_worksheet(path, microscope, layer, cell, "圖.png")
        for answers in (False, True):
            page = draw_worksheet(microscope, layer, cell, exercise, "圖.png", answers=answers)
            texts[answers] = [text.get_text() for text in page.axes[0].texts]
    data = path.read_bytes()
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page ") == 2
    answer = f"{exercise.value:.{exercise.decimals}f}"
    assert texts[True].count(answer) > texts[False].count(answer)
    assert exercise.decimals >= 3
    assert "圖.png" in texts[False]
    assert not any("行" in text for text in texts[False])
    assert any(f"{cell.network:.6f}" in text for text in texts[True])
    assert not any(f"{cell.network:.6f}" in text for text in texts[False])


def test_a_dense_layer_speaks_of_units_and_says_which_inputs_are_shown(microscope):
    layer = microscope.layer("shares_before")
    cell = open_cell(layer, (4,))
    exercise = make_exercise(layer, cell)
    assert exercise.left == cell.products[0].numbers.size - 12
    figure = draw_worksheet(microscope, layer, cell, exercise, "a.png", answers=False)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "Compute the value of unit 4 (counted from 0)." in texts
    assert any("12 of" in text for text in texts)
    assert not any("filter" in text for text in texts)
    assert set(exercise.heads) <= set(texts)


def test_a_softmax_names_the_class_and_its_shares_add_up(microscope):
    layer = microscope.layer("probabilities")
    cell = open_cell(layer, (1,))
    exercise = make_exercise(layer, cell)
    assert exercise.calculation.exponentials.max() == 1
    figure = draw_worksheet(microscope, layer, cell, exercise, "a.png", answers=False)
    assert any("class class 1 (number 1" in text.get_text() for text in figure.axes[0].texts)


def test_nothing_is_missing_while_it_is_drawn(microscope, tmp_path, recwarn):
    layer = microscope.layer("conv")
    cell = open_cell(layer, (0, 0, 0))
    with using("zh"):
        write_worksheet(tmp_path / "a.pdf", microscope, layer, cell, "學習單.png")
    assert not [warning for warning in recwarn if "lyph" in str(warning.message)]


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
