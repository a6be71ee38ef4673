"""The interval of the share of wrong labels contains the truth under several noises."""

import numpy as np
import pytest

from convlens.audit.out_of_fold import judge_out_of_fold
from convlens.audit.share import SLACK_OF_PATCHES, _surest, estimate_share
from convlens.evaluation.metrics import wilson
from tests.audit.flips import digits, flipped


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2])
@pytest.mark.parametrize(("count", "seed"), [(300, 1), (900, 2)])
def test_the_interval_contains_the_share_of_flipped_labels(rate, count, seed):
    features, truth = digits(count, seed)
    labels = flipped(truth, rate, seed)
    judged = judge_out_of_fold(features, labels, 10, np.arange(count), seed=seed)
    share = estimate_share(judged.probabilities, labels)
    wrong = (labels != truth).mean()
    assert share.low <= wrong <= share.high
    assert share.low <= share.value <= share.high
    assert share.n == count
    # It says something, with 300 digits and with 900.
    assert share.high - share.low < (0.35 if count == 300 else 0.16)


def test_the_interval_contains_noise_on_images_that_are_hard():
    # The digits that models know least are those with wrong labels, as when people label.
    features, truth = digits(900)
    judged = judge_out_of_fold(features, truth, 10, np.arange(len(truth)))
    unsure = np.argsort(judged.probabilities.max(axis=1))[: len(truth) // 4]
    chosen = np.random.default_rng(0).choice(unsure, len(truth) // 12, replace=False)
    second = np.argsort(judged.probabilities, axis=1)[:, -2]
    labels = truth.copy()
    labels[chosen] = np.where(second[chosen] != truth[chosen], second[chosen], truth[chosen] - 1)
    labels %= 10
    judged = judge_out_of_fold(features, labels, 10, np.arange(len(truth)))
    share = estimate_share(judged.probabilities, labels)
    assert share.low <= (labels != truth).mean() <= share.high


def test_clean_labels_of_images_that_models_hardly_know_need_the_slack_of_patches():
    features, truth = digits(900)
    judged = judge_out_of_fold(features[:, [20, 26, 29, 36, 43]], truth, 10, np.arange(900))
    assert (judged.probabilities.argmax(axis=1) == truth).mean() < 0.7
    assert estimate_share(judged.probabilities, truth).low > 0
    assert estimate_share(judged.probabilities, truth, SLACK_OF_PATCHES).low == 0


def test_an_easy_class_that_is_badly_labelled_does_not_stand_for_all():
    # Half of the labels of class 0 are wrong, and the models are surest of it: 5 % of all labels.
    truth = np.repeat(np.arange(10), 200)
    rows = np.full((2000, 10), 0.02)
    rows[np.arange(2000), truth] = np.where(truth == 0, 0.99, 0.82)
    labels = truth.copy()
    labels[:200:2] = 1
    share = estimate_share(rows / rows.sum(axis=1, keepdims=True), labels)
    assert share.low <= 0.05 <= share.high


def test_without_contradictions_the_share_is_that_of_wilson_at_most():
    rows = np.tile([[0.9, 0.1]], (50, 1))
    share = estimate_share(rows, np.zeros(50, np.int64))
    assert (share.value, share.low) == (0, 0)
    assert share.high == pytest.approx(wilson(0, 50).high)


def test_the_surest_images_are_chosen_within_each_predicted_class():
    rows = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7], [0.45, 0.55], [0.2, 0.8]])
    chosen = _surest(rows, rows.argmax(axis=1), 0.5)
    assert np.flatnonzero(chosen).tolist() == [0, 3, 5]
