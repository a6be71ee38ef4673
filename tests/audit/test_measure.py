"""What the page shows besides the findings, measured on images that are prepared."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from convlens.audit import effect as effect_module
from convlens.audit import features as module
from convlens.audit.finding import found
from convlens.audit.measure import measure
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import prepare_data
from convlens.errors import ModelError


@pytest.fixture
def no_backbone(monkeypatch):
    def missing(_name):
        raise ModelError("not installed")

    monkeypatch.setattr(module, "package_file", missing)


def test_digits_that_leak_and_have_wrong_labels(no_backbone):
    images, labels = load_digits(return_X_y=True)
    images = (images[:600] * 15.9).astype(np.uint8).reshape(-1, 8, 8)
    labels = labels[:600].copy()
    images[500:] = images[:100]
    labels[500:] = labels[:100]
    wrong = np.arange(100, 180)
    labels[wrong] = (labels[wrong] + 1) % 10
    splits = np.array(["train"] * 400 + ["test"] * 200)
    dataset = Dataset("d", "made", images, labels, (*"0123456789",), splits=splits)
    findings = [found("wrong_label", dataset, [index]) for index in wrong]
    prepared = prepare_data(dataset, Config())
    done = []
    of_data = measure(prepared, findings, progress=lambda *one: done.append(one))
    assert [effect.kind for effect in of_data.effects] == ["leak"]
    (leak,) = of_data.effects
    assert (leak.train, leak.removed, leak.pair.n, leak.copied.n) == (400, 100, 200, 100)
    assert len(of_data.map.indices) == 600
    assert of_data.map.features == "patches"
    assert of_data.splits is None
    of_run = measure(prepared, findings, of_run=True)
    (effect,) = of_run.effects
    # The splits of the run have no leak, so they are without the copies in train.
    assert effect.kind == "labels"
    assert effect.train == len(prepared.splits.train) <= 300
    assert effect.removed == np.isin(wrong, prepared.splits.train).sum()
    assert (of_run.splits[prepared.splits.val] == "val").all()
    assert set(of_run.splits[:100]) == {""}
    assert (
        len(of_run.map.indices)
        == of_run.map.of
        == len(prepared.splits.train)
        + sum(len(part) for part in (prepared.splits.val, prepared.splits.test))
    )


def test_of_many_images_some_are_drawn_and_those_of_findings_besides(no_backbone, monkeypatch):
    images, labels = load_digits(return_X_y=True)
    images = (images[:400] * 15.9).astype(np.uint8).reshape(-1, 8, 8)
    dataset = Dataset("d", "made", images, labels[:400], (*"0123456789",))
    findings = [found("dark", dataset, [index]) for index in range(30)]
    monkeypatch.setattr(effect_module, "MOST_IMAGES", 100)
    made = measure(prepare_data(dataset, Config()), findings).map
    assert made.of == 400
    assert 100 <= len(made.indices) <= 130
    assert set(range(30)) <= set(made.indices.tolist())
