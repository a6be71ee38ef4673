"""The augmentation of a training in words."""

import dataclasses

from convlens.augmentation import describe_augmentation, is_augmented
from convlens.config import AugmentConfig


def test_the_augmentation_in_words():
    none = AugmentConfig(augment="none")
    assert describe_augmentation(none) == "none"
    assert not is_augmented(none)
    some = dataclasses.replace(none, flip=True, shift=0.125)
    assert describe_augmentation(some) == "flip, shift 0.125"
    assert is_augmented(some)
