"""Dataset: images with labels, as a source describes them, before anything is decoded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.errors import DataError

SPLITS = ("train", "val", "test")
SPLIT_NAMES = {
    "train": ("train", "training", "training_set", "trainset", "train_set"),
    "val": (
        "val",
        "valid",
        "validation",
        "validation_set",
        "val_set",
        "valid_set",
        "valset",
        "dev",
    ),
    "test": ("test", "testing", "test_set", "testset"),
}


def split_of(name: str) -> str | None:
    """Return the split that people mean by a name of a folder or a value in a table.

    >>> split_of("Training set"), split_of("dev"), split_of("cats")
    ('train', 'val', None)
    """
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return next((split for split, names in SPLIT_NAMES.items() if plain in names), None)


def natural_key(name: str) -> tuple[list[int | str], str]:
    """Return the key that sorts numbers inside names by value.

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
        source: what the user named: a path or the name of a known set.
        kind: how it was recognised, in words: "a folder per class".
        images: n paths of image files, or an array (n, height, width) or (n, height, width, channels) of uint8,
            which may be memory-mapped.
        labels: (n,) int64, indices into class_names.
        class_names: num_classes names, in the order of the probabilities that a classifier answers.
        splits: (n,) of "train", "val", "test", or None where the source does not divide its images.
        groups: (n,) of names; images of one group stay in one split. None where the source has none.
        notes: remarks for the user: what was passed over and why.
    """

    source: str
    kind: str
    images: Sequence[Path] | NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    splits: NDArray[np.str_] | None = None
    groups: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """Number of classes, also of those without an image."""
        return len(self.class_names)

    @property
    def name(self) -> str:
        """Short name of the source, for titles and run folders."""
        return Path(self.source).resolve().stem if Path(self.source).exists() else self.source

    def counts(self, split: str | None = None) -> NDArray[np.int64]:
        """Return (num_classes,) images of each class, in one split or in all."""
        labels = self.labels
        if split is not None:
            labels = labels[self.splits == split] if self.splits is not None else labels[:0]
        return np.bincount(labels, minlength=self.num_classes).astype(np.int64)

    def image_name(self, index: int) -> str:
        """Return what a message or a report calls an image: its path, or its number in the array."""
        if isinstance(self.images, np.ndarray):
            return f"image {index}"
        return str(self.images[index])

    def with_classes(self, class_names: tuple[str, ...]) -> "Dataset":
        """Return the images with labels numbered as `class_names` numbers them.

        Raises:
            DataError: the images have a class that is not among them.
        """
        unknown = [name for name in self.class_names if name not in class_names]
        if unknown:
            raise DataError(
                f"{self.source}: every class must be one that the classifier knows ({', '.join(class_names)}); "
                f"found {', '.join(unknown)} too."
            )
        numbers = np.array([class_names.index(name) for name in self.class_names])
        return replace(self, labels=numbers[self.labels], class_names=class_names)
