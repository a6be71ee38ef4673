"""Corrections: a data set with the changes of one list or of several; no file is touched.

A list says which images are left out, belong to another class, or must stay in one split with
others. Several lists add up. What contradicts itself is refused, since obeying either row would be
a guess.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.correction_lists import Correction, CorrectionList, read_list
from convlens.data.dataset import Dataset, note_if, refuse_if
from convlens.data.image_names import Names
from convlens.data.joining import join
from convlens.data.limited import some_of
from convlens.files import and_more
from convlens.language import N_, _

EMPTIED = N_("classes that the lists leave without an image are dropped: {classes}")


@dataclass(frozen=True)
class UsedList:
    """A list that was obeyed, for the record of a run.

    Attributes:
        list: The list.
        counts: The number of images by action, and of rows that match no image by "unmatched".
    """

    list: CorrectionList
    counts: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return what a run records of the list."""
        runs = sorted({one.run for one in self.list.corrections if one.run})
        return {
            "from": str(self.list.path.absolute()),
            "sha256": self.list.sha256,
            **self.counts,
            **({"runs": runs} if runs else {}),
        }


@dataclass(frozen=True)
class _Order:
    """A row of a list that concerns an image of the data set."""

    index: int
    row: Correction
    path: Path


def obey(dataset: Dataset, paths: Sequence[str | Path]) -> Dataset:
    """Return a data set with the corrections of some lists.

    Args:
        dataset: The images.
        paths: The lists.

    Raises:
        DataError: If a list cannot be read or obeyed, if two rows contradict each other, if no row
            of a list matches an image, or if no image is left.
    """
    names = Names(dataset)
    orders: list[_Order] = []
    used: list[UsedList] = []
    notes: list[str] = []
    for path in paths:
        read = read_list(path)
        found = [(names.find(row.file), row) for row in read.corrections]
        lost = [row for index, row in found if index is None]
        own = [_Order(index, row, read.path) for index, row in found if index is not None]
        _require_matches(dataset, read, lost)
        notes += note_if(
            lost,
            _("{path}: rows that match no image are passed over ({number:,}): {rows}"),
            path=path,
            number=len(lost),
            rows=_named(lost),
        )
        counts = Counter(
            row.action for row in {(o.index, o.row.action): o.row for o in own}.values()
        )
        used.append(UsedList(read, {**counts, "unmatched": len(lost)}))
        orders += own
    _refuse_contradictions(orders)
    corrected = _relabelled(dataset, orders)
    corrected = _grouped(corrected, orders)
    corrected = _without_excluded(corrected, orders)
    corrected, emptied = _without_empty_classes(corrected, dataset)
    notes += [_said(one) for one in used]
    notes += note_if(
        emptied,
        _(EMPTIED),
        classes=and_more(emptied),
    )
    return replace(corrected, notes=(*corrected.notes, *notes), lists=(*dataset.lists, *used))


def _said(used: UsedList) -> str:
    counts = Counter(used.counts)
    return _(
        "{path}: images that are left out: {excluded:,}; that have another label: {relabelled:,}; "
        "that are kept together: {grouped:,}"
    ).format(
        path=used.list.path,
        excluded=counts["exclude"],
        relabelled=counts["relabel"],
        grouped=counts["group"],
    )


def _named(rows: Sequence[Correction]) -> str:
    shown = [_("row {row} {file!r}").format(row=row.row, file=row.file) for row in rows[:3]]
    return and_more(shown, 3, total=len(rows))


def _require_matches(dataset: Dataset, read: CorrectionList, lost: Sequence[Correction]) -> None:
    refuse_if(
        lost and len(lost) == len(read.corrections),
        _(
            "{path}: the rows of a list must name images of {folder}; none does: {rows}. Names are "
            "relative to that folder."
        ),
        path=read.path,
        folder=dataset.path if isinstance(dataset.images, np.ndarray) else dataset.folder,
        rows=_named(lost),
    )


