"""Dataset: labelled images as a source describes them, before anything is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.errors import DataError
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


def note_if(applies: object, template: str, **fields: object) -> list[str]:
    """Return a list with the note that the template gives, or an empty list if it does not apply.

    >>> note_if(True, "{number:,} are grey", number=2), note_if(False, "some are grey")
    (['2 are grey'], [])
    """
    return [template.format(**fields)] if applies else []


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
