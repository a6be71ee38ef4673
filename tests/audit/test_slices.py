"""Pairs of classes and slices: planted ones are found, and nothing is found where there is none."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from convlens.audit import slices
from convlens.audit.slices import hard_pairs, worse_slices

N = 4000


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def predictions(labels, share, rng):
    """Return predictions of which a share is another class, by chance."""
    wrong = rng.random(len(labels)) < share
    return np.where(wrong, (labels + rng.integers(1, 10, len(labels))) % 10, labels)


def test_with_one_class_the_test_is_that_of_fisher():
    inside = np.arange(60) < 20
    wrong = np.zeros(60, bool)
    wrong[[1, 2, 3, 4, 5, 30, 40]] = True
    expected = fisher_exact([[5, 15], [2, 38]], alternative="greater").pvalue
    assert slices._chance(inside, np.zeros(60, np.int64), wrong) == pytest.approx(expected)


def test_a_planted_slice_is_found_with_its_accuracy_and_the_expected_one(rng):
    labels = rng.integers(0, 10, N)
    camera = rng.choice(["one", "two", "three"], N)
    predicted = predictions(labels, 0.1, rng)
    of_two = camera == "two"
    predicted[of_two] = predictions(labels[of_two], 0.2, rng)
    columns = {"camera": camera, "brightness": rng.random(N)}
    (found,) = worse_slices(np.arange(N) + 7, labels, predicted, columns)
    wrong = predicted != labels
    assert (found.column, found.value, found.bounds) == ("camera", "two", None)
    assert found.accuracy.value == pytest.approx(1 - wrong[of_two].mean())
    assert found.accuracy.n == of_two.sum()
    assert found.expected == pytest.approx(1 - wrong[~of_two].mean(), abs=0.01)
    assert found.indices == tuple((np.flatnonzero(of_two & wrong) + 7).tolist())


def test_a_planted_range_is_found_by_its_bounds(rng):
    labels = rng.integers(0, 10, N)
    sizes = rng.integers(10, 400, N).astype(float)
    sizes[:50] = np.nan
    small = sizes <= np.nanquantile(sizes, 0.25, method="lower")
    predicted = np.where(small, predictions(labels, 0.3, rng), predictions(labels, 0.1, rng))
    (found,) = worse_slices(np.arange(N), labels, predicted, {"width": sizes})
    assert found.value is None
    assert found.bounds == (sizes[small].min(), sizes[small].max())


def test_values_that_most_images_share_leave_the_others_as_a_slice(rng):
    labels = rng.integers(0, 10, N)
    is_coloured = rng.random(N) < 0.1
    colour = np.where(is_coloured, rng.random(N) * 80 + 1, 0)
    predicted = np.where(is_coloured, predictions(labels, 0.4, rng), predictions(labels, 0.1, rng))
    (found,) = worse_slices(np.arange(N), labels, predicted, {"colourfulness": colour})
    assert found.bounds == (colour[is_coloured].min(), colour.max())
    assert found.accuracy.n == is_coloured.sum()


def test_a_folder_with_one_hard_class_is_no_slice(rng):
    labels = rng.integers(0, 10, N)
    predicted = np.where(labels == 3, predictions(labels, 0.5, rng), labels)
    folder = np.array([f"class {label}" for label in labels])
    mixed = np.where((labels == 3) | (rng.random(N) < 0.1), "a", "b")
    assert worse_slices(np.arange(N), labels, predicted, {"folder": folder, "mixed": mixed}) == ()


def test_without_a_difference_few_sets_have_a_slice(rng):
    # At most 5 % of the sets, whatever the number of columns.
    found = 0
    for _ in range(100):
        labels = rng.integers(0, 10, 500)
        columns = {str(k): rng.random(500) for k in range(5)}
        predicted = predictions(labels, 0.2, rng)
        found += bool(worse_slices(np.arange(500), labels, predicted, columns))
    assert found <= 10


def test_hard_pairs_are_those_that_are_confused_more_often(rng):
    labels = rng.integers(0, 10, N)
    predicted = predictions(labels, 0.1, rng)
    of_five = (labels == 5) & (rng.random(N) < 0.2)
    predicted[of_five] = 3
    found = hard_pairs(np.arange(N), labels, predicted, 10)
    assert [(pair.first, pair.second) for pair in found] == [(5, 3)]
    both = ((labels == 5) & (predicted == 3)) | ((labels == 3) & (predicted == 5))
    assert found[0].indices == tuple(np.flatnonzero(both).tolist())
    assert found[0].confused.n == np.isin(labels, [3, 5]).sum()


def test_two_classes_and_no_mistakes_have_no_hard_pair(rng):
    labels = rng.integers(0, 2, 100)
    assert hard_pairs(np.arange(100), labels, 1 - labels, 2) == ()
    assert hard_pairs(np.arange(100), labels, labels, 5) == ()
