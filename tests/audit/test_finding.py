"""Findings are plain data, with the level and the action of their code."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from convlens.audit.finding import found
from convlens.data.dataset import Dataset


def made(images) -> Dataset:
    return Dataset("nowhere", "made", images, np.zeros(len(images), np.int64), ("a",))


def test_a_finding_has_the_level_and_the_action_of_its_code_unless_they_are_given():
    dataset = made(np.zeros((4, 2, 2), np.uint8))
    finding = found("exact_copy", dataset, np.array([3, 1]))
    assert (finding.level, finding.action) == ("warning", "exclude")
    assert (finding.indices, finding.files) == ((3, 1), ("3", "1"))
    assert found("exact_copy", dataset, [0], level="error").level == "error"
    with pytest.raises(FrozenInstanceError):
        finding.code = "blank"  # type: ignore[misc]


def test_evidence_of_numpy_is_written_as_json():
    dataset = made([Path("a.png")])
    evidence = {"mean": np.float64(0.5), "sizes": np.array([1, 2]), "of": Path("b")}
    found_one = found("dark", dataset, [0], evidence)
    assert json.loads(json.dumps(found_one.to_dict())) == {
        "code": "dark",
        "level": "note",
        "files": ["a.png"],
        "evidence": {"mean": 0.5, "sizes": [1, 2], "of": "b"},
        "action": "look",
    }
