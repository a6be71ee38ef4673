import numpy as np
import pytest

from convlens.data.hashes import (
    CROPS,
    WHOLE,
    Window,
    coefficients,
    hashes_of,
    hashes_of_parts,
    is_flat,
    turn_image,
    turned,
    windows,
)
from tests.data.photographs import as_jpeg, crop, looks_at, photograph


def greys(*images):
    return looks_at(images)["grey"]


def distance(one, other, window=WHOLE):
    first = hashes_of(coefficients(greys(one)))
    second = hashes_of(coefficients(greys(other), window))
    return int(np.bitwise_count(first ^ second).sum())


def test_a_compressed_image_keeps_its_hash_and_another_image_has_another():
    assert distance(photograph(0), as_jpeg(photograph(0), 50)) <= 20
    assert 90 <= distance(photograph(0), photograph(1)) <= 166


def test_a_crop_has_the_hash_of_the_part_that_it_shows():
    cut = crop(photograph(0), 0.2, (0, 1))
    part = next(part for part in windows(CROPS) if part == Window(0, 12, 52, 52))
    assert distance(cut, photograph(0), part) <= 40 < 80 < distance(cut, photograph(0))


@pytest.mark.parametrize("turn", range(8))
def test_coefficients_of_turned_images_follow_from_the_upright_ones(turn):
    upright = greys(*map(photograph, range(3)))
    images = np.stack([turn_image(grey, turn) for grey in upright])
    expected = coefficients(np.ascontiguousarray(images))
    np.testing.assert_allclose(turned(coefficients(upright), turn), expected, atol=1e-3)


def test_all_parts_at_once_have_the_hashes_of_each_alone():
    parts = [WHOLE, *windows(CROPS)]
    images = greys(*map(photograph, range(4)))
    hashes, flat = hashes_of_parts(images, parts)
    assert hashes.shape == (30, 4, 4)
    assert not flat.any()
    for found, part in zip(hashes, parts, strict=True):
        different = found ^ hashes_of(coefficients(images, part))
        assert np.bitwise_count(different).sum() <= 1  # where a coefficient is nearly zero


def test_flat_parts_are_known():
    image = np.full((1, 64, 64), 90, np.uint8)
    image[0, 40:, 40:] = np.random.default_rng(0).integers(0, 256, (6, 6)).repeat(4, 0).repeat(4, 1)
    assert is_flat(coefficients(image, Window(0, 0, 38, 38))).all()
    assert not is_flat(coefficients(image)).any()
