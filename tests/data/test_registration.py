import numpy as np
import pytest

from convlens.data.hashes import WHOLE, Window
from convlens.data.registration import register, start_of
from tests.data.photographs import COPIES, crop, looks_at, photograph


@pytest.mark.parametrize("kind", ["jpeg", "half", "brighter", "gamma", "logo", "crop of 5 %"])
def test_copies_agree_in_detail(kind):
    first, second = looks_at([COPIES[kind](photograph(3)), photograph(3)])["grey"]
    match = register(first, second, WHOLE)
    assert match.agreement > 0.93


def test_different_images_do_not():
    for seed in range(10):
        first, second = looks_at([photograph(seed), photograph(seed + 10)])["grey"]
        match = register(first, second, WHOLE)
        assert match is None or match.agreement < 0.6


def test_the_transform_of_a_crop_is_found():
    first, second = looks_at([crop(photograph(0), 0.2, (0, 1)), photograph(0)])["grey"]
    match = register(first, second, Window(0, 12, 52, 52))
    np.testing.assert_allclose(match.warp[:, :2], np.diag([0.8, 0.8]), atol=0.02)
    np.testing.assert_allclose(match.warp[:, 2], [-0.1, 12.7], atol=0.4)
    assert match.difference < 8


def test_a_logo_lowers_the_strict_agreement_only():
    first, second = looks_at([COPIES["logo"](photograph(0)), photograph(0)])["grey"]
    match = register(first, second, WHOLE)
    assert match.strict < match.agreement - 0.01


def test_a_window_is_where_the_search_starts():
    np.testing.assert_allclose(start_of(WHOLE), np.eye(2, 3))
    start = start_of(Window(16, 32, 32, 32))
    # The middle of the first pixel lies a quarter of a pixel into the window.
    np.testing.assert_allclose(start @ [0, 0, 1], [15.75, 31.75])
