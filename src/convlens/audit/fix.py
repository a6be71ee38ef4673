"""Fix: the list of corrections that the findings of an audit propose."""

from collections import Counter
from collections.abc import Iterator, Sequence

from convlens.audit.codes import CODES
from convlens.audit.finding import Finding
from convlens.audit.in_short import doubt_of
from convlens.data.correction_lists import Correction
from convlens.language import _, listed

# What concerns whole classes, so that no single image is to blame.
OF_CLASSES = (
    "small_class",
    "one_class",
    "alike_names",
    "unequal_classes",
    "metadata_tells_class",
    "patch_tells_class",
    "hard_pair",
    "worse_slice",
)
COPIES = ("exact_copy", "same_pixels")
LEAKS = ("leaked_copy", "leaked_near_duplicate")
KEPT_FIRST = ("test", "val", "train")  # of copies across splits, that of the first one is kept


def corrections_of(findings: Sequence[Finding], run: str = "") -> list[Correction]:
    """Return a row for each image that something is proposed for, without contradictions.

    Where an image is left out for one reason, nothing else is proposed for it; and nobody is asked
    to look at an image for which a correction is proposed.

    Args:
        findings: The findings, the worst first.
        run: The run whose classifier doubts the labels, or nothing.
    """
    rows = [row for finding in findings for row in _rows(finding, run)]
    excluded = {row.file for row in rows if row.action == "exclude"}
    corrected = excluded | {row.file for row in rows if row.action != "look"}
    kept: dict[tuple[str, str, str], Correction] = {}
    relabelled: set[str] = set()
    for row in rows:
        if row.action != "exclude" and row.file in excluded:
            continue
        if row.action == "look" and row.file in corrected:
            continue
        if row.action == "relabel":
            if row.file in relabelled:
                continue
            relabelled.add(row.file)
        value = row.value if row.action == "group" else ""
        kept.setdefault((row.file, row.action, value), row)
    return list(kept.values())


def _rows(finding: Finding, run: str) -> Iterator[Correction]:
    """Yield what a finding proposes for its images."""
    if finding.code in OF_CLASSES:
        return
    note: str = _(CODES[finding.code].title)
    if finding.code in COPIES:
        note = _("a copy of {file}").format(file=finding.files[0])
        files = list(finding.files[1:])
    elif finding.code in LEAKS:
        files = _leaked(finding)
        kept = next(file for file in finding.files if file not in files)
        note = _("also in another split: {file}").format(file=kept)
    elif finding.action == "relabel" or "suggested" in finding.evidence:
        yield from _relabelled(finding, run)
        return
    else:
        files = list(finding.files)
    if finding.code == "two_labels":
        labels = sorted(set(finding.evidence["labels"]))
        note = _("one image as {labels}; choose one label, or leave all out").format(
            labels=listed(labels)
        )
    value = finding.files[0] if finding.action == "group" else ""
    for file in files:
        yield Correction(file, finding.action, value, finding.code, note, run)


def _leaked(finding: Finding) -> list[str]:
    """Return the files that are not in the split in which the image is kept."""
    splits = finding.evidence["splits"]
    kept = next(split for split in KEPT_FIRST if split in splits)
    return [file for file, split in zip(finding.files, splits, strict=True) if split != kept]


def _relabelled(finding: Finding, run: str) -> Iterator[Correction]:
    """Yield a new label for each image that has another: that of most copies, or of a model."""
    evidence = finding.evidence
    if "suggested" in evidence:
        yield Correction(
            file=finding.files[0],
            action=finding.action,
            value=evidence["suggested"],
            code=finding.code,
            note=doubt_of(evidence),
            run=run,
        )
        return
    labels = evidence["labels"]
    most = Counter(labels).most_common(1)[0][0]
    for file, label in zip(finding.files, labels, strict=True):
        if label != most:
            note = _("labelled {label}, and most of its copies {most}").format(
                label=label, most=most
            )
            yield Correction(file, "relabel", most, finding.code, note, run)
