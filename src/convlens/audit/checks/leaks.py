"""Leaks: images, groups and captures in several of the splits that the source gives."""

import numpy as np
from numpy.typing import NDArray

from convlens.audit.checks.copies import evidence_of, leaks
from convlens.audit.copy_sets import CopySet
from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

# Mirror images are as good as copies for most networks, but a person may have wanted them.
CODES_OF_KINDS = {
    "bytes": ("leaked_copy", "error"),
    "pixels": ("leaked_copy", "error"),
    "near": ("leaked_near_duplicate", "error"),
    "flip": ("leaked_near_duplicate", "warning"),
    "rotation": ("leaked_near_duplicate", "warning"),
}


def check_leaks(material: Material, sets: list[CopySet]) -> list[Finding]:
    """Return a finding for each set of copies, each group and each capture in several splits.

    There are none where convlens splits the images, since it keeps all of these together.

    Args:
        material: The images.
        sets: The sets of copies, from `copy_sets`.
    """
    dataset = material.dataset
    if dataset.splits is None:
        return []
    findings = []
    for one in sets:
        if not leaks(material, one):
            continue
        code, level = CODES_OF_KINDS[one.kind]
        evidence = evidence_of(material, one)
        # Without a test image, the leak spoils the choice of the epoch, but not the score.
        level = level if "test" in evidence["splits"] else "warning"
        findings.append(found(code, dataset, one.members, evidence, level=level))
    if dataset.groups is not None:
        findings += _across(material, "leaked_group", dataset.groups)
    if material.captures is not None:
        captures = _across(material, "leaked_capture", material.captures, without=-1)
        findings += _without_known(captures, findings)
    return findings


def _without_known(captures: list[Finding], others: list[Finding]) -> list[Finding]:
    """Return the findings on captures of which no other finding names all images."""
    named: dict[int, set[int]] = {}
    for number, other in enumerate(others):
        for index in other.indices:
            named.setdefault(index, set()).add(number)
    return [
        capture
        for capture in captures
        if not set.intersection(*(named.get(index, set()) for index in capture.indices))
    ]


def _across(
    material: Material,
    code: str,
    numbers: NDArray[np.str_] | NDArray[np.int64],
    without: int | None = None,
) -> list[Finding]:
    """Return a finding for each group or capture that lies in several splits."""
    dataset = material.dataset
    splits = dataset.splits
    if splits is None:
        return []
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    findings = []
    for members in np.split(order, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1):
        value = numbers[members[0]].item()
        if value == without or len(set(splits[members].tolist())) < 2:
            continue
        of_members = splits[members]
        evidence = {"splits": of_members, "group": value}
        if code == "leaked_capture":
            look = material.looks[members[0]]
            evidence = {
                "splits": of_members,
                "camera": bytes(look["camera"]).decode("utf-8", "replace"),
                "taken": bytes(look["taken"]).decode("utf-8", "replace"),
            }
        findings.append(found(code, dataset, members, evidence))
    return findings
