"""Dataset: labelled images as a source describes them, before anything is decoded.

`check` says whether a classifier can be made of them, and `convlens.data.inspection` what they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlens.errors import DataError
from convlens.files import and_more, expanded
from convlens.language import N_, _, listed, sentences
from convlens.preprocess import ImageArray
from convlens.text import printable
from convlens.unit import Unit

if TYPE_CHECKING:
    from convlens.data.corrections import UsedList

# Names of splits, such as train, Training_Set, testset, images_val and train_images.
_SPLIT_NAME = r"(?:(?:images?|data)_)?(?:{word})(?:_?(?:sets?|data|images?))?"
SPLIT_NAMES = {
    "train": re.compile(_SPLIT_NAME.format(word="train|training")),
    "val": re.compile(_SPLIT_NAME.format(word="val|valid|validation|dev")),
    "test": re.compile(_SPLIT_NAME.format(word="test|testing")),
}
SPLITS = tuple(SPLIT_NAMES)
NAMED = 10  # classes in a message
CLASSES_HINT = N_("If the folders called train, val or test are classes, add --layout classes.")


def split_of(name: str) -> str | None:
    """Return the split that a folder name or a value in a table stands for, or None.

    >>> split_of("Training set"), split_of("dev"), split_of("cats")
    ('train', 'val', None)
    """
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return next((split for split, form in SPLIT_NAMES.items() if form.fullmatch(plain)), None)


def note_if(applies: object, template: str, **fields: object) -> list[str]:
    """Return a list with the note that the template gives, or an empty list if it does not apply.

    >>> note_if(True, "{number:,} are grey", number=2), note_if(False, "some are grey")
    (['2 are grey'], [])
    """
    return [template.format(**fields)] if applies else []


def refuse_if(wrong: object, template: str, **fields: object) -> None:
    """Raise an error with the message that the template gives if a rule is broken.

    Raises:
        DataError: If it is.

    >>> refuse_if(1 < 2, "{path}: two images are needed; found {found}.", path="a", found=1)
    Traceback (most recent call last):
    convlens.errors.DataError: a: two images are needed; found 1.
    """
    if wrong:
        raise DataError(template.format(**fields))


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
        unit: The unit with which deep arrays were converted to uint8, or None.
        labelled_by: Where the labels of the files of a folder come from: "folder" or "file".
            None for other sources.
        rows: (n,) the numbers of the images in the source, if some images of an array were left
            out; None if all are there.
        lists: The lists whose corrections were made, see `convlens.data.corrections`.
    """

    source: str
    kind: str
    images: Sequence[Path] | ImageArray
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    splits: NDArray[np.str_] | None = None
    groups: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = ()
    unit: Unit | None = None
    labelled_by: str | None = None
    rows: NDArray[np.int64] | None = None
    lists: tuple["UsedList", ...] = ()

    def __repr__(self) -> str:
        """Return one line, as a notebook shows it; the paths of all images would fill pages."""
        text = _("<Dataset {source}: {images:,} images in {classes:,} classes ({kind})>")
        said = text.format(
            source=printable(self.source),
            images=len(self),
            classes=self.num_classes,
            kind=self.kind,
        )
        return str(said)  # for what takes strings only, as pytest-xdist does

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """The number of classes, including those without an image."""
        return len(self.class_names)

    @property
    def training_size(self) -> int:
        """The number of images that the source has not set aside for validation or tests."""
        return len(self) if self.splits is None else int(np.sum(self.splits == "train"))

    @property
    def name(self) -> str:
        """A short name of the source, for titles and run folders; others may have the same."""
        path = Path(self.path)
        if not path.exists():
            return self.source
        return (path.name if path.is_dir() else path.stem) or "images"

    @property
    def path(self) -> str:
        """The absolute path of the source, or its name if it is a known data set."""
        path = expanded(self.source)
        return str(path.resolve()) if path.exists() else self.source

    def counts(self, split: str | None = None) -> NDArray[np.int64]:
        """Return (num_classes,) the number of images of each class, in one split or in all."""
        labels = self.labels
        if split is not None:
            labels = labels[self.splits == split] if self.splits is not None else labels[:0]
        return np.bincount(labels, minlength=self.num_classes).astype(np.int64)

    def absent(self, split: str) -> list[str]:
        """Return the names of the classes that have no image in a split."""
        return [self.class_names[label] for label in np.flatnonzero(self.counts(split) == 0)]

    def image_name(self, index: int) -> str:
        """Return the name of an image for messages: its path, or its number in the array."""
        if isinstance(self.images, np.ndarray):
            return _("image {index}").format(index=self.file_name(index))
        return str(self.images[index])

    @cached_property
    def folder(self) -> Path:
        """The absolute path of the folder to which the names of image files are relative."""
        path = expanded(self.source)
        return path.absolute() if path.is_dir() else path.resolve().parent

    def file_name(self, index: int) -> str:
        """Return the name of an image in lists: its path inside the folder, or its number.

        It stays the same when the folder is moved. Folders are separated by slashes on all systems.
        """
        if isinstance(self.images, np.ndarray):
            return str(index if self.rows is None else self.rows[index])
        path = self.images[index].absolute()
        inside = path.is_relative_to(self.folder)
        return (path.relative_to(self.folder) if inside else path).as_posix()

    def with_classes(self, class_names: tuple[str, ...]) -> "Dataset":
        """Return the same images with labels that are indices into other class names.

        Args:
            class_names: Names that include all classes of this data set.

        Raises:
            DataError: If the images have a class that is not among them.
        """
        unknown = [name for name in self.class_names if name not in class_names]
        refuse_if(
            unknown,
            _(
                "{source}: every class must be one that the classifier knows ({known}); found "
                "{unknown}, too."
            ),
            source=self.source,
            known=and_more(class_names, NAMED),
            unknown=and_more(unknown, NAMED),
        )
        numbers = np.array([class_names.index(name) for name in self.class_names])
        return replace(self, labels=numbers[self.labels], class_names=class_names)


def check(dataset: Dataset) -> None:
    """Check that a classifier can be made of a data set.

    Each class needs two images: one to train on and one to measure with. If the source splits its
    images, each class needs one training image.

    Raises:
        DataError: If there is only one class, or if a class has too few images.
    """
    if dataset.num_classes < 2:
        message = _(
            "{source}: a classifier needs two classes or more; found one class only, '{name}' "
            "({kind})."
        )
        hint = dataset.labelled_by is not None and dataset.splits is not None
        raise DataError(
            sentences(
                message.format(
                    source=dataset.source, name="".join(dataset.class_names), kind=dataset.kind
                ),
                _(CLASSES_HINT) if hint else "",
            )
        )
    counts = dataset.counts()
    few = [f"'{dataset.class_names[i]}' ({counts[i]})" for i in np.flatnonzero(counts < 2)]
    refuse_if(
        few,
        _(
            "{source}: each class needs 2 images or more; too few in {classes} ({kind}). Add "
            "images, or remove the class."
        ),
        source=dataset.source,
        classes=and_more(few),
        kind=dataset.kind,
    )
    if dataset.splits is None:
        return
    refuse_if(
        "train" not in dataset.splits,
        _("{source}: there must be images to train on; found only {splits} ({kind})."),
        source=dataset.source,
        splits=listed(np.unique(dataset.splits)),
        kind=dataset.kind,
    )
    untrained = [f"'{name}'" for name in dataset.absent("train")]
    refuse_if(
        untrained,
        _("{source}: each class needs images to train on; none in train for {classes} ({kind})."),
        source=dataset.source,
        classes=and_more(untrained),
        kind=dataset.kind,
    )
