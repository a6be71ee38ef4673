"""Patches that tell the class are found, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

from convlens.audit.checks.patches import check_patches
from convlens.data.dataset import Dataset
from tests.audit.photographs import gathered, photograph

EACH = 60  # images of a class


@pytest.fixture(scope="module")
def plain():
    """Return photographs of two classes that differ in nothing."""
    images = np.stack([np.asarray(photograph(seed, (64, 64))) for seed in range(2 * EACH)])
    labels = np.arange(2 * EACH) % 2
    return Dataset("generated", "array", images, labels.astype(np.int64), ("cat", "dog"))


def marked(plain, share=1.0, side=8, top=2, left=2, label=0):
    """Return the photographs with a mark in some images of a class."""
    images = np.array(plain.images)
    members = np.flatnonzero(plain.labels == label)
    chosen = members[: round(share * len(members))]
    images[chosen, top : top + side, left : left + side] = (255, 0, 255)
    return replace(plain, images=images), chosen


def checked(dataset, clusters=None):
    material = gathered(dataset)
    return check_patches(material, np.arange(len(dataset)) if clusters is None else clusters)


def test_photographs_without_a_mark_have_no_finding(plain):
    assert checked(plain) == []


def test_a_mark_in_the_corner_of_one_class_is_found(plain):
    dataset, chosen = marked(plain)
    (one,) = checked(dataset)
    assert (one.code, one.level) == ("patch_tells_class", "warning")
    assert one.evidence["class"] == "cat"
    assert one.evidence["of_class"]["value"] == 1
    assert one.evidence["elsewhere"]["high"] < 0.15
    assert one.evidence["of_class"]["n"] == one.evidence["elsewhere"]["n"] == EACH // 2
    assert one.evidence["p"] < 1e-6
    assert one.evidence["box"] == [0.031, 0.031, 0.156, 0.156]  # pixels 2 to 10 of 64
    assert list(one.indices) == chosen.tolist()


def test_a_mark_in_half_of_a_class_is_found_with_its_images(plain):
    dataset, chosen = marked(plain, 0.5, top=50, left=28, label=1)
    (one,) = checked(dataset)
    assert one.evidence["class"] == "dog"
    assert one.evidence["of_class"]["value"] == pytest.approx(0.5, abs=0.2)
    assert list(one.indices) == chosen.tolist()


def test_a_mark_in_both_classes_tells_nothing(plain):
    assert checked(marked(marked(plain)[0], label=1)[0]) == []


def test_a_mark_in_a_few_images_is_no_finding(plain):
    assert checked(marked(plain, 0.1)[0]) == []


def test_copies_of_one_image_make_no_patch(plain):
    images = np.array(plain.images)
    copied = np.flatnonzero(plain.labels == 0)[: EACH // 2]
    images[copied] = images[0]
    copies = replace(plain, images=images)
    assert len(checked(copies)) == 1
    clusters = np.arange(len(images))
    clusters[copied] = 0
    assert checked(copies, clusters) == []


def test_things_on_an_even_ground_are_passed_over(digits):
    """Digits differ by places that are the same in a class, and these are no marks."""
    assert checked(digits) == []
    two = np.flatnonzero(digits.labels < 2)
    pair = replace(digits, images=np.array(digits.images)[two], labels=digits.labels[two])
    assert checked(pair) == []


def test_one_class_and_small_classes_have_no_finding(plain):
    dataset, _ = marked(plain)
    one = replace(dataset, labels=np.zeros_like(dataset.labels), class_names=("cat",))
    assert checked(one) == []
    few = np.arange(30)  # 15 of each class
    small = replace(dataset, images=np.array(dataset.images)[few], labels=dataset.labels[few])
    assert checked(small) == []
