"""Dataset: labelled images as a source describes them, before anything is decoded."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import DataError
from convlens.files import and_more
from convlens.preprocess import ImageArray

# fmt: off
SPLIT_NAMES = {
    "train": ("train", "training", "training_set", "trainset", "train_set"),
    "val": (
        "val", "valid", "validation", "validation_set", "val_set", "valid_set", "valset", "dev",
    ),
    "test": ("test", "testing", "test_set", "testset"),
}
# fmt: on
SPLITS = tuple(SPLIT_NAMES)


def split_of(name: str) -> str | None:
    """Return the split that a folder name or a value in a table stands for, or None.

    >>> split_of("Training set"), split_of("dev"), split_of("cats")
    ('train', 'val', None)
    """
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return next((split for split, names in SPLIT_NAMES.items() if plain in names), None)


def natural_key(name: str) -> tuple[list[int | str], str]:
    """Return the key that sorts the numbers inside names by their value.

    >>> sorted(["10", "9", "b2", "b10"], key=natural_key)
    ['9', '10', 'b2', 'b10']
    """
    parts: list[int | str] = [part.casefold() for part in re.split(r"(\d+)", name)]
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, name


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images.

    Attributes:
        source: What the user named: a path, or the name of a known data set.
        kind: How the source was recognised, in words: "a folder per class".
        images: The paths of n image files, or a uint8 array (n, height, width) or
            (n, height, width, channels), which may be memory-mapped.
        labels: (n,) int64, indices into `class_names`.
        class_names: The names of the classes, in the order of the predicted probabilities.
        splits: (n,) "train", "val" or "test", or None if the source does not split its images.
        groups: (n,) names of groups, or None if the source has none. The images of a group stay in
            one split.
        notes: Remarks for the user, such as what was ignored and why.
    """

    source: str
    kind: str
    images: Sequence[Path] | ImageArray
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    splits: NDArray[np.str_] | None = None
    groups: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """The number of classes, including those without an image."""
        return len(self.class_names)

    @property
    def name(self) -> str:
        """A short name of the source, for titles and run folders."""
        return Path(self.source).resolve().stem if Path(self.source).exists() else self.source

    def counts(self, split: str | None = None) -> NDArray[np.int64]:
        """Return (num_classes,) the number of images of each class, in one split or in all."""
        labels = self.labels
        if split is not None:
            labels = labels[self.splits == split] if self.splits is not None else labels[:0]
        return np.bincount(labels, minlength=self.num_classes).astype(np.int64)

    def absent(self, split: str) -> list[str]:
        """Return the names of the classes that have no image in a split."""
        counts = self.counts(split)
        return [name for name, n in zip(self.class_names, counts, strict=True) if n == 0]

    def image_name(self, index: int) -> str:
        """Return the name of an image for messages: its path, or its number in the array."""
        if isinstance(self.images, np.ndarray):
            return f"image {index}"
        return str(self.images[index])

    def with_classes(self, class_names: tuple[str, ...]) -> "Dataset":
        """Return the same images with labels that are indices into other class names.

        Args:
            class_names: Names that include all classes of this data set.

        Raises:
            DataError: If the images have a class that is not among them.
        """
        unknown = [name for name in self.class_names if name not in class_names]
        if unknown:
            raise DataError(
                "{source}: every class must be one that the classifier knows ({known}); found "
                "{unknown}, too.".format(
                    source=self.source, known=", ".join(class_names), unknown=", ".join(unknown)
                )
            )
        numbers = np.array([class_names.index(name) for name in self.class_names])
        return replace(self, labels=numbers[self.labels], class_names=class_names)


def encode_labels(
    labels: Sequence[NDArray[Any]], class_names: Sequence[str] | None, where: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return ((n,) class indices, class names) of the labels of all splits.

    Args:
        labels: One array of numbers or of text for each split.
        class_names: The names of the classes. A number is an index into them, and a text is one of
            them. None takes the values that occur, in natural order.
        where: The file, for messages.

    Raises:
        DataError: If numbers and text are mixed, a label is negative or is not among the class
            names, or a class name is repeated.
    """
    if len({values.dtype.kind for values in labels}) > 1:
        raise DataError(
            "{where}: labels must be all numbers or all text; found both.".format(where=where)
        )
    repeated = [name for name, number in Counter(class_names or ()).items() if number > 1]
    if repeated:
        raise DataError(
            "{where}: class_names must differ from each other; found {name!r} more than "
            "once.".format(where=where, name=repeated[0])
        )
    joined = np.concatenate(labels)
    if joined.dtype.kind != "U" and class_names is not None:
        _require_range(joined, len(class_names), where)
        return joined, tuple(class_names)
    values, indices = np.unique(joined, return_inverse=True)
    if values.dtype.kind != "U" and values.min() < 0:
        raise DataError(
            "{where}: labels must be 0 or more; found {label} at row {row}.".format(
                where=where, label=values.min(), row=joined.argmin()
            )
        )
    found = [str(value) for value in values]
    names = list(class_names or sorted(found, key=natural_key))
    unknown = [name for name in found if name not in names]
    if unknown:
        raise DataError(
            "{where}: labels must be among class_names; found {unknown}.".format(
                where=where, unknown=and_more(unknown, 3)
            )
        )
    return np.array([names.index(name) for name in found], np.int64)[indices], tuple(names)


def _require_range(labels: NDArray[np.int64], num_classes: int, where: str) -> None:
    """Raise DataError for labels that are no index of a class."""
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(wrong):
        raise DataError(
            "{where}: labels must be 0 to {last}, as there are {number} class_names; found {label} "
            "at row {row} ({wrong:,} such).".format(
                where=where,
                last=num_classes - 1,
                number=num_classes,
                label=labels[wrong[0]],
                row=wrong[0],
                wrong=len(wrong),
            )
        )
