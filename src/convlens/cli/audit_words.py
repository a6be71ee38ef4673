"""Audit words: what `convlens audit` prints of a finding, in a line."""

from typing import TYPE_CHECKING

from convlens.language import _

if TYPE_CHECKING:
    from convlens.audit.finding import Finding


def in_short(finding: "Finding") -> str:
    """Return the files of a finding, and what was measured, in a line."""
    from convlens.audit.gate import example_of

    evidence = finding.evidence
    if "suggested" in evidence:
        return _("{file}: labelled {label}, rather {suggested} ({percent:.0f} %)").format(
            file=finding.files[0],
            label=evidence["label"],
            suggested=evidence["suggested"],
            percent=100 * evidence["confidence"],
        )
    if "accuracy" in evidence and "largest_class" in evidence:
        return _(
            "{low:.1f} to {high:.1f} % of the classes follow from {by}; {base:.1f} % are the "
            "largest class"
        ).format(
            low=100 * evidence["accuracy"]["low"],
            high=100 * evidence["accuracy"]["high"],
            base=100 * evidence["largest_class"],
            by=", ".join(evidence["by"]),
        )
    if finding.code == "small_class":
        return "{name} ({images:,})".format(name=evidence["class"], images=evidence["images"])
    if "classes" in evidence:
        return " / ".join(evidence["classes"])
    if "column" in evidence:
        value = evidence["value"] or "{:g} - {:g}".format(*evidence["bounds"])
        return "{column} {value}: {accuracy:.1f} % ({expected:.1f} %)".format(
            column=evidence["column"],
            value=value,
            accuracy=100 * evidence["accuracy"]["value"],
            expected=100 * evidence["expected"],
        )
    return example_of(finding)
