import numpy as np
import pytest

from convlens.config import AugmentConfig
from convlens.data.augment import resolve
from convlens.data.batches import Batches, class_weights

IMAGES = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 1), np.uint8)
LABELS = np.arange(100) % 3
LIGHT = resolve(AugmentConfig(), flip_allowed=False)


def make(**options) -> Batches:
    return Batches(IMAGES, LABELS, np.arange(100), num_classes=3, batch_size=32, **options)


def test_an_epoch_has_every_image_once_in_batches_of_equal_size():
    batches = make(seed=0)
    sizes = [len(batches[step][0]) for step in range(batches.steps)]
    assert sizes == [25, 25, 25, 25]  # not 32, 32, 32 and a lonely 4
    seen = np.concatenate([batches[step][0] for step in range(4)])
    assert sorted(map(bytes, seen)) == sorted(map(bytes, IMAGES))


def test_targets_belong_to_their_images():
    images, targets = make(seed=5)[2]
    where = [int(np.flatnonzero((image == IMAGES).all((1, 2, 3)))[0]) for image in images]
    assert np.array_equal(targets.argmax(1), LABELS[where])
    assert np.array_equal(targets.sum(1), np.ones(25))


def test_a_batch_is_a_function_of_seed_epoch_and_step():
    first = make(seed=1, augmentation=LIGHT)
    second = make(seed=1, augmentation=LIGHT)
    first.epoch = second.epoch = 4
    _ = first[0], first[3]  # what was asked before does not matter
    assert np.array_equal(first[2][0], second[2][0])
    second.epoch = 5
    assert not np.array_equal(first[2][0], second[2][0])
    assert not np.array_equal(make(seed=1).order(0), make(seed=2).order(0))


def test_a_resumed_epoch_goes_on_where_it_stopped():
    whole = make(seed=1, augmentation=LIGHT)
    rest = make(seed=1, augmentation=LIGHT)
    rest.first_step = 3
    assert rest.num_batches == 1
    assert np.array_equal(rest[0][0], whole[3][0])


def test_validation_is_in_order_and_unchanged():
    batches = make(augmentation=LIGHT)  # without a seed
    assert np.array_equal(np.concatenate([batches[step][0] for step in range(4)]), IMAGES)


def test_weights_travel_with_their_images_and_mix_with_the_labels():
    weights = np.array([1, 2, 3], np.float32)
    _, targets, found = make(seed=0, weights=weights)[0]
    assert np.array_equal(found, weights[targets.argmax(1)])
    mixed = resolve(AugmentConfig(augment="none", mixup=0.5), flip_allowed=False)
    _, targets, found = make(seed=0, weights=weights, augmentation=mixed)[0]
    assert (np.sort(targets, 1)[:, 1] > 0).any()
    assert set(np.round(found, 3)) - {1.0, 2.0, 3.0}
    assert np.allclose(targets.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("counts", "setting", "expected"),
    [
        ([50, 50], "auto", None),
        ([60, 50], "auto", None),
        ([74, 50], "auto", None),
        ([75, 50], "auto", [5 / 6, 1.25]),
        ([90, 30], "auto", [2 / 3, 2.0]),
        ([60, 50], "on", [11 / 12, 1.1]),
        ([90, 30], "off", None),
        ([90, 30, 0], "auto", [2 / 3, 2.0, 60.0]),
    ],
)
def test_class_weights(counts, setting, expected):
    """As scikit-learn's class_weight="balanced": n / (classes * count)."""
    found = class_weights(np.array(counts), setting)
    assert found is expected if expected is None else np.allclose(found, expected)


def test_an_epoch_of_other_length_goes_on_where_the_one_before_ended():
    whole = make(seed=1, augmentation=LIGHT)
    cut = make(seed=1, augmentation=LIGHT, steps_per_epoch=3)
    assert (whole.steps, cut.steps, cut.num_batches) == (4, 3, 3)
    for step in range(24):
        whole.epoch = step // 4
        cut.epoch = step // 3
        assert np.array_equal(whole[step % 4][0], cut[step % 3][0])
    long = make(seed=1, augmentation=LIGHT, steps_per_epoch=8)
    whole.epoch = 3
    long.epoch = 1
    assert np.array_equal(whole[1][0], long[5][0])
    long.first_step = 5  # resumed
    assert np.array_equal(whole[1][0], long[0][0])
