import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import DataError
from convlens.export import samples as samples_module
from convlens.export.samples import given_samples, samples_of


def test_what_is_left_out_is_empty(classifier_file, images):
    classifier = Classifier.load(classifier_file)
    none = given_samples(classifier)
    assert none.images.shape == none.training.shape == (0, 24, 20, 3)
    assert none.labels is None
    some = given_samples(classifier, images[:3], [0, 1, 2], images)
    assert some.labels is not None
    assert some.labels.tolist() == [0, 1, 2]
    assert len(some.training) == 20
    with pytest.raises(DataError, match="found 3 images and 2 labels"):
        given_samples(classifier, images[:3], [0, 1])


def test_the_images_of_a_run_are_its_validation_and_training_images(finished_run, monkeypatch):
    classifier = finished_run.classifier()
    every = samples_of(finished_run, classifier)
    splits = finished_run.data["splits"]
    assert len(every.images) == len(splits["val"])
    assert len(every.training) == min(len(splits["train"]), samples_module.CALIBRATED_ON)
    accuracy = np.mean(classifier.probabilities(every.images).argmax(1) == every.labels)
    best = max(row["val_accuracy"] for row in finished_run.history)
    assert accuracy == pytest.approx(best, abs=0.01)
    monkeypatch.setattr(samples_module, "COMPARED", 10)
    monkeypatch.setattr(samples_module, "CALIBRATED_ON", 7)
    few = samples_of(finished_run, classifier)
    assert (few.images.shape[0], few.labels.shape[0], few.training.shape[0]) == (10, 10, 7)
    again = samples_of(finished_run, classifier)
    np.testing.assert_array_equal(few.training, again.training)
    np.testing.assert_array_equal(few.images, again.images)
    assert len(set(few.labels.tolist())) > 2  # not only the first classes
