"""Cleaned: a copy of a data set for other tools, without the images that corrections leave out.

The copy has a folder for each split and class. Files are copied as they are and never decoded; the
images of arrays become PNG files. `manifest.csv` says where each image comes from, where it went,
and why it has another label or is missing.
"""

import csv
import io
import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.data.correction_lists import Correction
from convlens.data.dataset import Dataset
from convlens.data.decoding import Progress
from convlens.errors import ConfigError
from convlens.files import numbered, storage_errors
from convlens.hidden import give_name, hidden_folder
from convlens.language import _
from convlens.text import as_cell, printable

MANIFEST = "manifest.csv"
COLUMNS = ("source", "target", "label", "split", "why")
VANISHED = "missing_file"  # a code of `convlens.audit.codes`
REPORTED = 256  # images between two reports of progress
# What Windows does not allow in names, or as names.
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class Cleaned:
    """What was written.

    Attributes:
        folder: The copy.
        copied: The number of images in it.
        excluded: The number of images that corrections leave out.
        relabelled: The number of images in it that have another label.
        missing: The names of the files that could not be opened any more.
    """

    folder: Path
    copied: int
    excluded: int
    relabelled: int
    missing: tuple[str, ...]


def export_cleaned(
    dataset: Dataset,
    folder: str | Path,
    corrections: Sequence[Correction],
    progress: Progress | None = None,
) -> Cleaned:
    """Write a cleaned copy of a data set into a new folder.

    Args:
        dataset: The images. Its splits, if it has some, become folders.
        folder: The folder to write, which must not exist and must not lie in that of the images.
        corrections: Which images are left out or get another label. Other actions change nothing
            here. An image that is both left out and relabelled is left out.
        progress: Called with the number of images that are done, and of all.

    Raises:
        ConfigError: If the folder exists, or lies among the images.
        StorageError: If it cannot be written. Nothing is left of it then.
    """
    folder = Path(folder)
    refuse_place(dataset, folder)
    with storage_errors(folder, _("the cleaned copy")), hidden_folder(folder) as hidden:
        copy = _Copy(dataset, hidden, corrections)
        for index in range(len(dataset)):
            copy.add(index)
            if progress is not None and (index + 1) % REPORTED == 0:
                progress(index + 1, len(dataset))
        copy.write_manifest()
        give_name(hidden, folder)
    return Cleaned(
        folder=folder,
        copied=copy.counts["copied"],
        excluded=copy.counts["excluded"],
        relabelled=copy.counts["relabelled"],
        missing=tuple(copy.missing),
    )


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that exists.

    Raises:
        ConfigError: If it does.
    """
    if os.path.lexists(folder):
        raise ConfigError(
            _("{folder}: this folder exists; give another one, or move it away.").format(
                folder=folder
            )
        )


def refuse_place(dataset: Dataset, folder: Path) -> None:
    """Raise ConfigError if the folder exists, or lies in the folder of the images."""
    refuse_existing(folder)
    inside = not isinstance(dataset.images, np.ndarray)
    if inside and Path(dataset.path).is_dir() and folder.resolve().is_relative_to(dataset.path):
        raise ConfigError(
            _(
                "{folder}: a cleaned copy must not lie in {source}, where its images would be "
                "found again as copies; give a folder elsewhere."
            ).format(folder=folder, source=dataset.source)
        )


class _Copy:
    """A copy that is being written.

    Args:
        dataset: The images.
        folder: The folder to write into.
        corrections: See `export_cleaned`.
    """

    def __init__(self, dataset: Dataset, folder: Path, corrections: Sequence[Correction]) -> None:
        self.counts: Counter[str] = Counter()
        self.missing: list[str] = []
        self._dataset = dataset
        self._folder = folder
        self._excluded = {one.file: one for one in corrections if one.action == "exclude"}
        self._relabelled = {one.file: one for one in corrections if one.action == "relabel"}
        self._folders: dict[tuple[str, str], Path] = {}
        self._taken = {_folded(folder / MANIFEST)}
        self._tried: Counter[str] = Counter()
        self._rows: list[tuple[str, ...]] = []

    def add(self, index: int) -> None:
        """Copy an image, or note why it is not copied."""
        name = self._dataset.file_name(index)
        split = "" if self._dataset.splits is None else str(self._dataset.splits[index])
        label = self._dataset.class_names[self._dataset.labels[index]]
        why = ""
        if (relabelled := self._relabelled.get(name)) is not None:
            label = relabelled.value
            why = relabelled.code or relabelled.action
        if (excluded := self._excluded.get(name)) is not None:
            self.counts["excluded"] += 1
            self._rows.append((name, "", label, split, excluded.code or excluded.action))
            return
        target = self._target(index, split, label)
        try:
            self._write(index, target)
        except _VanishedError:
            self.missing.append(self._dataset.image_name(index))
            self._rows.append((name, "", label, split, VANISHED))
            return
        self.counts["copied"] += 1
        self.counts["relabelled"] += relabelled is not None
        self._rows.append((name, target.relative_to(self._folder).as_posix(), label, split, why))

    def _target(self, index: int, split: str, label: str) -> Path:
        """Return the file for an image; its folder exists."""
        folder = self._folders.get((split, label))
        if folder is None:
            folder = self._free(self._folder / split / _allowed(label))
            folder.mkdir(parents=True)
            self._folders[split, label] = folder
        image = self._dataset.images[index]
        is_file = isinstance(image, Path)
        name = _allowed(image.name) if is_file else f"{self._dataset.file_name(index)}.png"
        return self._free(folder / name, Path(name).suffix)

    def _free(self, path: Path, suffix: str = "") -> Path:
        """Return a path, or the same with a number, that no other one of the copy is equal to.

        Some file systems do not tell capital letters from small ones, or composed characters.
        """
        # Many images may be called 1.jpg, so the numbers that are taken are not tried again.
        tried = self._tried[_folded(path)]
        free = next(
            one for one in islice(numbered(path, suffix), tried, None) if self._is_free(one)
        )
        self._taken.add(_folded(free))
        self._tried[_folded(path)] = tried + 1
        return free

    def _is_free(self, path: Path) -> bool:
        return _folded(path) not in self._taken

    def _write(self, index: int, target: Path) -> None:
        image = self._dataset.images[index]
        if isinstance(image, np.ndarray):
            plain = image[..., 0] if image.shape[2:] == (1,) else image
            Image.fromarray(np.ascontiguousarray(plain)).save(target)
            return
        try:
            source = image.open("rb")
        except (OSError, ValueError) as error:
            raise _VanishedError from error
        with source, target.open("xb") as file:
            shutil.copyfileobj(source, file)

    def write_manifest(self) -> None:
        """Write the list of all images, in which names that are not UTF-8 are escaped."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows([as_cell(printable(cell)) for cell in row] for row in self._rows)
        (self._folder / MANIFEST).write_bytes(text.getvalue().encode())


class _VanishedError(Exception):
    """An image file cannot be opened any more."""


def _folded(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


def _allowed(name: str) -> str:
    """Return a name that all systems allow for a file or a folder.

    >>> _allowed("cats/dogs"), _allowed("con"), _allowed(".hidden "), _allowed("貓")
    ('cats_dogs', 'con_', '_.hidden', '貓')
    """
    plain = FORBIDDEN.sub("_", name).rstrip(". ")
    if RESERVED.fullmatch(plain):
        plain = f"{plain}_"
    # A file whose name begins with a dot is hidden, and most programs pass it over.
    return f"_{plain}" if not plain or plain.startswith(".") else plain
