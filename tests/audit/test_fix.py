"""The list of corrections that findings propose has no contradictions."""

import numpy as np

from convlens.audit.finding import found
from convlens.audit.fix import corrections_of


def rows(*findings):
    return [(one.file, one.action, one.value) for one in corrections_of(findings)]


def test_the_first_of_copies_is_kept(digits):
    assert rows(found("exact_copy", digits, [3, 5, 9], {"kind": "bytes"})) == [
        ("5", "exclude", ""),
        ("9", "exclude", ""),
    ]


def test_of_a_leak_the_image_of_the_test_set_is_kept(digits):
    evidence = {"splits": np.array(["train", "test", "val", "test"])}
    assert rows(found("leaked_copy", digits, [1, 2, 3, 4], evidence)) == [
        ("1", "exclude", ""),
        ("3", "exclude", ""),
    ]


def test_two_labels_get_that_of_most_copies_or_are_left_out(digits):
    majority = {"labels": ["cat", "cat", "dog"]}
    finding = found("two_labels", digits, [1, 2, 3], majority, action="relabel")
    assert rows(finding) == [("3", "relabel", "cat")]
    tie = found("two_labels", digits, [1, 2], {"labels": ["cat", "dog"]}, action="exclude")
    assert rows(tie) == [("1", "exclude", ""), ("2", "exclude", "")]
    assert "cat, dog" in corrections_of([tie])[0].note


def test_near_duplicates_are_kept_together_under_the_name_of_the_first(digits):
    assert rows(found("near_duplicate", digits, [4, 7])) == [
        ("4", "group", "4"),
        ("7", "group", "4"),
    ]


def test_doubtful_labels_say_which_run_doubts_them(digits):
    evidence = {"label": "cat", "suggested": "dog", "confidence": 0.97}
    wrong = found("wrong_label", digits, [4], evidence)
    look = found("doubtful_label", digits, [5], evidence)
    first, second = corrections_of([wrong, look], run="pets-1")
    assert (first.file, first.action, first.value, first.run) == ("4", "relabel", "dog", "pets-1")
    assert first.note == "labelled cat, rather dog (cat has a probability of 3.0 %)"
    assert (second.file, second.action, second.value) == ("5", "look", "dog")
    assert second.note == first.note


def test_an_image_that_is_left_out_has_no_other_row(digits):
    evidence = {"label": "cat", "suggested": "dog", "confidence": 0.97}
    findings = [
        found("wrong_label", digits, [4], evidence),
        found("dark", digits, [4]),
        found("near_duplicate", digits, [4, 7]),
        found("blank", digits, [4]),
        found("blurred", digits, [7]),
        found("blurred", digits, [8]),
        found("small_class", digits, [8, 9]),
    ]
    assert rows(*findings) == [("7", "group", "4"), ("4", "exclude", ""), ("8", "look", "")]
