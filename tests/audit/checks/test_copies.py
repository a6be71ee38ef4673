"""Copies, and copies under two labels."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.audit.checks.copies import check_copies
from convlens.audit.copy_sets import copy_sets
from tests.audit.photographs import found_by, gathered, make_set


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 6)


def with_pairs(material, *rows):
    first, second, kind = (np.array(column) for column in zip(*rows, strict=True))
    pairs = SimpleNamespace(
        first=first, second=second, kind=kind, difference=np.full(len(kind), 0.1)
    )
    return replace(material, pairs=pairs)


def test_a_clean_set_has_no_findings(folder):
    assert found_by(check_copies, folder) == {}


def test_exact_copies_are_one_finding_for_each_set(folder):
    for name in ("x.jpg", "y.jpg"):
        shutil.copy(folder / "cat" / "0.jpg", folder / "cat" / name)
    (one,) = found_by(check_copies, folder)["exact_copy"]
    assert one.files == ("cat/0.jpg", "cat/x.jpg", "cat/y.jpg")
    assert one.evidence["labels"] == ["cat"] * 3
    assert one.action == "exclude"


def test_two_labels_are_relabelled_where_most_copies_agree_and_else_left_out(folder):
    shutil.copy(folder / "cat" / "0.jpg", folder / "dog" / "x.jpg")
    (tie,) = found_by(check_copies, folder)["two_labels"]
    assert (tie.level, tie.action) == ("error", "exclude")
    assert sorted(tie.evidence["labels"]) == ["cat", "dog"]
    shutil.copy(folder / "cat" / "0.jpg", folder / "cat" / "y.jpg")
    codes = found_by(check_copies, folder)
    assert list(codes) == ["two_labels"]
    assert codes["two_labels"][0].action == "relabel"


def test_near_copies_have_the_code_of_their_kind(folder):
    rows = [(0, 1, "near"), (2, 3, "flip"), (4, 5, "rotation"), (6, 0, "near")]
    material = with_pairs(gathered(folder), *rows)
    found = {one.code: one for one in check_copies(material, copy_sets(material))}
    assert set(found) == {"two_labels", "flipped_copy", "rotated_copy"}
    assert found["two_labels"].indices == (0, 1, 6)
    assert found["flipped_copy"].level == "note"
    material = with_pairs(gathered(folder), (0, 1, "near"), (2, 8, "flip"))
    found = {one.code: one for one in check_copies(material, copy_sets(material))}
    assert set(found) == {"near_duplicate", "flipped_copy"}
    assert found["near_duplicate"].action == "group"
    assert found["flipped_copy"].level == "warning"  # a mirror image may have another label


def test_images_with_the_same_pixels_are_told_from_those_with_the_same_bytes(folder):
    content = (folder / "cat" / "0.jpg").read_bytes()
    (folder / "cat" / "x.jpg").write_bytes(content + b"\0")
    assert list(found_by(check_copies, folder)) == ["same_pixels"]
