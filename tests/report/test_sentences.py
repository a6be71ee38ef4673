"""What the scores mean, in sentences."""

import numpy as np
import pytest

from convlens.evaluation.evaluate import evaluate
from convlens.report.sentences import (
    accuracy_sentences,
    baseline_sentence,
    none_of_these_sentences,
)

LABELS = np.array([0] * 60 + [1] * 40)
PROBABILITIES = np.where(np.arange(100)[:, None] < 80, [0.9, 0.1], [0.3, 0.7])


def scored(images_seen="test", threshold=None):
    """60 of the 60 images of the first class are classified correctly, and 20 of the 40 others."""
    return evaluate(LABELS, PROBABILITIES, ["a", "b"], images_seen=images_seen, threshold=threshold)


def test_the_accuracy_of_test_images_holds_for_new_ones():
    assert accuracy_sentences(scored()) == (
        "The classifier is correct for 80 of 100 images (test). For new images of the same kind, "
        "expect an accuracy between 71.1 % and 86.7 %; 100 images do not allow a more precise "
        "statement. Always predicting the most frequent class would be correct for 60.0 % of the "
        "images."
    )


@pytest.mark.parametrize(
    ("images_seen", "said"),
    [
        ("train", "The network learned from these images."),
        ("validation", "The best epoch was chosen on these images"),
        ("5 held-out folds", "(5 held-out folds). For new images of the same kind"),
    ],
)
def test_the_caveat_follows_from_the_images(images_seen, said):
    text = accuracy_sentences(scored(images_seen))
    assert said in text
    assert ("expect an accuracy" in text) == (images_seen == "5 held-out folds")


def test_the_baseline():
    assert "correct for 60.0 % of the images" in baseline_sentence(scored())


def test_what_the_threshold_does():
    assert none_of_these_sentences(scored()) == ""
    assert none_of_these_sentences(scored(threshold=0.8)) == (
        "The threshold is reached by 80 of these 100 images: 80.0 % [71.1, 86.7]. "
        "Of them, 75.0 % [64.5, 83.2] are classified correctly."
    )
    on_validation = none_of_these_sentences(scored("validation", 0.8))
    assert on_validation.endswith("The threshold was chosen on these images.")


def test_a_threshold_that_no_image_reaches():
    assert none_of_these_sentences(scored(threshold=1.1)) == (
        "The threshold is reached by 0 of these 100 images: 0.0 % [0.0, 3.7]."
    )
