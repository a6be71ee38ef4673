"""What was measured of a finding, in words and numbers for people."""

import pytest

from convlens.audit.evidence import (
    as_score,
    fact_name,
    facts_of,
    number_text,
    place_of,
    rule_of,
    rules_of,
)
from convlens.audit.finding import found
from convlens.language_choice import using

ACCURACY = {"value": 0.91, "low": 0.85, "high": 0.95, "n": 120}


def facts(digits, code, **evidence):
    return dict(facts_of(found(code, digits, [1], evidence)))


def test_the_value_has_the_name_of_what_was_measured(digits):
    assert facts(digits, "extreme_shape", value=5.9) == {"long side divided by short side": "5.9"}
    assert facts(digits, "dark", value=12.0) == {
        "98 % of its pixels are no brighter than (of 255)": "12"
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("confidence", 0.987, ("confidence", "98.7 %")),
        ("p", 0.0123, ("p-value", "0.012")),
        ("p", 1e-12, ("p-value", "< 0.0001")),
        ("pixels", 120_000_000, ("pixels", "120,000,000")),
        ("distance", 12345.6, ("distance to its class", "12,346")),
        ("confused", ACCURACY, ("taken for one another", "91.0 % [85.0, 95.0] n=120")),
        ("by_class", {"cat": 3, "dog": 1200}, ("images by class", "cat: 3, dog: 1,200")),
        ("classes", list("abcdefghij"), ("classes", "a, b, c, d, e, f, g, h and 2 more")),
        ("column", "camera", ("part", "camera")),
        ("bounds", (0.5, 20.0), ("from, to", "0.5, 20")),
        ("never_heard", "x", ("never heard", "x")),
    ],
)
def test_each_kind_of_value_is_written_as_people_read_it(digits, name, value, said):
    assert facts(digits, "hard_pair", **{name: value}) == dict([said])


def test_what_stands_below_the_images_and_what_is_not_known_is_no_fact(digits):
    assert facts(digits, "near_duplicate", kind="near", labels=["a"], difference=1.2) == {}
    assert facts(digits, "worse_slice", value=None, bounds=None, camera="") == {}
    assert facts(digits, "exact_copy", kind="bytes") == {
        "difference": "none: the files have the same bytes"
    }


def test_a_score_is_told_from_other_mappings():
    assert str(as_score(ACCURACY)) == "91.0 % [85.0, 95.0] n=120"
    assert as_score({**ACCURACY, "value": None}) is None
    assert as_score({"cat": 3}) is None
    assert as_score(0.5) is None


def test_numbers_have_four_digits_or_all_before_the_point():
    assert [number_text(one) for one in (0.123456, 12.3456, 1234567.8, 100.0)] == [
        "0.1235",
        "12.35",
        "1,234,568",
        "100",
    ]


def test_rules_name_words_numbers_and_what_is_not_given(digits):
    rows = [
        {"if": [["bytes", ">", 123456.5], ["format", "!=", "PNG"]], "class": "cat"},
        {"if": [["camera", "=", ""]], "class": "dog"},
        {"if": [["camera", "!=", ""], ["camera", "=", "EOS 5D"]], "class": "dog"},
    ]
    rules = [row | {"share": 0.955, "images": 1234} for row in rows]
    evidence = {
        "rules": rules,
        "accuracy": ACCURACY,
        "largest_class": 0.35,
        "by": ["bytes", "camera", "camera EOS 5D"],
    }
    finding = found("metadata_tells_class", digits, [], evidence)
    assert rules_of(finding) == [
        "size of the file (bytes) above 123,456 and file format is not PNG: cat (96 % of 1,234 "
        "images)",
        "camera is not given: dog (96 % of 1,234 images)",
        "camera is given and camera is EOS 5D: dog (96 % of 1,234 images)",
    ]
    assert "only size of the file (bytes), camera, predicts" in rule_of(finding)
    with using("zh"):
        assert rules_of(finding)[1].startswith("沒有相機資料")
    assert rule_of(found("dark", digits, [1], {"value": 3.0})) == ""
    assert rules_of(found("dark", digits, [1])) == []


def test_a_fact_has_its_name_without_the_word_after_it():
    assert fact_name("format PNG") == "file format"
    assert fact_name("bytes/pixel") == "bytes per pixel"
    assert fact_name("new measure") == "new measure"


def test_a_patch_is_described_by_its_place_and_both_shares(digits):
    evidence = {
        "class": "cat",
        "box": [0.8, 0.4, 0.9, 0.6],
        "of_class": ACCURACY,
        "elsewhere": ACCURACY | {"value": 0.01, "low": 0.0, "high": 0.03, "n": 1300},
        "p": 1e-12,
    }
    finding = found("patch_tells_class", digits, [1, 2], evidence)
    said = "lie at the bottom in 91.0 % [85.0, 95.0] of 120 images of cat, and in 1.0 % [0.0, 3.0]"
    assert said in rule_of(finding)
    assert "of 1,300 other images" in rule_of(finding)
    names = [name for name, _ in facts_of(finding)]
    assert names == ["class", "images of the class that have it", "other images that have it",
                     "p-value"]  # fmt: skip


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([0.0, 0.0, 0.1, 0.1], "at the top left"),
        ([0.45, 0.9, 0.5, 1.0], "at the right"),
        ([0.9, 0.0, 1.0, 1.0], "at the bottom"),
        ([0.0, 0.0, 1.0, 1.0], "in several places"),
        ([0.4, 0.4, 0.6, 0.6], "in the middle"),
    ],
)
def test_a_place_is_named_by_the_third_in_which_it_lies(box, said):
    assert place_of(box) == said
