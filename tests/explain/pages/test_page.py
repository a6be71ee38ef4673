"""Pages: the cells of a grid, and the alignment of tables."""

from fractions import Fraction

import numpy as np
import pytest

from convlens.explain.arithmetic.windows import Border
from convlens.explain.pages.page import Grid, Table


def test_cells_tell_text_colour_border_and_mark():
    values = np.array([[0.0, 0.0, 0.0], [0.0, 2.0, -1.0]])
    cells = Grid(values, border=Border(top=1, left=1), mark=(1, 2, 1, 3)).cells()
    assert [[cell.text for cell in row] for row in cells] == [["0", "0", "0"], ["0", "2", "-1"]]
    assert [[cell.border for cell in row] for row in cells] == [[True] * 3, [True, False, False]]
    assert [[cell.marked for cell in row] for row in cells] == [[False] * 3, [False, True, True]]
    assert [cell.color for cell in cells[0]] == ["#ffffff"] * 3
    # 55 % of the way from white to the blue (0, 114, 178), half of that way to (224, 138, 0).
    assert [cell.color for cell in cells[1]] == ["#ffffff", "#73b1d5", "#f6dfb9"]


def test_a_common_scale_makes_colours_comparable():
    values = np.array([[1.0]])
    (((_, alone, _, _),),) = Grid(values).cells()
    (((_, shared, _, _),),) = Grid(values, largest=4.0).cells()
    (((_, zero, _, _),),) = Grid(values * 0).cells()
    assert alone == "#73b1d5"
    assert shared == "#dcecf4"
    assert zero == "#ffffff"


def test_fractions_stay_fractions_and_decimals_are_aligned():
    exact = np.array([[Fraction(1, 3), Fraction(-2)]], dtype=object)
    assert [cell.text for cell in Grid(exact).cells()[0]] == ["1/3", "-2"]
    rounded = Grid(np.array([[0.12345, 2.0]]), decimals=2).cells()[0]
    assert [cell.text for cell in rounded] == ["0.12", "2.00"]


@pytest.mark.parametrize(
    ("texts", "right"),
    [(("1", "-0.5", ""), True), (("1,088", "all"), True), (("5 x 5", "3"), True),
     (("1/3", "2e-05"), True), (("w1", "2"), False), (("2 + 3",), False)],
)  # fmt: skip
def test_columns_of_numbers_are_aligned_to_the_right(texts, right):
    table = Table(("a",), tuple((text,) for text in texts), words=("all",))
    assert table.is_right(0) is right
