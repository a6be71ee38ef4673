"""The images in the file of a classifier that are classified again when it is opened."""

import json

import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import ClassifierError
from tests.classifier.test_archive import rewrite
from tests.classifier.test_classifier import make


def test_examples_with_other_probabilities_are_refused(tmp_path, monkeypatch):
    saved = tmp_path / "classifier.keras"
    make().save(saved)
    monkeypatch.setattr("convlens.classifier.archive.checksum", lambda *_: "same")

    def other(name, content):
        if name != "convlens.json":
            return content
        facts = json.loads(content)
        facts["checksum"] = "same"
        facts["examples"]["probabilities"][0] = [1.0, 0.0, 0.0]
        return json.dumps(facts)

    rewrite(saved, other)
    with pytest.raises(ClassifierError, match="must get the recorded probabilities"):
        Classifier.load(saved)
