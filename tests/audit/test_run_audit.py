"""The audit of a run finds labels that were flipped, and joins classifier and regressions."""

from dataclasses import replace

import numpy as np
import pytest

from convlens.audit import features
from convlens.audit.out_of_fold import Judged
from convlens.audit.run_audit import audit_run, columns_of, join
from convlens.data.sources import load_data
from convlens.errors import ModelError, RunError
from convlens.pipeline import train
from tests.audit.flips import flipped
from tests.trainings import CONFIG, QUIET


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a run on digits with some flipped labels, its images, and the true labels."""
    clean = load_data("digits")
    dataset = replace(clean, labels=flipped(clean.labels, 0.1))
    config = CONFIG.replace(limit=500, epochs=2, augment="none")
    run = train(dataset, config, run=tmp_path_factory.mktemp("runs") / "run", screen=QUIET)
    return run, dataset, clean.labels


@pytest.fixture
def no_backbone(monkeypatch):
    def missing(name):
        raise ModelError(name)

    monkeypatch.setattr(features, "package_file", missing)


@pytest.mark.usefixtures("no_backbone")
def test_flipped_labels_of_all_splits_are_found(trained):
    run, dataset, truth = trained
    found = audit_run(run, dataset=dataset)
    used = np.sort(np.concatenate([np.array(part) for part in run.data["splits"].values()]))
    assert np.array_equal(found.judged.indices, used)
    assert found.features == "pixels"
    wrong = dataset.labels != truth
    assert found.share.low <= wrong[used].mean() <= found.share.high
    assert found.share.n == len(used)
    doubted = [doubt.index for doubt in found.doubts]
    assert np.isin(np.flatnonzero(wrong[used]), np.searchsorted(used, doubted)).mean() > 0.8
    assert found.scored == len(run.data["splits"]["val"]) + len(run.data["splits"]["test"])
    assert wrong[[doubt.index for doubt in found.doubts if doubt.cut == "wrong"]].mean() >= 0.9


def test_other_images_are_refused(trained):
    run, dataset, truth = trained
    with pytest.raises(RunError, match="fingerprint"):
        audit_run(run, dataset=replace(dataset, labels=truth))


def test_where_both_judge_the_better_one_counts():
    labels = np.array([0, 1, 0, 1])
    good = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2]], np.float32)
    bad = np.array([[0.5, 0.5], [0.6, 0.4], [0.3, 0.7]], np.float32)
    joined = join(Judged(np.array([0, 1, 2]), good), Judged(np.array([1, 2, 3]), bad), labels)
    assert joined.indices.tolist() == [0, 1, 2, 3]
    assert joined.probabilities == pytest.approx(np.concatenate([good, bad[2:]]), abs=0.01)


def test_facts_of_images_are_those_of_the_looks(trained):
    from convlens.data.prepared import prepare_data

    run, dataset, _ = trained
    prepared = prepare_data(dataset, run.config)
    columns = columns_of(prepared, np.array([5, 3]))
    assert columns["width"].tolist() == [8, 8]
    assert columns["brightness"] == pytest.approx(prepared.store.looks["brightness"][[5, 3]])
    assert columns["camera"].tolist() == ["", ""]
    assert "folder" not in columns
