"""A finding in one line, as a terminal has it."""

import pytest

from convlens.audit.finding import found, others_first
from convlens.audit.in_short import example_of, in_short
from convlens.language_choice import using

ACCURACY = {"value": 0.91, "low": 0.85, "high": 0.95, "n": 120}


@pytest.mark.parametrize(
    ("code", "indices", "evidence", "said"),
    [
        (
            "wrong_label",
            [7],
            {"label": "cat", "suggested": "dog", "confidence": 0.97},
            "7: labelled cat, rather dog (cat has a probability of 3.0 %)",
        ),
        (
            "metadata_tells_class",
            [],
            {"accuracy": ACCURACY, "largest_class": 0.5, "by": ["width", "format PNG", "camera"]},
            "the class of 85.0 to 95.0 % of the images follows from width, file format, camera; "
            "50.0 % are of the largest class",
        ),
        (
            "patch_tells_class",
            [3],
            {
                "class": "cat",
                "box": [0.03, 0.05, 0.2, 0.2],
                "of_class": ACCURACY,
                "elsewhere": ACCURACY | {"value": 0.004},
            },
            "at the top left, 91.0 % of the images of cat look the same, and 0.4 % of the others",
        ),
        ("small_class", [3, 4], {"class": "cat", "images": 2}, "cat (2)"),
        (
            "unequal_classes",
            [],
            {"largest": "cat", "smallest": "dog", "images": [9000, 4]},
            "cat (9,000), dog (4)",
        ),
        ("hard_pair", [3], {"classes": ["cat", "dog"]}, "cat / dog"),
        (
            "worse_slice",
            [3],
            {
                "column": "width",
                "value": None,
                "bounds": (12.5, 12345.0),
                "accuracy": ACCURACY,
                "expected": 0.981,
            },
            "width 12.5 - 12,345: 91.0 % correct, elsewhere 98.1 %",
        ),
        (
            "worse_slice",
            [3],
            {
                "column": "camera",
                "value": "EOS 5D",
                "bounds": None,
                "accuracy": ACCURACY,
                "expected": 0.981,
            },
            "camera EOS 5D: 91.0 % correct, elsewhere 98.1 %",
        ),
        ("dark", [3], {"value": 12.0}, "3"),
    ],
)
def test_a_finding_says_what_it_is_about(digits, code, indices, evidence, said):
    assert in_short(found(code, digits, indices, evidence)) == said


def test_what_is_measured_is_said_in_the_chosen_language(digits):
    evidence = {"accuracy": ACCURACY, "largest_class": 0.5, "by": ["width", "format PNG"]}
    with using("zh"):
        said = in_short(found("metadata_tells_class", digits, [], evidence))
    assert "光憑寬、檔案格式就能判斷" in said


def test_an_example_has_files_of_two_splits_and_counts_the_others(digits):
    splits = ["train", "train", "test"]
    leak = found("leaked_copy", digits, [3, 5, 9], {"kind": "bytes", "splits": splits})
    assert example_of(leak) == "3 = 9 and 1 more file"
    assert others_first(leak) == [0, 2, 1]
    capture = found("leaked_capture", digits, [3, 5, 9], {"splits": splits})
    assert example_of(capture) == "3 and 9 and 1 more file"
    labels = ["cat", "cat", "dog"]
    conflict = found("two_labels", digits, [3, 5, 9], {"kind": "bytes", "labels": labels})
    assert example_of(conflict) == "3 = 9 and 1 more file"
    assert example_of(found("placeholder", digits, [3, 5, 9])) == "3 and 2 more files"
    assert example_of(found("exact_copy", digits, [3, 5], {"kind": "bytes"})) == "3 = 5"
    assert example_of(found("blank", digits, [3])) == "3"
    assert example_of(found("blank", digits, [])) == ""
