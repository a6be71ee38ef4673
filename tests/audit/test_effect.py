"""The effect of leaks and wrong labels, recomputed by hand with scikit-learn."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from convlens.audit import effect as module
from convlens.audit.effect import labels_effect, leak_effect
from convlens.data.dataset import Dataset

CLASSES = ("a", "b", "c", "d")


def made(n, seed=0, spread=3.4):
    """Return features of overlapping classes, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=n)
    centres = rng.normal(size=(4, 40))
    features = centres[labels] + spread * rng.normal(size=(n, 40))
    return features.astype(np.float32), labels


def as_dataset(labels, splits=None):
    images = np.zeros((len(labels), 1, 1), np.uint8)
    return Dataset("made", "made", images, labels, CLASSES, splits=splits)


def by_hand(features, labels, train, test):
    """Return which test images a logistic regression classifies correctly."""
    rows = features[train].astype(np.float64)
    centre = rows.mean(axis=0)
    scale = np.sqrt(((rows - centre) ** 2).mean())
    model = LogisticRegression(C=0.1, max_iter=3000, tol=1e-8)
    model.fit((rows - centre) / scale, labels[train])
    return model.predict((features[test] - centre) / scale) == labels[test]


@pytest.fixture(scope="module")
def leaking():
    """300 training images and 200 test images, of which 80 are copies of training images."""
    features, labels = made(500)
    clusters = np.arange(500)
    features[300:380] = features[:80] + 0.01
    labels[300:380] = labels[:80]
    clusters[300:380] = np.arange(80)
    splits = np.array(["train"] * 300 + ["test"] * 200)
    return features, labels, clusters, splits


def test_the_numbers_are_those_of_scikit_learn(leaking):
    features, labels, clusters, splits = leaking
    found = leak_effect(features, np.arange(500), as_dataset(labels, splits), clusters)
    test = np.arange(300, 500)
    learned = by_hand(features, labels, np.arange(300), test)
    without = by_hand(features, labels, np.arange(80, 300), test)
    assert found.kind == "leak"
    assert (found.train, found.removed) == (300, 80)
    assert found.learned.value == pytest.approx(learned.mean(), abs=0.006)
    assert found.without.value == pytest.approx(without.mean(), abs=0.006)
    assert found.learned.value - found.without.value > 0.05
    assert (found.copied.n, found.others.n) == (80, 120)
    assert found.copied.value == pytest.approx(learned[:80].mean(), abs=0.02)
    assert found.others.value == pytest.approx(learned[80:].mean(), abs=0.02)
    assert found.difference.low < found.difference.value < found.difference.high
    first, second = found.pair.first_only, found.pair.second_only
    assert first - second == round(200 * found.difference.value)
    assert found.pair.p == pytest.approx(binomtest(first, first + second).pvalue)
    json.dumps(found.to_dict(), allow_nan=False)


def test_images_that_cannot_be_read_have_no_features(leaking):
    features, labels, clusters, splits = leaking
    readable = np.setdiff1d(np.arange(500), [3, 310, 499])
    found = leak_effect(features[readable], readable, as_dataset(labels, splits), clusters)
    # Image 310 is the copy of image 10, which leaks no more; image 3 leaves 303 without a copy.
    assert (found.train, found.removed, found.pair.n, found.copied.n) == (299, 78, 198, 78)


def test_without_splits_a_split_at_random_is_tried(leaking):
    features, labels, clusters, _ = leaking
    found = leak_effect(features, np.arange(500), as_dataset(labels), clusters)
    assert found.kind == "random"
    assert found.pair.n + found.train == 500
    assert abs(found.pair.n - 100) <= 4
    # Both of 80 pairs are on different sides with a probability of 2 * 0.2 * 0.8.
    assert 12 <= found.copied.n == found.removed <= 42
    again = leak_effect(features, np.arange(500), as_dataset(labels), clusters)
    assert again == found


