"""Geometry, erasing, and operations on colours against those of Pillow."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from convlens.data import transforms
from tests.data.test_augment import change, images, only


class TestGeometry:
    def test_flip_is_exact_and_half_the_time(self):
        batch = np.repeat(images(1), 1000, axis=0)
        got = change(batch, only(flip=True))
        mirrored = (got == batch[:, :, ::-1]).all(axis=(1, 2, 3))
        assert (mirrored | (got == batch).all(axis=(1, 2, 3))).all()
        assert 430 < mirrored.sum() < 570

    def test_shift_is_whole_pixels_and_the_border_adds_no_stroke(self):
        batch = np.zeros((300, 20, 20, 1), np.uint8)
        batch[:, 2, 10] = 255  # moved down, it would be seen twice in a reflection
        which, rows, columns = np.nonzero(change(batch, only(shift=0.2))[..., 0] == 255)
        assert len(which) == len(set(which))
        assert (set(rows), set(columns)) == (set(range(7)), set(range(6, 15)))

    @pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (7, 5, 3), (1, 6, 3), (1, 1, 1)])
    def test_moving_whole_pixels_equals_interpolation(self, shape):
        """A map without zoom, rotation and shear gives the pixels of `warpAffine`."""
        random = np.random.default_rng(1)
        moved = random.integers(0, 256, (200, *shape), dtype=np.uint8)
        interpolated = moved.copy()
        uniform = random.random((200, transforms.COLOUR))
        config = only(flip=True, shift=0.5)
        transforms.warp(moved, uniform, config)
        maps = transforms._affine_maps(uniform, shape[:2], config)
        transforms._interpolate(interpolated, maps)
        assert (moved == interpolated).all()

    def test_zoom_range_and_direction(self):
        batch = np.zeros((300, 64, 64, 1), np.uint8)
        batch[:, 27:37, 27:37] = 255
        side = np.sqrt(change(batch, only(zoom=0.3)).sum(axis=(1, 2, 3)) / 255)
        assert side.min() == pytest.approx(7, abs=0.15)
        assert side.max() == pytest.approx(13, abs=0.15)

    def test_zoomed_in_shows_any_part_and_no_border(self):
        ramp = np.broadcast_to(
            np.arange(10, 210, 4, dtype=np.uint8)[None, None, :, None], (200, 50, 50, 1)
        )
        got = change(np.array(ramp), only(zoom=0.5))[:, 25, :, 0].astype(int)
        inward = got[got[:, -1] - got[:, 0] < 180]
        assert len(inward) > 50
        assert (np.diff(inward) >= 0).all()  # a border would make the ramp flat or turn it
        assert inward[:, 0].min() < 20
        assert inward[:, -1].max() > 195

    @pytest.mark.parametrize(("field", "limit"), [("rotate", 20.0), ("shear", 20.0)])
    def test_angles(self, field, limit):
        """The tilt of a vertical line, measured from its ends, fills the range but not more."""
        batch = np.zeros((300, 65, 65, 1), np.uint8)
        batch[:, :, 31:34] = 255
        got = change(batch, only(**{field: limit}))[..., 0].astype(float)
        centre = (got * np.arange(65)).sum(axis=2) / got.sum(axis=2)
        tilt = np.rad2deg(np.arctan((centre[:, 52] - centre[:, 12]) / 40))
        assert np.abs(tilt).max() == pytest.approx(limit, abs=1.5)
        assert tilt.min() < -0.9 * limit < 0.9 * limit < tilt.max()

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_side_of_one_pixel(self, channels):
        """A row moves like every row of an image whose rows are alike, and one pixel stays."""
        config = only(flip=True, zoom=0.3, shear=10.0)
        row = images(20)[:, :1, :, :channels]
        rows = np.repeat(row, 9, axis=1)
        uniform = np.random.default_rng(0).random((20, transforms.COLOUR))
        transforms.warp(row, uniform, config)
        transforms.warp(rows, uniform, config)
        assert (row[:, 0] == rows[:, 4]).all()
        dots = images(20)[:, :1, :1, :channels]
        assert (change(dots, only(rotate=20.0, shift=0.3, zoom=0.3)) == dots).all()


class TestErase:
    def test_probability_and_area(self):
        batch = np.zeros((2000, 40, 30, 3), np.uint8)
        got = change(batch, only(erase=0.3))
        share = (got.any(axis=3)).mean(axis=(1, 2))
        assert 0.26 < (share > 0).mean() < 0.34
        low, high = transforms.ERASED_AREA
        assert share[share > 0].min() > low * 0.8
        assert high * 0.9 < share.max() < high * 1.1

    def test_it_is_a_rectangle_of_noise_anywhere(self):
        got = change(np.zeros((500, 32, 32, 3), np.uint8), only(erase=1.0))
        hit = got.any(axis=3)
        assert hit[:, 8:24, 8:24].mean(axis=0).min() > 0.02
        assert all(edge.any() for edge in (hit[:, 0], hit[:, -1], hit[:, :, 0], hit[:, :, -1]))
        assert all(_box(image).mean() > 0.99 for image in hit)  # noise is black once in 2**24
        assert got[hit].mean() == pytest.approx(127.5, abs=1)
        assert got[hit].std() == pytest.approx(255 / np.sqrt(12), abs=1)


def _box(mask):
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


PILLOW = {
    "_brightness": lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    "_contrast": lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    "_colour": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    "_sharpness": lambda image, factor: Image.blend(
        image.filter(ImageFilter.SMOOTH), image, factor
    ),
}


class TestColour:
    """The operations against Pillow's, which RandAugment was defined with."""

    @pytest.mark.parametrize("name", PILLOW)
    @pytest.mark.parametrize("strength", [0.0, 0.3, 0.5, 1.0])
    def test_enhancements(self, name, strength):
        image = images(1)[0]
        expected = np.asarray(
            PILLOW[name](Image.fromarray(image), 1 + transforms.ENHANCE * (2 * strength - 1))
        )
        got = getattr(transforms, name)(image, strength)
        inside = np.s_[1:-1, 1:-1]  # Pillow leaves the border unsharpened
        # For the contrast, Pillow takes the mean of the luminance, and we that of the channels.
        tolerance = 6 if name == "_contrast" else 2
        assert np.abs(got[inside].astype(int) - expected[inside].astype(int)).max() <= tolerance

    def test_posterize_and_solarize(self):
        image = images(1)[0]
        opened = Image.fromarray(image)
        posterized = ImageOps.posterize(opened, transforms.LEAST_BITS)
        solarized = ImageOps.solarize(opened, 176)
        np.testing.assert_array_equal(transforms._posterize(image, 1 - 1e-9), posterized)
        np.testing.assert_array_equal(transforms._posterize(image, 0.0), image)
        np.testing.assert_array_equal(transforms._solarize(image, 0.0), solarized)

    def test_equalize(self):
        image = images(1, channels=1)[0] // 3
        share = np.bincount(image.ravel(), minlength=256).cumsum() / image.size
        darkest = share[image.min()]
        expected = (share[image] - darkest) / (1 - darkest) * 255
        assert np.abs(transforms._equalize(image, 0.5) - expected[..., 0]).max() <= 0.51

    def test_autocontrast(self):
        image = (images(1, channels=1)[0] // 3 + 40).astype(np.uint8)
        expected = np.asarray(ImageOps.autocontrast(Image.fromarray(image[..., 0]))).astype(int)
        assert np.abs(transforms._autocontrast(image, 0.5).astype(int) - expected).max() <= 1
        flat = np.full((8, 8, 3), 77, np.uint8)
        np.testing.assert_array_equal(transforms._autocontrast(flat, 0.5), flat)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_every_operation_is_drawn(self, channels, monkeypatch):
        name, number = ("RGB_OPERATIONS", 8) if channels == 3 else ("GREY_OPERATIONS", 7)
        seen = []
        spies = [lambda p, s, o=o: (seen.append(o), o(p, s))[1] for o in getattr(transforms, name)]
        monkeypatch.setattr(transforms, name, tuple(spies))
        change(np.repeat(images(1, channels=channels), 400, axis=0), only(randaugment=2))
        assert (len(seen), len(set(seen))) == (800, number)
