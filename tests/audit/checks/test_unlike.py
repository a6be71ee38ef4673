"""Images far from all others of their class, by features."""

from dataclasses import replace

import numpy as np

from convlens.audit.checks import unlike
from convlens.audit.checks.unlike import check_unlike
from tests.audit.photographs import gathered


def test_where_most_images_are_copies_none_is_far_from_them(digits):
    rng = np.random.default_rng(0)
    features = np.eye(16)[digits.labels] + 0.05 * rng.normal(size=(len(digits), 16))
    of_three = np.flatnonzero(digits.labels == 3)
    features[of_three[:150]] = features[of_three[0]]
    assert check_unlike(replace(gathered(digits), features=features)) == []


def test_an_image_with_features_of_another_class_is_named(digits):
    material = gathered(digits)
    assert check_unlike(material) == []
    rng = np.random.default_rng(0)
    directions = np.eye(16)[digits.labels]
    features = directions + rng.normal(0, 0.02, directions.shape)
    assert check_unlike(replace(material, features=features)) == []
    index = int(np.flatnonzero(digits.labels == 3)[4])
    features[index] = np.eye(16)[12]
    (one,) = check_unlike(replace(material, features=features))
    assert one.indices == (index,)
    assert one.evidence["class"] == "3"
    assert one.evidence["distance"] > unlike.FAR
