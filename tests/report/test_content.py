"""The content of a report as data."""

import json
from pathlib import Path

import numpy as np

from convlens.evaluation.evaluate import evaluate
from convlens.report.content import MISTAKES, describe, plain_data, report_dict

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
