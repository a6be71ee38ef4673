"""Patches: what a feature is, worked out for one image by hand."""

import numpy as np
import pytest

from convlens.audit import patches
from convlens.audit.patches import FLAT, SIDE, THRESHOLD, Patches, draw_patches


def images(count, side=9, channels=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, side, side, channels)).astype(np.uint8)


def test_features_are_the_mean_likeness_of_each_quarter():
    rng = np.random.default_rng(1)
    pixels = SIDE * SIDE * 3
    mean, whitening, chosen = (
        rng.normal(0, 0.1, shape).astype(np.float32)
        for shape in [pixels, (pixels, pixels), (7, pixels)]
    )
    some = images(3)
    found = Patches(mean, whitening, chosen).features(some)
    assert found.shape == (3, 28)
    # Four places down and four across: the third quarter is the lower left one.
    likeness = []
    for down in (2, 3):
        for across in (0, 1):
            patch = some[1, down : down + SIDE, across : across + SIDE].astype(float)
            patch = patch.transpose(2, 0, 1).ravel()
            patch = (patch - patch.mean()) / np.sqrt(patch.var() + FLAT)
            row = (patch - mean) @ whitening
            likeness.append(np.maximum(row @ chosen.T - THRESHOLD, 0))
    assert found[1, 14:21] == pytest.approx(np.mean(likeness, axis=0), abs=1e-4)


def test_any_number_of_images_gives_the_same_features(monkeypatch):
    some = images(5)
    drawn = draw_patches(some)
    at_once = drawn.features(some)
    monkeypatch.setattr(patches, "AT_A_TIME", 2)
    assert drawn.features(some) == pytest.approx(at_once, abs=1e-5)
    assert at_once.shape == (5, drawn.width)


def test_patches_are_whitened_and_of_length_one(monkeypatch):
    monkeypatch.setattr(patches, "LEAST", 0)
    # Neighbouring pixels are alike, so that their correlation is what the whitening takes out.
    smooth = images(30, 32, 1).repeat(3, axis=1).repeat(3, axis=2)
    drawn = draw_patches(smooth)
    assert np.linalg.norm(drawn.chosen, axis=1) == pytest.approx(1)
    rng = np.random.default_rng(2)
    places = rng.integers(0, 90, (4000, 2))
    cut = [smooth[index % 30, y : y + SIDE, x : x + SIDE] for index, (y, x) in enumerate(places)]
    rows = (patches._normalised(np.stack(cut).reshape(4000, -1)) - drawn.mean) @ drawn.whitening
    covariance = np.cov(rows, rowvar=False)
    assert np.diag(covariance).mean() == pytest.approx(1, abs=0.1)
    assert np.abs(covariance - np.diag(np.diag(covariance))).mean() < 0.1


@pytest.mark.filterwarnings("error")
def test_blank_images_have_no_features():
    blank = np.full((2, 32, 32, 3), 90, np.uint8)
    assert not draw_patches(blank).features(blank).any()
