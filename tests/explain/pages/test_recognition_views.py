"""The page of lecture 004's path, from an image to one row of numbers."""

from fractions import Fraction

import numpy as np

from convlens.explain.arithmetic.reading import get_filter, get_image
from convlens.explain.pages.page import Row
from convlens.explain.pages.recognition_views import recognition_page


def test_the_path_ends_in_one_row_of_numbers():
    filters = [(name, get_filter(name)[..., 0]) for name in ("left-diagonal", "cross")]
    page = recognition_page(get_image("x9"), filters)
    rows = [block for block in page.blocks if isinstance(block, Row)]
    assert len(rows) == 1 + 2 + 1
    assert [item.title for item in rows[1].items[::2]] == [
        "left-diagonal", "map", "ReLU", "pooled", "pooled again",
    ]  # fmt: skip
    last = rows[-1].items[0]
    assert last.title == "flattened, 8 numbers: map by map"
    assert last.values[0, 0] == Fraction(1)
    np.testing.assert_array_equal(last.values[0, :4], rows[1].items[-1].values.reshape(-1))
