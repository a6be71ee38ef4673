"""Paths of the regions that decide: the area that they cover, and the line around them."""

import re

import numpy as np
import pytest

from convlens.explain.why.region_path import fill_path, outline_path
from convlens.maps.regions import Regions

SIZE = (37, 50)  # which no number of regions divides


def drawn(path):
    """Return the pixels (height, width) inside the rectangles of a path."""
    found = np.zeros(SIZE, int)
    for x, y, right, bottom, back in re.findall(r"M(\d+),(\d+)H(\d+)V(\d+)H(\d+)z", path):
        assert x == back
        found[int(y) : int(bottom), int(x) : int(right)] += 1
    return found


@pytest.mark.parametrize("seed", range(3))
def test_area_has_the_pixels_of_the_regions(seed):
    regions = Regions.over(*SIZE)
    chosen = np.random.default_rng(seed).random((regions.rows, regions.columns)) < 0.4
    np.testing.assert_array_equal(
        drawn(fill_path(chosen, *SIZE)), chosen.ravel()[regions.number].astype(int)
    )


def test_line_surrounds_the_regions_also_at_the_border():
    chosen = np.zeros((16, 16), bool)
    chosen[0, 0] = True
    assert sorted(re.findall(r"M[^M]*", outline_path(chosen, 64, 64))) == [
        "M0,0H4",
        "M0,0V4",
        "M0,4H4",
        "M4,0V4",
    ]
    assert outline_path(np.zeros((16, 16), bool), 64, 64) == ""
