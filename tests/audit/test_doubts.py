"""Doubts: planted wrong labels are ranked first, and clean labels are not called wrong."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from convlens.audit.doubts import LOOK, WRONG, find_doubts, wrongness
from convlens.audit.out_of_fold import Judged, judge_out_of_fold
from convlens.audit.share import estimate_share
from convlens.evaluation.scores import Score
from tests.audit.flips import digits, flipped


@pytest.fixture(scope="module")
def planted():
    """Return what is judged, the labels with flips, and the true ones."""
    features, truth = digits(900)
    labels = flipped(truth, 0.08)
    return judge_out_of_fold(features, labels, 10, np.arange(len(labels))), labels, truth


def test_flipped_labels_are_ranked_first(planted):
    judged, labels, truth = planted
    scores = wrongness(judged.probabilities, labels)
    assert average_precision_score(labels != truth, scores) > 0.95


def test_labels_that_are_almost_surely_wrong_are_wrong_and_most_are_found(planted):
    judged, labels, truth = planted
    doubts = find_doubts(judged, labels, estimate_share(judged.probabilities, labels))
    surely = [doubt for doubt in doubts if doubt.cut == "wrong"]
    wrong = labels != truth
    assert wrong[[doubt.index for doubt in surely]].mean() >= 0.9
    assert len(surely) > wrong.sum() / 3
    # Nearly every wrong label is worth a look, and the suggested class is the true one.
    found = [doubt for doubt in doubts if wrong[doubt.index]]
    assert len(found) > 0.9 * wrong.sum()
    right = [doubt.suggested == truth[doubt.index] for doubt in found]
    assert np.mean(right) > 0.95


def test_clean_labels_are_not_called_wrong():
    features, truth = digits(900)
    judged = judge_out_of_fold(features, truth, 10, np.arange(len(truth)))
    doubts = find_doubts(judged, truth, estimate_share(judged.probabilities, truth))
    assert [doubt for doubt in doubts if doubt.cut == "wrong"] == []
    assert len(doubts) < 0.02 * len(truth)


def test_doubts_have_the_indices_of_the_data_set_and_an_order():
    rows = np.array([[0.01, 0.99], [0.6, 0.4], [0.95, 0.05], [0.15, 0.85], [0.001, 0.999]])
    judged = Judged(np.array([2, 3, 5, 7, 8]), rows.astype(np.float32))
    labels = np.array([9, 9, 0, 1, 9, 0, 9, 0, 0])
    doubts = find_doubts(judged, labels, Score(0.3, 0.25, 0.5, 5))
    assert [(doubt.index, doubt.label, doubt.suggested) for doubt in doubts] == [
        (8, 0, 1),
        (2, 0, 1),
        (7, 0, 1),
    ]
    # A quarter of five labels is one.
    assert [doubt.cut for doubt in doubts] == ["wrong", "look", "look"]
    assert [doubt.confidence for doubt in doubts] == pytest.approx([0.999, 0.99, 0.85], abs=1e-6)
    assert min(doubt.confidence for doubt in doubts) >= LOOK


def test_no_label_is_surely_wrong_where_the_models_are_unsure():
    judged = Judged(np.arange(2), np.array([[0.15, 0.85], [0.12, 0.88]], np.float32))
    doubts = find_doubts(judged, np.zeros(2, np.int64), Score(1.0, 1.0, 1.0, 2))
    assert [doubt.cut for doubt in doubts] == ["look", "look"]
    assert max(doubt.confidence for doubt in doubts) < WRONG


def test_where_nothing_was_judged_nothing_is_doubted():
    judged = Judged(np.empty(0, np.int64), np.empty((0, 3), np.float32))
    share = estimate_share(judged.probabilities, np.empty(0, np.int64))
    assert not share.defined
    assert find_doubts(judged, np.array([0, 1, 2]), share) == ()
