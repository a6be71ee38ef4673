"""Windows along a side of an image: their number, their cells, and what cannot be."""

import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.windows import lay_windows


@pytest.mark.parametrize(
    ("arguments", "count", "before", "after"),
    [
        ((5, 3, 1, "valid"), 3, 0, 0),
        ((5, 2, 1, "same"), 5, 0, 1),
        ((8, 3, 2, "same"), 4, 0, 1),
        ((7, 2, 2, "partial"), 4, 0, 0),
        ((9, 3, 1, "same", 2), 9, 2, 2),
    ],
)
def test_windows_along_a_side(arguments, count, before, after):
    side = lay_windows(*arguments)
    assert (side.count, side.before, side.after) == (count, before, after)


def test_the_cells_of_a_dilated_window():
    side = lay_windows(9, 3, 2, "same", 2)
    assert side.span(1) == (0, 5)
    assert list(side.cells(1)) == [0, 2, 4]
    assert side.span_inside(0) == (0, 3)
    assert list(side.cells_below(2)) == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, 0, 1, "valid"), "the window's size must be at least 1; found 0"),
        ((5, 2, 0, "valid"), "strides must be at least 1; found 0"),
        ((5, 2, 1, "full"), "found 'full'"),
        ((5, 6, 1, "valid"), "a window of 6 must fit into the image's side of 5"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        lay_windows(*arguments)
