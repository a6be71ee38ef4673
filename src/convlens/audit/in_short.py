"""In short: a finding in one line, as a terminal and the notes before a training have it."""

from collections.abc import Mapping, Sequence
from typing import Any

from convlens.audit.evidence import fact_name, number_text, place_of
from convlens.audit.finding import Finding, others_first
from convlens.language import _, listed, ngettext


def counted(findings: Sequence[Finding]) -> str:
    """Return the number of findings of a kind, and how many images they have if these differ."""
    number = len(findings)
    images = len({index for finding in findings for index in finding.indices})
    if images in (0, number):
        return f"{number:,}"
    return _("{findings}, {images}").format(
        findings=ngettext("{n:,} finding", "{n:,} findings", number).format(n=number),
        images=ngettext("{n:,} image", "{n:,} images", images).format(n=images),
    )


def in_short(finding: Finding) -> str:
    """Return the files of a finding, or what was measured where this says more, in a line."""
    evidence = finding.evidence
    if "suggested" in evidence:
        return _("{file}: {doubt}").format(file=finding.files[0], doubt=doubt_of(evidence))
    said = {
        "metadata_tells_class": _metadata,
        "patch_tells_class": _patch,
        "small_class": _small_class,
        "one_class": _small_class,
        "unequal_classes": _unequal_classes,
        "alike_names": _classes,
        "hard_pair": _classes,
        "worse_slice": _worse_slice,
    }.get(finding.code)
    return example_of(finding) if said is None else said(evidence)


def doubt_of(evidence: Mapping[str, Any]) -> str:
    """Return which label is doubted, and what models say of it."""
    return _(
        "labelled {label}, rather {suggested} ({label} has a probability of {percent:.1f} %)"
    ).format(
        label=evidence["label"],
        suggested=evidence["suggested"],
        percent=100 * (1 - evidence["confidence"]),
    )


def example_of(finding: Finding) -> str:
    """Return the files of a finding in short form; copies are set equal.

    Of captures and groups across splits, an image of each of two splits is named.
    """
    files = [finding.files[place] for place in others_first(finding)]
    shown = 1
    example = "".join(files[:1])
    if "kind" in finding.evidence:
        shown = 2
        example = "{} = {}".format(*files[:2])
    elif finding.code in ("leaked_capture", "leaked_group") and len(files) > 1:
        shown = 2
        example = _("{image} and {other}").format(image=files[0], other=files[1])
    more = len(files) - shown
    if more <= 0:
        return example
    return ngettext(
        "{example} and {more:,} more file", "{example} and {more:,} more files", more
    ).format(example=example, more=more)


def _metadata(evidence: Mapping[str, Any]) -> str:
    return _(
        "the class of {low:.1f} to {high:.1f} % of the images follows from {by}; {base:.1f} % are "
        "of the largest class"
    ).format(
        low=100 * evidence["accuracy"]["low"],
        high=100 * evidence["accuracy"]["high"],
        base=100 * evidence["largest_class"],
        by=listed(dict.fromkeys(fact_name(name) for name in evidence["by"])),
    )


def _patch(evidence: Mapping[str, Any]) -> str:
    return _(
        "{place}, {share:.1f} % of the images of {name} look the same, and {others:.1f} % of the "
        "others"
    ).format(
        place=place_of(evidence["box"]),
        share=100 * evidence["of_class"]["value"],
        name=evidence["class"],
        others=100 * evidence["elsewhere"]["value"],
    )


def _small_class(evidence: Mapping[str, Any]) -> str:
    return "{name} ({images:,})".format(name=evidence["class"], images=evidence["images"])


def _unequal_classes(evidence: Mapping[str, Any]) -> str:
    names = (evidence["largest"], evidence["smallest"])
    return listed(
        "{name} ({images:,})".format(name=name, images=images)
        for name, images in zip(names, evidence["images"], strict=True)
    )


def _classes(evidence: Mapping[str, Any]) -> str:
    return " / ".join(evidence["classes"])


def _worse_slice(evidence: Mapping[str, Any]) -> str:
    value = evidence["value"]
    if value is None:
        value = " - ".join(number_text(bound) for bound in evidence["bounds"])
    return _("{column} {value}: {accuracy:.1f} % correct, elsewhere {expected:.1f} %").format(
        column=fact_name(evidence["column"]),
        value=value,
        accuracy=100 * evidence["accuracy"]["value"],
        expected=100 * evidence["expected"],
    )
