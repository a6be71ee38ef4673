"""Looks of arrays, which are measured many at a time, are those of the same images one by one."""

import numpy as np
import pytest

from convlens.data.array_looks import looks_of_arrays
from convlens.data.looks import look_at
from convlens.file_facts import FileFacts
from convlens.preprocess import read_image
from tests.data.photographs import photograph

FACTS = FileFacts("RGB", "PNG")


def stacked(side, channels):
    """Return five photographs of side x (side - 8) pixels; None stands for grey without an axis."""
    pixels = np.stack([np.asarray(photograph(seed, (side, side - 8))) for seed in range(5)])
    if channels in (None, 1):
        return pixels[..., 0] if channels is None else pixels[..., :1]
    if channels == 4:
        opacity = np.random.default_rng(0).integers(0, 256, (*pixels.shape[:3], 1), np.uint8)
        return np.concatenate([pixels, opacity], axis=3)
    return pixels


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("side", [48, 160])
def test_looks_of_arrays_are_those_of_the_same_images(side, channels):
    pixels = stacked(side, channels)
    found = looks_of_arrays(pixels)
    one_by_one = np.stack([look_at(read_image(image).image, FACTS, 1) for image in pixels])
    assert (found["width"] == side).all()
    assert (found["format"] == b"array").all()
    assert (found["bytes"] == pixels[0].size).all()
    np.testing.assert_allclose(found["grey"].astype(int), one_by_one["grey"], atol=2)
    for looks in (found, one_by_one):
        means = looks["colours"].mean(axis=(1, 2))
        np.testing.assert_allclose(means @ [0.299, 0.587, 0.114], looks["brightness"], atol=1.5)
    # Those of files are measured at 64 x 64 pixels, where noise is less.
    for name, nearness in (("brightness", 0.01), ("contrast", 0.1), ("colourfulness", 0.1)):
        np.testing.assert_allclose(found[name], one_by_one[name], nearness, 0.5, err_msg=name)
    assert (found["commonest"] <= 1).all()
    np.testing.assert_allclose(found["sharpness"], one_by_one["sharpness"], rtol=0.05, atol=0.01)


def test_equal_arrays_have_equal_digests_and_others_do_not():
    pixels = stacked(32, 3)
    pixels[3] = pixels[0]
    pixels[4] = pixels[1]
    pixels[4, 0, 0, 0] ^= 1
    digests = [look["pixels"].tobytes() for look in looks_of_arrays(pixels)]
    assert digests[3] == digests[0]
    assert len(set(digests)) == 4
