"""Import content: what the images of an import are, and which classes `train` would find there."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.dataset import Dataset
from convlens.data.sources import load_to_check
from convlens.data.walk import walk
from convlens.errors import DataError
from convlens.language import _
from convlens.studio.imports import Waiting
from convlens.studio.problem import Problem
from convlens.studio.staged import TABLES


def understood(one: Waiting) -> Dataset:
    """Return the images of an import as `train` would find them.

    Where the folders name no classes, and there is one table, the table does.

    Raises:
        DataError: If no layout is recognised.
        Problem: If a table names files that lie elsewhere.
    """
    found = walk(one.content)
    tables = _tables(found.folders, one.content)
    if not found.images and not tables:
        raise Problem(_("There is no image among these files that can be read."), field="files")
    try:
        dataset = load_to_check(str(one.content))
        is_told = dataset.num_classes > 1 or len(tables) != 1
    except DataError as error:
        is_told = False
        if len(tables) != 1:
            raise Problem(
                _(
                    "Neither the folders nor the names of these images say which class each "
                    "belongs to."
                )
            ) from error
    if not is_told:
        try:
            dataset = load_to_check(str(tables[0]))
        except DataError as error:
            raise Problem(_without(one, error.args[0])) from error
    root = one.content.resolve()
    if isinstance(dataset.images, np.ndarray):
        raise DataError(_("an import must have image files; found arrays."))
    for path in dataset.images:
        if not path.resolve().is_relative_to(root):
            raise Problem(
                _(
                    "a table of an import may name its own files only; {name} lies elsewhere."
                ).format(name=path.name)
            )
    return dataset


def _tables(folders: Iterable[Path], root: Path) -> list[Path]:
    return [
        path
        for folder in (root, *folders)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in TABLES
    ]


def said_of(one: Waiting, dataset: Dataset) -> dict[str, Any]:
    """Return what a page shows of an import before it is added."""
    counts = dataset.counts().tolist()
    return {
        "kind_text": dataset.kind,
        "classes": [
            {"name": name, "images": number}
            for name, number in zip(dataset.class_names, counts, strict=True)
        ],
        "images": len(dataset),
        "notes": notes_of(one, dataset),
    }


def notes_of(one: Waiting, dataset: Dataset) -> list[str]:
    """Return the notes on an import without the folder in which it waits."""
    texts = [_without(one, note) for note in dataset.notes]
    return [re.sub(rf"^{one.content.name}[:：] *", "", text) for text in texts]


def _without(one: Waiting, text: str) -> str:
    """Return a text without the folder in which an import waits."""
    place = str(one.content)
    return text.replace(f"{place}{os.sep}", "").replace(place, "…")


def said_of_all(one: Waiting, name: str) -> dict[str, Any]:
    """Return the same for images that all go to one class."""
    number = len(walk(one.content).images)
    classes = [{"name": name, "images": number}]
    return {"kind_text": "", "classes": classes, "images": number, "notes": []}
