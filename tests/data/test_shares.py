"""Several processes together see what one sees."""

import numpy as np
import pytest

from convlens.config import AugmentConfig
from convlens.data.augment import resolve
from convlens.data.batches import Batches
from convlens.data.shares import TrainingShare, ValidationShare
from convlens.training.optimization import FirstHeadAccuracy

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 6, 6, 1), np.uint8)
LABELS = np.arange(50) % 3
INDICES = np.arange(3, 50)
FACTS = {"num_classes": 3, "batch_size": 8}


def joined(shares, epoch, step):
    """Return the batch of all processes together."""
    parts = [share.share_at(epoch, step) for share in shares]
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


@pytest.mark.parametrize("processes", [1, 2, 4])
@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_every_step_has_the_images_of_one_process(processes, mixup):
    given = AugmentConfig(shift=0.2, rotate=10, mixup=mixup)
    options = {
        **FACTS,
        "seed": 1,
        "augmentation": resolve(given, flip_allowed=True),
        "weights": np.array([1, 2, 3], np.float32),
        "whole": True,
    }
    whole = Batches(IMAGES, LABELS, INDICES, **options)
    shares = [
        TrainingShare(IMAGES, LABELS, INDICES, number=number, processes=processes, **options)
        for number in range(processes)
    ]
    assert shares[0].steps == whole.steps == 5
    for epoch in (0, 1):
        for step in range(whole.steps):
            found = joined(shares, epoch, step)
            for one, other in zip(found, whole.batch_at(epoch, step), strict=True):
                assert np.array_equal(one, other)


def test_whole_batches_leave_out_other_images_in_each_epoch():
    batches = Batches(IMAGES, LABELS, INDICES, seed=1, whole=True, **FACTS)
    left_out = []
    for epoch in range(3):
        seen = [batches.indices_at(epoch, step) for step in range(batches.steps)]
        assert {len(one) for one in seen} == {8}
        left_out.append(set(INDICES) - set(np.concatenate(seen)))
    assert [len(one) for one in left_out] == [7, 7, 7]
    assert left_out[0] != left_out[1]


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_a_validation_counts_each_image_once(processes):
    shares = [
        ValidationShare(IMAGES, LABELS, INDICES, number=number, processes=processes, **FACTS)
        for number in range(processes)
    ]
    batches = [joined(shares, 0, step) for step in range(shares[0].steps)]
    images, targets, weights = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    assert {len(batch[0]) % processes for batch in batches} == {0}
    assert np.array_equal(images[: len(INDICES)], IMAGES[INDICES])
    assert np.array_equal(targets.argmax(axis=1)[: len(INDICES)], LABELS[INDICES])
    # Keras adds up weight times loss and divides by the number of all images.
    losses = np.arange(len(images), dtype=float)
    mean = (weights * losses).sum() / len(images)
    assert mean == pytest.approx(losses[: len(INDICES)].mean(), rel=1e-6)
    # Keras gives no weights to an accuracy. Here the network is wrong only for the repeated images.
    answers = np.eye(3, dtype=np.float32)[LABELS[np.resize(INDICES, len(images))]]
    answers[len(INDICES) :] = np.roll(answers[len(INDICES) :], 1, axis=1)
    accuracy = FirstHeadAccuracy()
    accuracy.update_state(targets, answers)
    assert float(accuracy.result()) == 1.0
