"""The audit of a run finds labels that were flipped, and joins classifier and regressions."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.audit import features, run_audit
from convlens.audit.out_of_fold import Judged
from convlens.audit.run_audit import audit_run, columns_of, joined, judge_unseen, open_images
from convlens.audit.share import SLACK_OF_PATCHES, estimate_share
from convlens.errors import ModelError, RunError
from tests.trainings import QUIET


@pytest.fixture
def no_backbone(monkeypatch):
    def missing(name):
        raise ModelError(name)

    monkeypatch.setattr(features, "package_file", missing)


@pytest.mark.usefixtures("no_backbone")
def test_flipped_labels_of_all_splits_are_found(trained_on_flips):
    run, dataset, truth = trained_on_flips
    found = audit_run(run, dataset=dataset)
    used = np.sort(np.concatenate([np.array(part) for part in run.data["splits"].values()]))
    used = np.searchsorted(run.data["drawn"], used)
    truth = truth[run.data["drawn"]]
    dataset = found.prepared.dataset
    assert np.array_equal(found.judged.indices, used)
    assert found.features == "patches"
    wrong = dataset.labels != truth
    assert found.share.low <= wrong[used].mean() <= found.share.high
    assert found.share.n == len(used)
    rows = found.judged.probabilities
    assert found.share == estimate_share(rows, dataset.labels[used], SLACK_OF_PATCHES)
    doubted = [doubt.index for doubt in found.doubts]
    assert np.isin(np.flatnonzero(wrong[used]), np.searchsorted(used, doubted)).mean() > 0.8
    assert found.scored == len(run.data["splits"]["val"]) + len(run.data["splits"]["test"])
    assert wrong[[doubt.index for doubt in found.doubts if doubt.cut == "wrong"]].mean() >= 0.9


@pytest.mark.usefixtures("no_backbone")
def test_a_thorough_audit_says_first_what_it_lacks(trained_on_flips, monkeypatch):
    run, dataset, _ = trained_on_flips
    monkeypatch.setattr(run_audit, "open_images", None)  # would be called after that
    with pytest.raises(ModelError, match="efficientnet_lite0"):
        audit_run(run, dataset=dataset, thorough=True)


def test_other_images_are_refused(trained_on_flips):
    run, dataset, truth = trained_on_flips
    with pytest.raises(RunError, match="fingerprint"):
        audit_run(run, dataset=replace(dataset, labels=truth))


def test_the_classifier_does_not_judge_images_of_which_it_has_learned_a_copy(trained_on_flips):
    run, dataset, _ = trained_on_flips
    prepared = open_images(run, dataset, QUIET)
    splits = vars(prepared.splits)
    unseen = np.sort([*splits["val"], *splits["test"]])
    assert judge_unseen(run, prepared).indices.tolist() == unseen.tolist()
    clusters = np.arange(len(prepared.dataset))
    clusters[splits["val"][0]] = clusters[splits["train"][0]]
    clusters[splits["val"][1]] = clusters[splits["test"][0]]
    judged = judge_unseen(run, prepared, clusters)
    assert judged.indices.tolist() == [one for one in unseen.tolist() if one != splits["val"][0]]
    assert judged.probabilities.shape == (len(unseen) - 1, 10)


def test_where_both_judge_the_better_one_counts():
    labels = np.array([0, 1, 0, 1])
    good = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2]], np.float32)
    bad = np.array([[0.5, 0.5], [0.6, 0.4], [0.3, 0.7]], np.float32)
    both = joined(Judged(np.array([0, 1, 2]), good), Judged(np.array([1, 2, 3]), bad), labels)
    assert both.indices.tolist() == [0, 1, 2, 3]
    assert both.probabilities == pytest.approx(np.concatenate([good, bad[2:]]), abs=0.01)


def test_facts_of_images_are_those_of_the_looks(trained_on_flips):
    from convlens.data.prepared import prepare_data

    run, dataset, _ = trained_on_flips
    prepared = prepare_data(dataset, run.config)
    columns = columns_of(prepared, np.array([5, 3]))
    assert columns["width"].tolist() == [8, 8]
    assert columns["brightness"] == pytest.approx(prepared.store.looks["brightness"][[5, 3]])
    assert columns["camera"].tolist() == ["", ""]
    assert "folder" not in columns


def test_the_command_for_a_draw_can_be_typed():
    run = SimpleNamespace(folder=Path("runs/my run"), data={"few": 5})
    with pytest.raises(RunError, match="convlens audit 'runs/my run/draw-1'"):
        open_images(run, None, QUIET)
