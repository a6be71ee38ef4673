"""The cells of the confusion matrix of a run lead to their images."""

import numpy as np
import pytest

from convlens.audit import cell
from convlens.audit.cell import misclassified
from convlens.audit.run_audit import open_images
from convlens.errors import ConfigError
from tests.trainings import QUIET


@pytest.fixture
def run(trained_on_flips, monkeypatch):
    """Return the run, whose images are given as they are not those of its source."""
    run, dataset, _ = trained_on_flips
    monkeypatch.setattr(
        cell, "open_images", lambda run, _, screen: open_images(run, dataset, screen)
    )
    return run


@pytest.fixture
def by_hand(trained_on_flips):
    """Return (index, label, predicted) of all misclassified images of validation and test."""
    run, dataset, _ = trained_on_flips
    prepared = open_images(run, dataset, QUIET)
    held_out = np.sort([*prepared.splits.val, *prepared.splits.test])
    rows = run.classifier().probabilities(prepared.store.images, indices=held_out)
    predicted = rows.argmax(axis=1)
    return {
        (int(index), int(label), int(taken_for))
        for index, label, taken_for in zip(
            held_out, prepared.dataset.labels[held_out], predicted, strict=True
        )
        if label != taken_for
    }


def told(found):
    return {
        (one.indices[0], int(one.evidence["label"]), int(one.evidence["suggested"]))
        for one in found.findings
    }


def test_without_a_class_all_misclassified_images_are_listed(run, by_hand):
    found, prepared = misclassified(run, QUIET)
    assert told(found) == by_hand
    assert len(found.findings) == len(by_hand) > 10
    assert {(one.code, one.action) for one in found.findings} == {("doubtful_label", "look")}
    doubts = [one.evidence["confidence"] for one in found.findings]
    assert doubts == sorted(doubts, reverse=True)
    assert (len(prepared.dataset), prepared.size) == (500, 1797)


def test_classes_choose_a_row_a_column_and_a_cell(run, by_hand):
    _, label, predicted = sorted(by_hand)[0]
    of_row, _ = misclassified(run, QUIET, true=str(label))
    assert told(of_row) == {one for one in by_hand if one[1] == label}
    of_column, _ = misclassified(run, QUIET, predicted=str(predicted))
    assert told(of_column) == {one for one in by_hand if one[2] == predicted}
    of_cell, _ = misclassified(run, QUIET, true=str(label), predicted=str(predicted))
    assert told(of_cell) == told(of_row) & told(of_column)
    assert told(of_cell)


@pytest.mark.parametrize("flag", ["true", "predicted"])
def test_another_class_is_refused_before_anything_is_decoded(run, monkeypatch, flag):
    monkeypatch.setattr(cell, "open_images", None)
    with pytest.raises(ConfigError, match=f"--{flag} must be a class of the run; found 'cat'"):
        misclassified(run, QUIET, **{flag: "cat"})


def test_of_very_many_classes_some_are_named():
    with pytest.raises(ConfigError, match=r"It knows 0, 1, .* 9 and 990 more\."):
        cell._check_classes(tuple(map(str, range(1000))), {"--true": "cat"})
