"""Findings: what an audit has found, as a page shows it beside the images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convlens.audit.cards import GALLERY, difference_of, layout_of
from convlens.audit.codes import ACTION_NAMES
from convlens.audit.evidence import facts_of, rule_of, rules_of
from convlens.audit.finding import Finding, others_first
from convlens.audit.fix import corrections_of
from convlens.audit.in_short import in_short
from convlens.data.correction_lists import Correction
from convlens.language import _
from convlens.preprocess import open_image
from convlens.studio.auditing import Auditing
from convlens.studio.changes import class_id
from convlens.studio.listing import Item
from convlens.studio.problem import GONE, Problem
from convlens.studio.workspace import Workspace
from convlens.text import in_line, printable


def shown(workspace: Workspace, auditing: Auditing, number: int) -> dict[str, Any]:
    """Return a finding with its images and with what is proposed for them."""
    finding = auditing.finding(number)
    places = others_first(finding)[:GALLERY]
    layout = layout_of(finding)
    return {
        "number": number,
        "code": finding.code,
        "level": finding.level,
        "action": finding.action,
        "action_text": _(ACTION_NAMES[finding.action]),
        "layout": layout,
        "text": printable(in_line(in_short(finding))),
        "facts": [[name, printable(value)] for name, value in facts_of(_without_problem(finding))],
        "rule": rule_of(finding),
        "rules": rules_of(finding),
        "images": [_image(workspace, finding.files[place]) for place in places],
        "more": len(finding.files) - len(places),
        "choices": _choices(workspace, finding),
        "proposals": [_proposal(workspace, row) for row in corrections_of([finding])],
    }


def _without_problem(finding: Finding) -> Finding:
    """Return a finding without what a decoder has said, which is English.

    The title and the advice of its code tell what is wrong with the file.
    """
    evidence = {name: value for name, value in finding.evidence.items() if name != "problem"}
    return replace(finding, evidence=evidence)


def _choices(workspace: Workspace, finding: Finding) -> dict[str, Any]:
    """Return the labels of one image under several ones, and all its copies that are there.

    They are agreed if those that are not left out have one label now.
    """
    if finding.code != "two_labels":
        return {"images": [], "classes": [], "agreed": False}
    names = [name for name in workspace.listing.class_names if name in finding.evidence["labels"]]
    items = [workspace.listing.by_file.get(file) for file in finding.files]
    there = [item for item in items if item is not None]
    marks = workspace.marks
    labels = {marks.label(item) for item in there if not marks.is_excluded(item)}
    return {
        "images": [item.id for item in there],
        "classes": [class_id(name) for name in names],
        "agreed": len(labels) < 2,
    }


def _image(workspace: Workspace, file: str) -> dict[str, Any]:
    item = workspace.listing.by_file.get(file)
    if item is None:
        return {"id": None, "name": printable(file), "gone": True}
    names = workspace.listing.class_names
    label = workspace.marks.label(item)
    return {
        "id": item.id,
        "name": printable(file),
        "label": names.index(label) if label in names else names.index(item.given),
        "given": names.index(item.given),
        "excluded": workspace.marks.is_excluded(item),
        "gone": False,
    }


def _proposal(workspace: Workspace, row: Correction) -> dict[str, Any]:
    """Return what is proposed for an image, which need not be among those that are shown."""
    item = workspace.listing.by_file.get(row.file)
    is_class = row.action == "relabel" and row.value in workspace.listing.folders
    return {
        "image": None if item is None else item.id,
        "name": printable(row.file),
        "action": row.action,
        "value": printable(row.value),
        "class": class_id(row.value) if is_class else None,
        "note": printable(row.note),
        "done": item is not None and _is_done(workspace, row, item),
    }


def _is_done(workspace: Workspace, row: Correction, item: Item) -> bool:
    """Return whether an image is as a correction wants it; one that only asks to look never is."""
    if row.action == "exclude":
        return workspace.marks.is_excluded(item)
    return row.action == "relabel" and workspace.marks.label(item) == row.value


def ids_of(workspace: Workspace, auditing: Auditing, code: str) -> tuple[str, ...]:
    """Return the images of all findings of a code, in the order of the findings."""
    files = dict.fromkeys(
        file for number in auditing.numbers_of(code) for file in auditing.finding(number).files
    )
    by_file = workspace.listing.by_file
    return tuple(by_file[file].id for file in files if file in by_file)


def by_image(auditing: Auditing, item: Item) -> list[int]:
    """Return the numbers of the findings that concern an image."""
    numbers = auditing.numbers_of(None)
    return [number for number in numbers if item.file in auditing.finding(number).files]


def proposed(auditing: Auditing, numbers: Sequence[int]) -> list[Correction]:
    """Return the corrections that findings propose, without contradictions."""
    return corrections_of([auditing.finding(number) for number in numbers])


def difference(workspace: Workspace, finding: Finding, place: int) -> tuple[bytes, str]:
    """Return how an image of a finding differs from its first one; see `difference_of`.

    Raises:
        Problem: If there is no such image, or if the images of the finding are no copies.
        ImageError: If an image cannot be read.
    """
    places = others_first(finding)
    if layout_of(finding) != "pair" or not 0 < place < len(places):
        raise Problem(_("this finding has no such pair of images."), 404)
    files = [finding.files[places[0]], finding.files[places[place]]]
    items = [workspace.listing.by_file.get(file) for file in files]
    if None in items:
        raise Problem(_("an image of this finding is not there any more."), GONE)
    unit = None if workspace.listing.dataset is None else workspace.listing.dataset.unit
    first, other = (
        open_image(workspace.listing.content(item), unit) for item in items if item is not None
    )
    return difference_of(first, other, finding)
