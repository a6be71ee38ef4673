"""Copies are joined level by level, and no set repeats what a level below has joined."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from convlens.audit.copy_sets import copy_sets
from tests.audit.photographs import gathered, make_set


def described(sets):
    return [(one.kind, one.members.tolist(), round(one.difference, 2)) for one in sets]


def test_levels_join_what_those_below_have_not(tmp_path):
    folder = make_set(tmp_path / "set", 8, ("a",))
    (folder / "a" / "1.jpg").write_bytes((folder / "a" / "0.jpg").read_bytes())
    content = (folder / "a" / "0.jpg").read_bytes()
    (folder / "a" / "2.jpg").write_bytes(content + b"\0")  # other bytes, the same pixels
    material = gathered(folder)
    exact = [("bytes", [0, 1], 0.0), ("pixels", [0, 1, 2], 0.0)]
    assert described(copy_sets(material)) == exact
    pairs = SimpleNamespace(
        first=np.array([0, 0, 3, 4]),
        second=np.array([1, 5, 4, 6]),
        kind=np.array(["near", "near", "near", "flip"]),
        difference=np.array([0.9, 0.1, 0.3, 0.2]),
    )
    sets = copy_sets(replace(material, pairs=pairs))
    assert described(sets) == [
        *exact,
        ("near", [0, 1, 2, 5], 0.9),
        ("near", [3, 4], 0.3),
        ("flip", [3, 4, 6], 0.2),
    ]
    labels = np.array([0, 0, 0, 0, 0, 1, 0, 0])
    assert [one.differ(labels) for one in sets] == [False, False, True, False, False]


def test_images_that_cannot_be_read_are_no_copies(tmp_path):
    folder = make_set(tmp_path / "set", 2, ("a",))
    for name in ("x.jpg", "y.jpg"):
        (folder / "a" / name).write_bytes(b"damaged")
    assert copy_sets(gathered(folder)) == []
