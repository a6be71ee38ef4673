"""Augmentation: a function of (seed, epoch, image) alone; what it may change and what it may not."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from scipy import stats

from convlens.config import AUGMENT_PRESETS, AugmentConfig
from convlens.data import augment as module
from convlens.data.augment import augment, flip_is_safe, mix, resolve

EVERYTHING = AugmentConfig(augment="strong", flip=True, erase=0.8, randaugment=3)


def images(n=12, height=24, width=20, channels=3):
    """Smooth random images: blurred noise, so that a bilinear change keeps them recognisable."""
    noise = np.random.default_rng(7).random((n, height, width, channels))
    smooth = np.array([cv2.GaussianBlur(one, (0, 0), 2).reshape(one.shape) for one in noise])
    low, high = smooth.min(axis=(1, 2, 3), keepdims=True), smooth.max(axis=(1, 2, 3), keepdims=True)
    return ((smooth - low) / (high - low) * 255).astype(np.uint8)


def only(**fields):
    return resolve(AugmentConfig(augment="none", **fields), flip_allowed=False)


def change(batch, config, indices=None, seed=0, epoch=0):
    return augment(
        batch, np.arange(len(batch)) if indices is None else indices, config, seed=seed, epoch=epoch
    )


class TestResolve:
    def test_preset_fills_what_is_not_given(self):
        resolved = resolve(
            AugmentConfig(augment="strong", rotate=3.0, shift=0.0), flip_allowed=True
        )
        assert (resolved.rotate, resolved.shift) == (3.0, 0.0)
        assert (resolved.zoom, resolved.flip, resolved.mixup) == (
            AUGMENT_PRESETS["strong"]["zoom"],
            True,
            0.0,
        )

    def test_none_is_nothing(self):
        values = dataclasses.asdict(resolve(AugmentConfig(augment="none"), flip_allowed=True))
        assert not any(value for name, value in values.items() if name != "augment")
        assert None not in values.values()

    @pytest.mark.parametrize("preset", AUGMENT_PRESETS)
    def test_an_explicit_flip_wins(self, preset):
        for flip in (True, False):
            assert (
                resolve(AugmentConfig(augment=preset, flip=flip), flip_allowed=not flip).flip
                is flip
            )
        assert resolve(AugmentConfig(augment=preset), flip_allowed=False).flip is False


THINGS = "cat 猫 airplane copyright leftovers 西瓜 东西 Western_Grebe letter_opener three-toed_sloth person_1"
SIGNS = "3 10 0.46 -1 a Z 三 + あ seven digit_3 LetterA"
DIRECTIONS = "left turn_right TurnLeft leftTurn LEFT left2 lefthand right-hand anticlockwise east north-east westbound"
CHINESE_DIRECTIONS = "左 右转 向左 东 西边 东南 顺时针"


class TestFlipIsSafe:
    def test_things(self):
        assert flip_is_safe([*THINGS.split(), "West Highland white terrier"], 3)
        assert not flip_is_safe(THINGS.split(), 1)

    @pytest.mark.parametrize("name", f"{SIGNS} {DIRECTIONS} {CHINESE_DIRECTIONS}".split())
    def test_signs_and_directions(self, name):
        assert not flip_is_safe(("cat", name), 3)


class TestStateless:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_batch_order_and_threads_do_not_matter(self, channels):
        batch, indices = images(channels=channels), np.arange(100, 112)
        whole = change(batch, EVERYTHING, indices, seed=5, epoch=2)
        order = np.random.default_rng(0).permutation(len(batch))
        np.testing.assert_array_equal(
            change(batch[order], EVERYTHING, indices[order], seed=5, epoch=2), whole[order]
        )

        with ThreadPoolExecutor(4) as pool:
            alone = zip(batch[:, None], indices[:, None], strict=True)
            single = list(
                pool.map(lambda one: change(one[0], EVERYTHING, one[1], seed=5, epoch=2)[0], alone)
            )
        np.testing.assert_array_equal(single, whole)

    def test_seed_epoch_and_index_do_matter(self):
        same = np.repeat(images(1), 2, axis=0)
        first, epoch, seed = (
            change(same, EVERYTHING),
            change(same, EVERYTHING, epoch=1),
            change(same, EVERYTHING, seed=1),
        )
        assert (first[0] != first[1]).any()
        assert min((first != other).mean() for other in (epoch, seed)) > 0.5

    def test_input_may_be_read_only_and_strided(self):
        batch = images()
        batch.flags.writeable = False
        np.testing.assert_array_equal(
            change(batch[::2], EVERYTHING), change(batch[::2].copy(), EVERYTHING)
        )
        np.testing.assert_array_equal(batch, images())

    def test_nothing_on_is_a_copy(self):
        batch, threads = images(), cv2.getNumThreads()
        got = change(batch, only())
        assert (got == batch).all() and not np.shares_memory(got, batch)  # noqa: PT018
        assert cv2.getNumThreads() == threads

    def test_one_change_leaves_the_others(self):
        shifted, both = (change(images(), only(shift=0.2, erase=erase)) for erase in (0.0, 0.5))
        kept = (shifted == both).all(axis=(1, 2, 3))
        assert 1 < kept.sum() < len(kept)


class TestRandomNumbers:
    def test_splitmix64_published_values(self):
        """First outputs for seed 1234567 of the reference program (Vigna, splitmix64.c)."""
        golden = 0x9E3779B97F4A7C15
        states = np.array([(1234567 + i * golden) % 2**64 for i in range(3)], np.uint64)
        expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
        assert module._hash(states).tolist() == expected

    def test_uniform_and_independent(self):
        """The columns of one key, and one column of neighbouring seeds, epochs and images."""
        indices = np.arange(20_000)
        neighbours = [(4, 4, indices), (5, 4, indices), (4, 5, indices), (4, 4, indices + 1)]
        columns = [module._uniform(module._keys(*place), 1) for place in neighbours]
        uniform = np.hstack([module._uniform(module._keys(4, 4, indices), 12)[:, 1:], *columns])
        assert 0 <= uniform.min() < uniform.max() < 1
        assert min(stats.kstest(column, "uniform").pvalue for column in uniform.T) > 1e-4
        assert np.abs(np.corrcoef(uniform, rowvar=False) - np.eye(15)).max() < 5 / np.sqrt(20_000)


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
        """The tilt of a vertical line, measured from its ends, fills the range and does not leave it."""
        batch = np.zeros((300, 65, 65, 1), np.uint8)
        batch[:, :, 31:34] = 255
        got = change(batch, only(**{field: limit}))[..., 0].astype(float)
        centre = (got * np.arange(65)).sum(axis=2) / got.sum(axis=2)
        tilt = np.rad2deg(np.arctan((centre[:, 52] - centre[:, 12]) / 40))
        assert np.abs(tilt).max() == pytest.approx(limit, abs=1.5)
        assert tilt.min() < -0.9 * limit < 0.9 * limit < tilt.max()


class TestErase:
    def test_probability_and_area(self):
        batch = np.zeros((2000, 40, 30, 3), np.uint8)
        got = change(batch, only(erase=0.3))
        share = (got.any(axis=3)).mean(axis=(1, 2))
        assert 0.26 < (share > 0).mean() < 0.34
        low, high = module.ERASED_AREA
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
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
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
            PILLOW[name](Image.fromarray(image), 1 + module.ENHANCE * (2 * strength - 1))
        )
        got = getattr(module, name)(image, strength)
        inside = np.s_[1:-1, 1:-1]  # Pillow leaves the border unsharpened
        tolerance = (
            6 if name == "_contrast" else 2
        )  # Pillow takes the mean of the luminance, here of the channels
        assert np.abs(got[inside].astype(int) - expected[inside].astype(int)).max() <= tolerance

    def test_posterize_and_solarize(self):
        image = images(1)[0]
        opened = Image.fromarray(image)
        posterized = ImageOps.posterize(opened, module.LEAST_BITS)
        solarized = ImageOps.solarize(opened, 176)
        np.testing.assert_array_equal(module._posterize(image, 1 - 1e-9), posterized)
        np.testing.assert_array_equal(module._posterize(image, 0.0), image)
        np.testing.assert_array_equal(module._solarize(image, 0.0), solarized)

    def test_equalize(self):
        image = images(1, channels=1)[0] // 3
        share = np.bincount(image.ravel(), minlength=256).cumsum() / image.size
        darkest = share[image.min()]
        expected = (share[image] - darkest) / (1 - darkest) * 255
        assert np.abs(module._equalize(image, 0.5) - expected[..., 0]).max() <= 0.51

    def test_autocontrast(self):
        image = (images(1, channels=1)[0] // 3 + 40).astype(np.uint8)
        expected = np.asarray(ImageOps.autocontrast(Image.fromarray(image[..., 0]))).astype(int)
        assert np.abs(module._autocontrast(image, 0.5).astype(int) - expected).max() <= 1
        flat = np.full((8, 8, 3), 77, np.uint8)
        np.testing.assert_array_equal(module._autocontrast(flat, 0.5), flat)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_every_operation_is_drawn(self, channels, monkeypatch):
        name, number = ("RGB_OPERATIONS", 8) if channels == 3 else ("GREY_OPERATIONS", 7)
        seen = []
        spies = [lambda p, s, o=o: (seen.append(o), o(p, s))[1] for o in getattr(module, name)]
        monkeypatch.setattr(module, name, tuple(spies))
        change(np.repeat(images(1, channels=channels), 400, axis=0), only(randaugment=2))
        assert (len(seen), len(set(seen))) == (800, number)


def mixed(levels, step, **fields):
    """Mix images of one grey level each, a class for each level; return the images and the targets."""
    levels = np.array(levels, np.uint8)
    flat = np.broadcast_to(levels[:, None, None, None], (len(levels), 16, 12, 1)).copy()
    targets, weights = np.eye(len(levels), dtype=np.float32), np.ones(len(levels), np.float32)
    got, labels, kept = mix(flat, targets, weights, only(**fields), seed=0, epoch=0, step=step)
    np.testing.assert_allclose(kept, 1, rtol=1e-6)
    return got, labels


class TestMix:
    def batch(self, n=64):
        random = np.random.default_rng(1)
        targets = np.eye(5, dtype=np.float32)[random.integers(0, 5, n)]
        weights = random.uniform(0, 3, n).astype(np.float32)
        weights[: n // 2] = 0
        return random.integers(0, 256, (n, 16, 12, 3), dtype=np.uint8), targets, weights

    @pytest.mark.parametrize(
        "fields", [{}, {"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0}]
    )
    def test_repeats_and_conserves_weighted_labels(self, fields):
        given = self.batch()
        for step in range(20):
            once, again = (
                mix(*given, only(**fields), seed=3, epoch=1, step=step) for _ in range(2)
            )
            for a, b, part, kept in zip(once, again, given, self.batch(), strict=True):
                np.testing.assert_array_equal(a, b)
                np.testing.assert_array_equal(part, kept)
                assert (a.dtype, a.shape) == (part.dtype, part.shape)
            _, targets, weights = once
            np.testing.assert_allclose(targets.sum(axis=1)[weights > 0], 1, rtol=1e-5)
            np.testing.assert_allclose(weights @ targets, given[2] @ given[1], rtol=1e-5)

    def test_mixup_share_is_that_of_the_labels(self):
        levels, shares = np.arange(0, 250, 10), []
        for step in range(20):
            got, labels = mixed(levels, step, mixup=1.0)
            np.testing.assert_allclose(got[:, 3, 3, 0], labels @ levels, atol=0.51)
            shares.append(labels.diagonal().min())
        assert min(shares) < 0.2 < 0.8 < max(shares)

    def test_cutmix_share_is_the_real_area(self):
        shares = []
        for step in range(50):
            got, labels = mixed(range(40), step, cutmix=1.0)
            areas = [np.bincount(one.flat, minlength=40) / one.size for one in got]
            np.testing.assert_allclose(labels, areas, atol=1e-6)
            shares.append(labels.diagonal().min())
        assert min(shares) < 0.2 < 0.8 < max(shares)

    def test_both_on_is_a_coin(self):
        """In black and white images mixup makes grey and cutmix none."""
        grey = [
            np.unique(mixed([0, 255] * 30, step, mixup=1.0, cutmix=1.0)[0]).size > 2
            for step in range(200)
        ]
        assert 70 < sum(grey) < 130
