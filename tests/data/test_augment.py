"""Augmentation: a function of (seed, epoch, image) alone, its settings, and mixing."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from scipy import stats

from convlens.config import AUGMENT_PRESETS, AugmentConfig
from convlens.data import augment as module
from convlens.data.augment import augment, flip_is_safe, mix, resolve

EVERYTHING = AugmentConfig(augment="strong", flip=True, erase=0.8, randaugment=3)


def images(n=12, height=24, width=20, channels=3):
    """Smooth random images: blurred noise, so that a bilinear change keeps them recognisable."""
    noise = np.random.default_rng(7).random((n, height, width, channels))
    smooth = np.array([cv2.GaussianBlur(one, (0, 0), 2).reshape(one.shape) for one in noise])
    low = smooth.min(axis=(1, 2, 3), keepdims=True)
    high = smooth.max(axis=(1, 2, 3), keepdims=True)
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


THINGS = (
    "cat 猫 airplane copyright leftovers 西瓜 东西 Western_Grebe letter_opener three-toed_sloth "
    "person_1"
)
SIGNS = "3 10 0.46 -1 a Z 三 + あ seven digit_3 LetterA"
DIRECTIONS = (
    "left turn_right TurnLeft leftTurn LEFT left2 lefthand right-hand anticlockwise east "
    "north-east westbound"
)
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
        batch = images(channels=channels)
        indices = np.arange(100, 112)
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
        first = change(same, EVERYTHING)
        epoch = change(same, EVERYTHING, epoch=1)
        seed = change(same, EVERYTHING, seed=1)
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
        batch = images()
        threads = cv2.getNumThreads()
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


def mixed(levels, step, **fields):
    """Mix images of one grey level each, a class for each level; return images and targets."""
    levels = np.array(levels, np.uint8)
    flat = np.broadcast_to(levels[:, None, None, None], (len(levels), 16, 12, 1)).copy()
    targets = np.eye(len(levels), dtype=np.float32)
    weights = np.ones(len(levels), np.float32)
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
        levels = np.arange(0, 250, 10)
        shares = []
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


def test_an_image_is_mirrored_in_one_of_two_epochs_that_follow_each_other():
    batch = images(40)
    config = only(flip=True)
    mirrored = [
        [np.array_equal(one, new[:, ::-1]) for one, new in zip(batch, changed, strict=True)]
        for changed in (change(batch, config, epoch=epoch) for epoch in range(4))
    ]
    assert 8 < sum(mirrored[0]) < 32
    assert mirrored[1] == [not one for one in mirrored[0]]
    assert mirrored[2:] == mirrored[:2]
