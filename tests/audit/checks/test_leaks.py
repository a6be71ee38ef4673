"""Leaks across the splits that a source gives; there are none where convlens splits."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.audit.checks.leaks import check_leaks
from convlens.audit.copy_sets import copy_sets
from tests.audit.photographs import found_by, gathered, make_set


@pytest.fixture
def folder(tmp_path):
    """Return a folder with train, val and test, each with a cat and a dog class."""
    make_set(tmp_path / "all", 9)
    for number, split in enumerate(("train", "val", "test")):
        for name in ("cat", "dog"):
            (tmp_path / "set" / split / name).mkdir(parents=True)
            for i in range(3 * number, 3 * number + 3):
                shutil.copy(tmp_path / "all" / name / f"{i}.jpg", tmp_path / "set" / split / name)
    return tmp_path / "set"


def codes(material):
    return [one.code for one in check_leaks(material, copy_sets(material))]


def test_a_clean_set_has_no_leak_and_neither_has_one_that_is_not_split(folder, tmp_path):
    assert found_by(check_leaks, folder) == {}
    shutil.copy(tmp_path / "all" / "cat" / "0.jpg", tmp_path / "all" / "cat" / "x.jpg")
    assert found_by(check_leaks, tmp_path / "all") == {}


def test_a_copy_of_a_training_image_in_the_test_set_is_an_error(folder):
    shutil.copy(folder / "train" / "cat" / "0.jpg", folder / "test" / "cat" / "x.jpg")
    shutil.copy(folder / "train" / "dog" / "0.jpg", folder / "val" / "dog" / "y.jpg")
    found = found_by(check_leaks, folder)["leaked_copy"]
    assert [(one.level, one.files) for one in found] == [
        ("error", ("train/cat/0.jpg", "test/cat/x.jpg")),
        ("warning", ("train/dog/0.jpg", "val/dog/y.jpg")),
    ]
    assert found[0].evidence["splits"] == ["train", "test"]


def test_near_copies_leak_as_well(folder):
    material = gathered(folder)
    test = int(np.flatnonzero(material.dataset.splits == "test")[0])
    pairs = SimpleNamespace(
        first=np.array([0, 1]),
        second=np.array([2, test]),
        kind=np.array(["near", "near"]),
        difference=np.array([0.1, 0.1]),
    )
    assert codes(replace(material, pairs=pairs)) == ["leaked_near_duplicate"]


def test_groups_and_captures_in_two_splits_are_named(folder):
    material = gathered(folder)
    count = len(material.dataset)
    groups = np.array([f"group {i}" for i in range(count)], dtype="U20")
    test = int(np.flatnonzero(material.dataset.splits == "test")[0])
    groups[[0, test]] = "one person"
    captures = np.full(count, -1)
    captures[[1, test + 1]] = 4
    captures[[2, 3]] = 5
    changed = replace(material, dataset=replace(material.dataset, groups=groups), captures=captures)
    found = check_leaks(changed, [])
    assert [one.code for one in found] == ["leaked_group", "leaked_capture"]
    assert found[0].evidence == {"splits": ["train", "test"], "group": "one person"}
    assert found[1].indices == (1, test + 1)


def test_a_capture_is_named_unless_one_finding_has_all_of_its_images(folder):
    shutil.copy(folder / "train" / "cat" / "0.jpg", folder / "test" / "cat" / "x.jpg")
    material = gathered(folder)
    names = [material.dataset.file_name(i) for i in range(len(material.dataset))]
    copies = [names.index("train/cat/0.jpg"), names.index("test/cat/x.jpg")]
    captures = np.full(len(names), -1)
    captures[copies] = 3
    with_captures = replace(material, captures=captures)
    assert codes(with_captures) == ["leaked_copy"]
    # Another photograph of the moment is no copy.
    captures[names.index("train/cat/1.jpg")] = 3
    assert codes(with_captures) == ["leaked_copy", "leaked_capture"]