def test_validation_images_test_where_there_is_no_test_set_and_are_no_training_images(leaking):
    features, labels, clusters, splits = leaking
    as_val = np.where(splits == "test", "val", splits)
    found = leak_effect(features, np.arange(500), as_dataset(labels, as_val), clusters)
    assert (found.kind, found.train, found.pair.n) == ("leak", 300, 200)
    three = splits.copy()
    three[200:300] = "val"
    found = leak_effect(features, np.arange(500), as_dataset(labels, three), clusters)
    assert (found.train, found.removed, found.pair.n) == (200, 80, 200)


def test_without_copies_there_is_no_effect(leaking):
    features, labels, _, splits = leaking
    everyone = np.arange(500)
    assert leak_effect(features, everyone, as_dataset(labels, splits), everyone) is None
    # All training images are copies, so nothing can be learned without them.
    one = np.zeros(500, np.int64)
    assert leak_effect(features, everyone, as_dataset(labels, splits), one) is None


def test_of_many_images_whole_clusters_are_drawn(leaking, monkeypatch):
    features, labels, clusters, splits = leaking
    monkeypatch.setattr(module, "MOST_IMAGES", 250)
    found = leak_effect(features, np.arange(500), as_dataset(labels, splits), clusters)
    assert 245 <= found.train + found.pair.n <= 250
    assert found.copied.n == found.removed
    assert 25 <= found.removed <= 55


def test_a_cluster_that_is_too_large_is_passed_over_and_does_not_end_the_draw(monkeypatch):
    monkeypatch.setattr(module, "MOST_IMAGES", 50)
    clusters = np.concatenate([np.zeros(60, np.int64), np.repeat(np.arange(1, 31), 2)])
    for seed in range(5):
        drawn = module.draw_clusters(clusters, np.random.default_rng(seed))
        assert len(drawn) == 50
        assert drawn.min() >= 60
        assert (np.unique(clusters[drawn], return_counts=True)[1] == 2).all()
    # Where every cluster is too large, single images are drawn.
    drawn = module.draw_clusters(np.repeat([0, 1], 60), np.random.default_rng(0))
    assert len(drawn) == len(set(drawn.tolist())) == 50


def test_where_all_test_images_have_a_copy_there_is_no_score_of_the_others(leaking):
    features, labels, clusters, splits = leaking
    part = np.arange(380)
    found = leak_effect(features[part], part, as_dataset(labels, splits), clusters)
    assert found.others.n == 0


def test_one_copy_changes_no_more_than_chance_does(leaking):
    features, labels, clusters, splits = leaking
    found = leak_effect(features, np.arange(500), as_dataset(labels, splits), clusters)
    assert found.pair.p < 0.05
    # One copy only: image 300 of image 0.
    few = np.arange(500)
    few[300] = 0
    found = leak_effect(features, np.arange(500), as_dataset(labels, splits), few)
    assert found.removed == 1
    assert found.pair.p >= 0.05


def test_wrong_labels_cost_what_they_cost_by_hand():
    features, labels = made(600, seed=1, spread=1.2)
    wrong = np.sort(np.random.default_rng(5).choice(600, 180, replace=False))
    labels[wrong] = (labels[wrong] + 1) % 4
    train = np.arange(0, 400)
    test = np.arange(400, 600)
    found = labels_effect(features, np.arange(600), as_dataset(labels), train, test, wrong)
    trusted = np.setdiff1d(test, wrong)
    learned = by_hand(features, labels, train, trusted)
    without = by_hand(features, labels, np.setdiff1d(train, wrong), trusted)
    assert found.pair.n == len(trusted)
    assert (found.train, found.removed) == (400, np.isin(train, wrong).sum())
    assert found.learned.value == pytest.approx(learned.mean(), abs=0.008)
    assert found.without.value == pytest.approx(without.mean(), abs=0.008)
    assert found.without.value > found.learned.value
    assert (found.copied, found.others) == (None, None)
    none = np.array([], np.int64)
    everyone = np.arange(600)
    assert labels_effect(features, everyone, as_dataset(labels), train, test, none) is None
