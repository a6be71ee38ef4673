"""The content of a report as data, and what the scores mean, in sentences."""

import json
from pathlib import Path

import numpy as np
import pytest

from convlens.evaluation.evaluate import evaluate
from convlens.language_choice import using
from convlens.report.content import (
    MISTAKES,
    accuracy_sentences,
    baseline_sentence,
    describe,
    name_images,
    none_of_these_sentences,
    plain_data,
    report_dict,
)

NAMES = ["cat", "dog", "owl"]
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.5, 0.3, 0.2]])


def evaluation():
    return evaluate([0, 1, 2, 0], PROBABILITIES, NAMES)


def test_it_needs_no_folder_and_is_strict_json():
    facts = report_dict(evaluation(), title="t", extra={"x": {1: Path("p")}})
    assert facts["x"] == {"1": "p"}
    json.dumps(facts, allow_nan=False)
    assert facts["metrics"]["accuracy"]["value"] == 0.5
    assert (facts["history"], facts["data"], facts["settings"]) == ([], {}, {})


def test_what_is_extra_overrides_no_number():
    facts = report_dict(evaluation(), title="t", extra={"n": "never", "seconds": 1.5})
    assert (facts["n"], facts["seconds"]) == (4, 1.5)
    assert list(facts)[:2] == ["title", "written"]


def test_mistakes_are_described_with_the_most_confident_first():
    names = [Path("a.png"), Path("b.png"), Path("c.png"), Path("d.png")]
    first, second = report_dict(evaluation(), title="t", image_names=names)["mistakes"]
    assert first == {
        "index": 2,
        "name": "c.png",
        "label": "owl",
        "predicted": "dog",
        "confidence": 0.9,
    }
    assert (second["index"], second["confidence"]) == (1, 0.7)


def test_no_more_mistakes_than_a_page_shows():
    wrong = evaluate(np.ones(MISTAKES + 5, int), np.tile([0.9, 0.1], (MISTAKES + 5, 1)), "ab")
    assert len(report_dict(wrong, title="t")["mistakes"]) == MISTAKES


def test_an_image_without_a_name_has_none():
    assert describe(evaluation(), [3], None)[0]["name"] is None


def test_plain_data_has_no_arrays_paths_or_infinities():
    found = plain_data({"a": np.arange(2), "b": [np.inf, Path("p")], "c": {np.int64(3)}, "d": True})
    assert found == {"a": [0, 1], "b": [None, "p"], "c": [3], "d": True}


TRUE_CLASSES = np.array([0] * 60 + [1] * 40)
TWO_CLASSES = np.where(np.arange(100)[:, None] < 80, [0.9, 0.1], [0.3, 0.7])


def scored(images_seen="test", threshold=None):
    """60 of the 60 images of the first class are classified correctly, and 20 of the 40 others."""
    return evaluate(
        TRUE_CLASSES, TWO_CLASSES, ["a", "b"], images_seen=images_seen, threshold=threshold
    )


def test_the_accuracy_of_test_images_holds_for_new_ones():
    assert accuracy_sentences(scored()) == (
        "The classifier is correct for 80 of 100 images (test). For new images of the same kind, "
        "expect an accuracy between 71.1 % and 86.7 %; 100 images do not allow a more precise "
        "statement. Always predicting the most frequent class would be correct for 60.0 % of the "
        "images."
    )


def test_folds_are_named_in_the_chosen_language():
    assert name_images("5 held-out folds") == "5 held-out folds"
    with using("zh"):
        assert name_images("5 held-out folds") == "5 折交叉驗證"


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
