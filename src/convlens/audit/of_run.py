"""Findings of a run: what `audit_run` found, in the form of all findings."""

from convlens.audit.audit import Audit, sorted_findings
from convlens.audit.finding import Finding, found
from convlens.audit.run_audit import RunAudit

CODES_OF_CUTS = {"wrong": "wrong_label", "look": "doubtful_label"}


def audit_of_run(audited: RunAudit) -> Audit:
    """Return doubtful labels, hard pairs and worse slices as an audit."""
    findings = [*_doubts(audited), *_pairs(audited), *_slices(audited)]
    return Audit(audited.prepared.dataset, sorted_findings(findings))


def _doubts(audited: RunAudit) -> list[Finding]:
    dataset = audited.prepared.dataset
    return [
        found(
            CODES_OF_CUTS[doubt.cut],
            dataset,
            [doubt.index],
            {
                "label": dataset.class_names[doubt.label],
                "suggested": dataset.class_names[doubt.suggested],
                "confidence": round(doubt.confidence, 4),
            },
        )
        for doubt in audited.doubts
    ]


def _pairs(audited: RunAudit) -> list[Finding]:
    dataset = audited.prepared.dataset
    return [
        found(
            "hard_pair",
            dataset,
            pair.indices,
            {
                "classes": [dataset.class_names[pair.first], dataset.class_names[pair.second]],
                "confused": pair.confused.to_dict(),
                "p": pair.p,
            },
        )
        for pair in audited.pairs
    ]


def _slices(audited: RunAudit) -> list[Finding]:
    dataset = audited.prepared.dataset
    return [
        found(
            "worse_slice",
            dataset,
            part.indices,
            {
                "column": part.column,
                "value": part.value,
                "bounds": part.bounds,
                "accuracy": part.accuracy.to_dict(),
                "expected": part.expected,
                "p": part.p,
            },
        )
        for part in audited.slices
    ]
