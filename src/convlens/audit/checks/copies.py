"""Copies: images that are there twice or more, and images under two labels."""

from collections import Counter
from typing import Any

from convlens.audit.copy_sets import CopySet
from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

CODES_OF_KINDS = {
    "bytes": "exact_copy",
    "pixels": "same_pixels",
    "near": "near_duplicate",
    "flip": "flipped_copy",
    "rotation": "rotated_copy",
}
# A mirrored arrow to the left points to the right, so that another label can be correct.
SAME_LABEL = ("bytes", "pixels", "near")


def check_copies(material: Material, sets: list[CopySet]) -> list[Finding]:
    """Return a finding for each set of copies, unless it is a leak, which says more.

    Args:
        material: The images.
        sets: The sets of copies, from `copy_sets`.
    """
    dataset = material.dataset
    findings = []
    for one in sets:
        evidence = evidence_of(material, one)
        has_labels = one.differ(dataset.labels)
        if has_labels and one.kind in SAME_LABEL:
            counts = Counter(evidence["labels"]).most_common(2)
            # Only a majority says which label to keep.
            action = "exclude" if counts[0][1] == counts[1][1] else "relabel"
            findings.append(found("two_labels", dataset, one.members, evidence, action=action))
        elif not leaks(material, one):
            changes = {"level": "warning"} if has_labels else {}
            code = CODES_OF_KINDS[one.kind]
            findings.append(found(code, dataset, one.members, evidence, **changes))
    return findings


def leaks(material: Material, one: CopySet) -> bool:
    """Return whether copies lie in several of the splits that the source gives."""
    splits = material.dataset.splits
    return splits is not None and one.differ(splits)


def evidence_of(material: Material, one: CopySet) -> dict[str, Any]:
    """Return what a finding on copies says: what joins them, their labels and their splits."""
    dataset = material.dataset
    evidence: dict[str, Any] = {
        "kind": one.kind,
        "labels": [dataset.class_names[label] for label in dataset.labels[one.members]],
        "difference": round(one.difference, 4),
    }
    if dataset.splits is not None:
        evidence["splits"] = dataset.splits[one.members]
    return evidence
