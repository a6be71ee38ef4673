"""Models out of fold: what they know, and that no copy of an image helps to judge it."""

import numpy as np
import pytest

from convlens.audit import out_of_fold
from convlens.audit.out_of_fold import FEWEST, STRENGTHS, _regress, judge_out_of_fold
from convlens.evaluation.metrics import log_loss
from tests.audit.flips import digits, flipped


def test_most_digits_are_classified_by_models_that_did_not_learn_them():
    features, labels = digits(900)
    done = []
    judged = judge_out_of_fold(
        features, labels, 10, np.arange(900), progress=lambda *of: done.append(of)
    )
    assert np.array_equal(judged.indices, np.arange(900))
    assert np.allclose(judged.probabilities.sum(axis=1), 1, atol=1e-5)
    assert (judged.probabilities.argmax(axis=1) == labels).mean() > 0.96
    # The temperature makes the probabilities better than those of equal confidence.
    assert log_loss(labels, judged.probabilities).value < 0.3
    assert done == [(number, 3) for number in range(1, 4)]


@pytest.mark.parametrize("at_a_time", [1, 7, 4096])
def test_each_output_is_that_of_a_regression_without_the_cluster(monkeypatch, at_a_time):
    monkeypatch.setattr(out_of_fold, "AT_A_TIME", at_a_time)
    rng = np.random.default_rng(0)
    features = rng.normal(0, 0.3, (60, 8)).astype(np.float32)
    labels = rng.integers(0, 3, 60)
    # Clusters of one, of some, and of more images than there are features, in no order.
    clusters = rng.permutation(np.repeat(np.arange(38), [12, 9, 3, 2, *[1] * 34]))
    targets = np.eye(3, dtype=np.float32)[labels]
    mean = targets.mean(axis=0)
    outputs = _regress(features, targets, clusters, None)
    for output, strength in zip(outputs, STRENGTHS, strict=True):
        for cluster in np.unique(clusters):
            out = clusters == cluster
            rest = features[~out].astype(float)
            matrix = rest.T @ rest + strength * np.eye(8)
            weights = np.linalg.solve(matrix, rest.T @ (targets - mean)[~out])
            assert output[out] == pytest.approx(features[out] @ weights + mean, abs=1e-4)


def test_one_seed_gives_the_same_bits_and_features_stay_as_they_are():
    features, labels = digits(300)
    before = features.copy()
    one, other = (judge_out_of_fold(features, labels, 10, np.arange(300)) for _ in range(2))
    assert np.array_equal(one.probabilities, other.probabilities)
    assert np.array_equal(features, before)
    another = judge_out_of_fold(features, labels, 10, np.arange(300), seed=1)
    assert not np.array_equal(one.probabilities, another.probabilities)


def test_copies_in_one_cluster_do_not_vouch_for_a_wrong_label():
    features, labels = digits(400)
    # Thirty copies of an image, all with the same wrong label.
    copies = np.concatenate([np.arange(400), np.zeros(30, np.int64)])
    features = features[copies]
    wrong = labels[copies]
    wrong[copies == 0] = (labels[0] + 1) % 10
    together = judge_out_of_fold(features, wrong, 10, copies)
    apart = judge_out_of_fold(features, wrong, 10, np.arange(430))
    assert together.probabilities[0].argmax() == labels[0]
    assert apart.probabilities[0].argmax() == wrong[0]


def test_classes_with_few_different_images_are_left_out():
    features, labels = digits(300)
    few = np.flatnonzero(labels == 3)
    keep = np.setdiff1d(np.arange(300), few[FEWEST - 1 :])
    judged = judge_out_of_fold(features[keep], labels[keep], 10, np.arange(len(keep)))
    assert set(labels[keep][judged.indices]) == set(range(10)) - {3}
    keep = np.setdiff1d(np.arange(300), few[FEWEST:])
    judged = judge_out_of_fold(features[keep], labels[keep], 10, np.arange(len(keep)))
    assert set(labels[keep][judged.indices]) == set(range(10))


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_is_judged_where_no_two_classes_have_enough_images(count):
    features, labels = digits(30)
    features = np.concatenate([features[labels == 1][:count], features[labels == 2]])
    labels = np.repeat([1, 2], [count, len(features) - count])
    judged = judge_out_of_fold(features, labels, 10, np.arange(len(labels)))
    assert judged.probabilities.shape == (0, 10)
    assert len(judged.indices) == 0


def test_features_that_are_all_alike_give_the_shares_of_the_classes():
    labels = np.repeat([0, 1], [30, 10])
    judged = judge_out_of_fold(np.ones((40, 5), np.float32), labels, 2, np.arange(40))
    assert (judged.probabilities.argmax(axis=1) == 0).all()
    assert flipped(labels, 0).tolist() == labels.tolist()
