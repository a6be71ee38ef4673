"""Files of classifiers that earlier releases wrote still open, predict and are recalibrated."""

import json
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from convlens.classifier.archive import ENTRY
from convlens.classifier.classifier import Classifier
from convlens.evaluation.calibration import apply_temperature

# Runs that commit 8941a94 made; its classifier files have format 1.
FIXTURES = Path(__file__).parents[1] / "fixtures" / "8941a94"
CLASSIFIERS = sorted(FIXTURES.rglob("classifier.keras"))
FINISHED = FIXTURES / "finished" / "classifier.keras"


@pytest.fixture(scope="module")
def expected():
    """The probabilities that 8941a94 itself computed for the first eight digits."""
    recorded = json.loads((FIXTURES / "expected.json").read_text())
    return np.array(recorded["finished"]["probabilities"])


@pytest.fixture(scope="module")
def eight(digits):
    return digits.images[:8, ..., None]


def facts_of(path):
    return json.loads(zipfile.ZipFile(path).read(ENTRY))


def test_it_predicts_what_it_did(expected, eight):
    classifier = Classifier.load(FINISHED)
    np.testing.assert_allclose(classifier.probabilities(eight), expected, atol=1e-4)
    labels = [prediction.label for prediction in classifier.predict(eight)]
    assert labels == [classifier.class_names[best] for best in expected.argmax(1)]


def test_plain_keras_opens_it(expected, eight):
    model = keras.models.load_model(FINISHED)
    np.testing.assert_allclose(model.predict(eight, verbose=0), expected, atol=1e-4)


def test_it_is_recalibrated_and_saved_in_the_present_format(expected, eight, tmp_path):
    former = Classifier.load(FINISHED)
    assert former.threshold == pytest.approx(facts_of(FINISHED)["threshold"])
    other = former.recalibrated(2 * former.temperature, 0.4)
    other.save(tmp_path / "classifier.keras")
    saved = Classifier.load(tmp_path / "classifier.keras")
    assert (saved.temperature, saved.threshold) == (pytest.approx(2 * former.temperature), 0.4)
    softer = apply_temperature(expected, 2)
    np.testing.assert_allclose(saved.probabilities(eight), softer, atol=1e-4)
    facts = facts_of(tmp_path / "classifier.keras")
    assert (facts_of(FINISHED)["format"], facts["format"]) == (1, 3)
    assert set(facts["examples"]) == {"images", "probabilities"}
    assert saved.provenance == former.provenance


@pytest.mark.parametrize("path", CLASSIFIERS, ids=lambda path: path.parent.name)
def test_every_one_replays_its_examples(path):
    assert facts_of(path)["format"] == 1
    classifier = Classifier.load(path)
    examples = facts_of(path)["examples"]
    assert len(classifier.examples) == len(examples["probabilities"]) > 0
    found = classifier.probabilities(classifier.examples)
    np.testing.assert_allclose(found, examples["probabilities"], atol=1e-4)


def test_a_folder_of_a_run_opens_too(tmp_path, expected, eight):
    shutil.copy(FINISHED, tmp_path)
    found = Classifier.load(tmp_path, precision="bfloat16").probabilities(eight)
    np.testing.assert_allclose(found, expected, atol=2e-2)