def _refuse_contradictions(orders: Sequence[_Order]) -> None:
    """Raise DataError if rows say different things about one image.

    An image can be in several groups, and one that is left out may have a group as well.
    """
    first: dict[int, _Order] = {}
    for order in orders:
        if order.row.action not in ("exclude", "relabel"):
            continue
        before = first.setdefault(order.index, order)
        said = (before.row.action, before.row.value)
        says = (order.row.action, order.row.value)
        refuse_if(
            before.row.action != order.row.action or (said != says and said[0] == "relabel"),
            _(
                "{path}: row {row} contradicts row {other} of {other_path} on {file!r}: {says} and "
                "{said}. Delete one of the two rows."
            ),
            path=order.path,
            row=order.row.row,
            other=before.row.row,
            other_path=before.path,
            file=order.row.file,
            says=" ".join(says).strip(),
            said=" ".join(said).strip(),
        )


def _relabelled(dataset: Dataset, orders: Sequence[_Order]) -> Dataset:
    labels = dataset.labels.copy()
    names = [unicodedata.normalize("NFC", name) for name in dataset.class_names]
    known = {name: number for number, name in enumerate(names)}
    # The value of a row has no blanks at its ends, and the name of a class may have some.
    known = {name.strip(): number for name, number in known.items()} | known
    for order in orders:
        if order.row.action != "relabel":
            continue
        name = unicodedata.normalize("NFC", order.row.value)
        refuse_if(
            name not in known,
            _(
                "{path}: row {row}: a new label must be one of the classes, {classes}; found "
                "{name!r}."
            ),
            path=order.path,
            row=order.row.row,
            classes=and_more(dataset.class_names, 10),
            name=order.row.value,
        )
        labels[order.index] = known[name]
    return replace(dataset, labels=labels)


def _grouped(dataset: Dataset, orders: Sequence[_Order]) -> Dataset:
    """Return the data set with groups that join its own with those of the lists.

    An image that has no group is a group of its own, under its name in lists.
    """
    said = [order for order in orders if order.row.action == "group"]
    if not said:
        return dataset
    own = dataset.groups
    if own is None:
        own = np.array([dataset.file_name(index) for index in range(len(dataset))])
    names, own_numbers = np.unique(own, return_inverse=True)
    values, numbers = np.unique([order.row.value for order in said], return_inverse=True)
    # The groups are nodes of a graph, and an image that is in two of them joins them.
    first = own_numbers.reshape(-1)[[order.index for order in said]]
    second = numbers.reshape(-1) + len(names)
    components = join(np.arange(len(names) + len(values)), first, second)
    # Each component has the name of the first group of the lists in it, or else its own name.
    named = {int(components[i]): str(name) for i, name in enumerate(names)}
    for i, value in reversed(list(enumerate(values))):
        named[int(components[len(names) + i])] = str(value)
    groups = np.array([named[int(components[number])] for number in own_numbers.reshape(-1)])
    return replace(dataset, groups=groups)


def _without_excluded(dataset: Dataset, orders: Sequence[_Order]) -> Dataset:
    excluded = [order.index for order in orders if order.row.action == "exclude"]
    if not excluded:
        return dataset
    kept = np.setdiff1d(np.arange(len(dataset)), excluded)
    refuse_if(
        not len(kept),
        _("{source}: the lists leave out every image. Nothing is left to train on."),
        source=dataset.source,
    )
    return some_of(dataset, kept)


def _without_empty_classes(dataset: Dataset, before: Dataset) -> tuple[Dataset, list[str]]:
    """Return the data set without the classes that have lost all images, and their names."""
    emptied = (dataset.counts() == 0) & (before.counts() > 0)
    if not emptied.any():
        return dataset, []
    numbers = np.cumsum(~emptied) - 1
    names = np.array(dataset.class_names, dtype=object)
    kept = replace(
        dataset, labels=numbers[dataset.labels], class_names=tuple(names[~emptied].tolist())
    )
    return kept, names[emptied].tolist()
