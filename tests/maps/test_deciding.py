"""The place that costs most when it is covered, beside the peak of a map."""

from dataclasses import replace

import numpy as np
import pytest

from convlens.explain.why import words
from convlens.maps.deciding import costliest_place, deciding_regions
from convlens.maps.explainer import Explainer
from convlens.maps.heat import HeatMap, Target
from convlens.preprocess import ImageArray
from tests.maps.networks import MARK, marked, red_finder


@pytest.fixture(scope="module")
def finder():
    return Explainer(red_finder())


def brightness_of_corner(images: ImageArray) -> np.ndarray:
    """Return two logits, of which the first is the sum over the upper left 4 x 4 pixels."""
    sums = images[:, :4, :4].astype(np.float32).sum(axis=(1, 2, 3))
    return np.stack([sums, np.zeros_like(sums)], axis=1)


def white_corner():
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:4, :4] = 255
    return pixels


def test_place_is_the_square_whose_covering_costs_most():
    values = np.zeros((8, 8))
    values[5, 5] = 1
    heat = HeatMap("exact", Target(0), values, float(4 * 4 * 3 * 255))
    place = costliest_place(heat, white_corner(), brightness_of_corner)
    assert (place.rows, place.columns) == ((0, 3), (0, 3))
    assert place.fall == heat.logit
    assert place.chosen.sum() == 4
    assert not place.is_near_peak
    for row, is_near in ((1, True), (2, False)):
        values = np.zeros((8, 8))
        values[row, 1] = 1
        moved = replace(heat, values=values)
        found = costliest_place(moved, white_corner(), brightness_of_corner)
        assert found.is_near_peak == is_near


def test_there_is_no_place_where_nothing_falls():
    heat = HeatMap("exact", Target(0), np.zeros((8, 8)), 0.0)
    assert costliest_place(heat, np.zeros((32, 32, 3), np.uint8), brightness_of_corner) is None


def test_explanation_says_the_place_and_whether_the_peak_lies_elsewhere(finder):
    found = finder.explain(marked())
    (top, bottom), (left, right) = found.place.rows, found.place.columns
    mark = np.zeros(marked().shape[:2], bool)
    mark[MARK] = True
    assert mark[top : bottom + 1, left : right + 1].any()
    assert found.place.is_near_peak
    said = words.place(found)
    assert f"pixel rows {top} to {bottom} and columns {left} to {right} covered" in said
    assert "elsewhere" not in said
    beside = replace(found, place=replace(found.place, is_near_peak=False))
    assert "lies elsewhere" in words.place(beside)
    assert found.to_dict()["place"] == found.place.to_dict()


def test_place_is_not_said_without_a_drawn_map(finder):
    found = finder.explain(marked())
    (checked,) = found.maps
    heat = replace(checked.map, values=np.full(checked.map.values.shape, np.nan))
    refused = replace(found, maps=(finder.check(found.pixels, heat),), place=None)
    assert finder.with_regions(refused).place is None
    assert words.place(refused) == ""


@pytest.mark.parametrize("stops", [0.1, 0.6, 2.0])
def test_smallest_regions_are_those_of_all_sizes_and_cost_fewer_passes(stops):
    """A network says "b" as soon as a share of the image is covered, and never above 1."""
    pixels = np.full((32, 32, 3), 255, np.uint8)
    pixels[::2] = 0  # the median, with which regions are covered, is between both
    seen = []

    def logits(images: ImageArray) -> np.ndarray:
        seen.append(len(images))
        lost = 1 - (images == pixels).all(axis=3).mean(axis=(1, 2))
        return np.stack([np.full(len(images), stops), lost], axis=1).astype(np.float32)

    heat = HeatMap("exact", Target(0), np.arange(64.0).reshape(8, 8), 0.0)
    keeps, flips = deciding_regions(heat, pixels, logits, ("a", "b"))
    assert sum(seen) <= 66
    if stops > 1:
        assert keeps.share == 0
        assert flips is None
    else:
        assert keeps.share == pytest.approx(1 - stops, abs=1 / 32)
        assert flips.share == pytest.approx(stops, abs=1 / 32)
        assert (keeps.label, flips.label) == ("a", "b")
        assert sum(seen) <= 48
