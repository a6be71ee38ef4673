"""Pages of convolution and pooling: sizes, sums, and opened values."""

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic import convolve, pool
from convlens.explain.arithmetic.reading import get_filter, get_image
from convlens.explain.pages.map_views import convolution_page, pooling_page
from convlens.explain.pages.page import Lines


def test_a_convolution_of_two_channels_has_a_row_for_each():
    image = np.arange(18).reshape(3, 3, 2)
    kernel = np.ones((2, 2, 2, 1), int)
    done = convolve(image, kernel, 3)
    page = convolution_page(done, ["ones"], (1, 0))
    assert page.facts == (
        ("image", "3 x 3 with 2 channels"),
        ("filter", "2 x 2 with 2 channels"),
        ("map", "2 x 2: ⌊(3 - 2) / 1⌋ + 1 = 2"),
        ("weights", "2 × 2 × 2 × 1 = 8"),
    )
    first, second, *opened, lines = page.blocks
    assert first.items[-1] == "+"
    assert second.items[3] == "+ 3 ="
    assert second.items[-1].title == "map of ones"
    assert second.items[-1].mark == (1, 2, 0, 1)
    assert second.items[0].mark == (1, 3, 0, 2)
    assert [row.items[0].title for row in opened] == ["patch, channel 0", "patch, channel 1"]
    total = image[1:3, 0:2].sum()
    assert lines.title == "row 1, column 0 of the map"
    assert lines.lines == (
        ("sum", f"6 + 8 + 12 + 14 + 7 + 9 + 13 + 15 = {total}"),
        ("bias", f"{total} + 3 = {total + 3}"),
    )


def test_facts_of_strides_border_groups_and_mean():
    image = np.ones((4, 5, 2), int)
    done = convolve(image, np.ones((2, 2, 1, 2), int), strides=(2, 1), padding="same", mean=True)
    facts = dict(convolution_page(done, ["a", "b"]).facts)
    assert facts["filter"] == "2 x 2, 2 groups"
    assert facts["map"] == "2 x 5: ⌈4 / 2⌉ = 2 down, ⌈5 / 1⌉ = 5 across"
    assert facts["strides"] == "2 down, 1 to the right"
    assert facts["border"].startswith("of zeros, 0 above, 0 below, 0 left, 1 right (an even filter")
    assert facts["value"] == "the mean of the 4 products"


def test_every_cell_opens_to_its_value():
    done = convolve(get_image("x9"), get_filter("plus")[..., None], padding="same")
    grid = convolution_page(done, ["plus"]).blocks[0].items[-1]
    for place in ((0, 0), (4, 4), (8, 3)):
        *_, lines = grid.opens(*place).blocks
        assert lines.lines[0][1].endswith(f"= {done.output[(*place, 0)]}")
    with pytest.raises(ConfigError, match="row 9 is outside"):
        convolution_page(done, ["plus"], (9, 0))


@pytest.mark.parametrize(
    ("kind", "text"),
    [("max", "max of 1, 2, 3, 4 = 4"), ("min", "min of 1, 2, 3, 4 = 1"),
     ("average", "(1 + 2 + 3 + 4) / 4 = 5/2")],
)  # fmt: skip
def test_an_opened_pooling(kind, text):
    page = pooling_page(pool(np.array([[1, 2], [3, 4]]), 2, kind=kind), (0, 0))
    assert page.title == f"{kind.capitalize()} pooling"
    assert page.blocks[1] == Lines((("", text),), "row 0, column 0 of the map")
    assert dict(page.facts)["window"] == "2 x 2, strides 2 down, 2 to the right"


def test_a_window_of_many_cells_is_not_written_out():
    values = np.arange(36).reshape(6, 6)
    largest = pooling_page(pool(values, 6), (0, 0)).blocks[1].lines[0][1]
    assert largest.endswith("30, 31, ... = 35")
    mean = pooling_page(pool(values, 6, kind="average"), (0, 0)).blocks[1].lines[0][1]
    assert mean == "mean of 36 cells = 35/2"


def test_partial_windows_are_told():
    facts = dict(pooling_page(pool(np.ones((3, 3), int), 2, padding="partial")).facts)
    assert facts["border"].endswith("windows reach beyond the image, only cells within it count")
