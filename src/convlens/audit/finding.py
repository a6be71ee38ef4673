"""Finding: one thing that is wrong or odd with some images, as plain data.

Its code is a stable English word, by which programs tell findings apart; `convlens.audit.codes` has
the texts that a user reads for each code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convlens.audit.codes import CODES
from convlens.data.dataset import Dataset


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or odd.

    Attributes:
        code: A word of `CODES`, which never changes its meaning.
        level: "error", "warning" or "note".
        indices: The images that it concerns, as indices into the data set; the first one is the
            one to act on.
        files: Their names, in the same order, see `Dataset.file_name`.
        evidence: What was measured, as plain data.
        action: What is proposed: "exclude", "relabel", "group" or "look".
    """

    code: str
    level: str
    indices: tuple[int, ...]
    files: tuple[str, ...]
    evidence: Mapping[str, Any]
    action: str

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return {
            "code": self.code,
            "level": self.level,
            "files": list(self.files),
            "evidence": dict(self.evidence),
            "action": self.action,
        }


def found(
    code: str,
    dataset: Dataset,
    indices: Iterable[int],
    evidence: Mapping[str, Any] | None = None,
    **changes: str,
) -> Finding:
    """Return a finding with the level and the action of its code.

    Args:
        code: A word of `CODES`.
        dataset: The images.
        indices: The images of the finding; the first one is the one to act on.
        evidence: What was measured; values of NumPy become those of Python.
        changes: Another `level` or `action` than that of the code.
    """
    of_all = CODES[code]
    images = tuple(int(index) for index in indices)
    return Finding(
        code=code,
        level=changes.get("level", of_all.level),
        indices=images,
        files=tuple(dataset.file_name(index) for index in images),
        evidence={name: _plain(value) for name, value in (evidence or {}).items()},
        action=changes.get("action", of_all.action),
    )


def others_first(finding: Finding) -> list[int]:
    """Return the places of the images of a finding in the order in which some of them are shown.

    The first one stays. After it come those in which it is told that something is wrong: of copies
    across splits those of another split, and of one image under two labels those with another one.
    """
    places = range(len(finding.indices))
    told_by = "labels" if finding.code == "two_labels" else "splits"
    values = finding.evidence.get(told_by) or [""] * len(places)
    return sorted(places, key=lambda place: (place > 0, values[place] == values[0]))


def _plain(value: Any) -> Any:
    """Return a value of NumPy as one of Python, and a path as text, so that JSON can hold it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value) if isinstance(value, Path) else value
