"""What the checks look at: the images that were read, and what is measured of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from convlens.audit.material import Material, _greys
from convlens.data.dataset import Dataset
from convlens.data.looks import LOOK
from tests.audit.photographs import gathered, make_set


def material_of(looks, usable=None):
    store = SimpleNamespace(
        looks=looks, usable=np.ones(len(looks), bool) if usable is None else np.array(usable)
    )
    return Material(SimpleNamespace(), store)


@pytest.fixture
def looks():
    looks = np.zeros(4, LOOK)
    looks["width"] = [10, 40, 0, 30]
    looks["height"] = [20, 10, 0, 30]
    looks["format"] = [b"JPEG", b"PNG", b"", b"JPEG"]
    looks["camera"] = [b"", "Kamera ö".encode(), b"", b"caf\xc3"]  # cut off within a letter
    return looks


def test_only_images_that_could_be_read_are_measured(looks):
    material = material_of(looks, [True, True, False, True])
    assert material.seen.tolist() == [0, 1, 3]
    assert material.measured("width").tolist() == [10, 40, 30]
    assert material.words("format").tolist() == ["JPEG", "PNG", "JPEG"]
    assert material.words("camera").tolist() == ["", "Kamera ö", "caf\ufffd"]
    assert material.ratios.tolist() == [2, 4, 1]


def test_images_are_passed_over_besides_those_that_cannot_be_read(looks):
    material = material_of(looks, [True, True, False, True])
    assert material.without([]) is material
    fewer = material.without([1])
    assert fewer.seen.tolist() == [0, 3]
    assert fewer.measured("height").tolist() == [20, 30]
    assert fewer.without([0]).seen.tolist() == [3]
    assert material.seen.tolist() == [0, 1, 3]


def test_greys_are_percentiles_and_the_share_of_equal_neighbours():
    grey = np.zeros((3, 64, 64), np.uint8)
    grey[1, :, 32:] = 200
    grey[2] = np.arange(64) * 4
    darkest, brightest, flatness = _greys(grey)
    assert darkest.tolist() == pytest.approx([0, 0, 0], abs=5)
    assert brightest.tolist() == pytest.approx([0, 200, 240], abs=5)
    # One of 63 steps to the right is a step; a ramp has no equal neighbours to the right.
    assert flatness.tolist() == pytest.approx([1, 1 - 1 / 126, 0.5])


def test_photographs_are_told_from_drawings(tmp_path):
    photographs = gathered(make_set(tmp_path / "set", 4))
    assert photographs.shows_photographs
    images = np.zeros((20, 28, 28), np.uint8)
    images[:, 10:18, 12:16] = 255
    drawings = Dataset("nowhere", "made", images, np.arange(20) % 2, ("a", "b"))
    assert not gathered(drawings).shows_photographs
    assert len(photographs.greys.flatness) == 8


def test_where_nothing_could_be_read_nothing_is_measured(looks):
    material = material_of(looks, [False] * 4)
    assert len(material.seen) == len(material.ratios) == len(material.greys.darkest) == 0
    assert not material.shows_photographs
