"""Prepared: a dataset decoded, checked and divided, ready to train on."""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.config import Config, DataConfig
from convlens.data.dataset import SPLITS, Dataset
from convlens.data.splits import Splits, clusters_of, make_splits
from convlens.data.store import Progress, Store, fingerprint, open_store
from convlens.errors import ConfigError, ImageError
from convlens.preprocess import Preprocessing, read_header

LARGEST_AUTO = 96  # pixels: larger images are brought to DEFAULT_SIDE unless a size is given
DEFAULT_SIDE = 64
LOOKED_AT = 200  # image headers that decide size and channels


@dataclass(frozen=True)
class Demands:
    """What a network asks of its images.

    Attributes:
        scale: what it wants pixels multiplied with.
        shape: (height, width, channels), None where any goes.
        least_side: pixels; a size that was not configured is enlarged to it.
    """

    scale: float = 1 / 255
    shape: tuple[int | None, int | None, int | None] = (None, None, None)
    least_side: int | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A dataset with its decoded images and its division.

    `enlarged_from` is the (height, width) that the images suggested where it was too small for the network;
    `more_notes` are what the network has to say of the images.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    store: Store
    splits: Splits
    enlarged_from: tuple[int, int] | None = None
    more_notes: tuple[str, ...] = ()

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """(n,) numbers that are equal for exact copies and for one group."""
        return clusters_of(self.store.digests, self.dataset.groups)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of contents, labels and class names."""
        return fingerprint(self.store, self.dataset.labels, self.dataset.class_names)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: of the source, of unreadable images, of the division."""
        problems = self.store.problems
        notes = list(self.dataset.notes)
        if problems:
            notes.append(
                f"{len(problems):,} of {len(self.dataset):,} images cannot be read and are skipped"
            )
            notes += [f"skipped {message}" for message in list(problems.values())[:5]]
        if self.store.coloured:
            notes.append(
                f"{self.store.coloured:,} images have colour and were made grey; --channels rgb keeps it where the "
                "network takes it"
            )
        if self.enlarged_from is not None:
            height, width, _ = self.preprocessing.shape
            own = "{} x {}".format(*self.enlarged_from)
            notes.append(
                f"at {own} the images are too small for the network; they are brought to {height} x {width}"
            )
        copies, conflicts = _copies(self)
        if copies:
            notes.append(f"{copies:,} images are exact copies of another; copies stay in one set")
        if conflicts:
            notes.append(
                f"{conflicts:,} of these copies carry another label than the first: one of the two is wrong"
            )
        return (*notes, *self.more_notes, *self.splits.notes)

    def counts(self, split: str) -> list[int]:
        """Return the images of each class in "train", "val" or "test"."""
        labels = self.dataset.labels[getattr(self.splits, split)]
        return [int(count) for count in np.bincount(labels, minlength=self.dataset.num_classes)]

    def summary(self) -> dict[str, Any]:
        """Return what a classifier file records of its data."""
        return {
            "source": self.dataset.source,
            "kind": self.dataset.kind,
            "class_names": list(self.dataset.class_names),
            "images": len(self.dataset),
            "counts": {name: self.counts(name) for name in SPLITS},
            "fingerprint": self.fingerprint,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what `data.json` records: the summary, where the images lie, their division, the unreadable."""
        path = Path(self.dataset.source).expanduser()
        return {
            **self.summary(),
            "path": str(path.resolve()) if path.exists() else self.dataset.source,
            "notes": list(self.notes),
            "splits": {name: getattr(self.splits, name).tolist() for name in SPLITS},
            "unreadable": {name: why.removeprefix(f"{name}: ") for name, why in self._unreadable()},
        }

    def _unreadable(self) -> Iterator[tuple[str, str]]:
        return ((self.dataset.image_name(index), why) for index, why in self.store.problems.items())


def prepare_data(
    dataset: Dataset,
    config: Config,
    *,
    demands: Demands = Demands(),
    preprocessing: Preprocessing | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Decode, check and divide a dataset.

    Args:
        dataset: from `load_data`.
        config: its data section and seed decide.
        demands: of the network.
        preprocessing: of a finished classifier, taken as it is.
        progress: called with (images done, all images) while decoding.

    Raises:
        DataError: no image can be read, or a class has none to train on.
        StorageError: the cache folder cannot be written.
    """
    enlarged_from = None
    if preprocessing is None:
        suggested = choose_preprocessing(dataset, config.data, demands.scale)
        preprocessing = _as_demanded(suggested, demands, fixed=config.data.size != "auto")
        if demands.shape[:2] == (None, None) and preprocessing.height != suggested.height:
            enlarged_from = (suggested.height, suggested.width)
    store = open_store(dataset, preprocessing, progress)
    splits = make_splits(
        dataset.labels,
        dataset.class_names,
        clusters_of(store.digests, dataset.groups),
        store.usable,
        given=dataset.splits,
        val=config.data.val,
        test=config.data.test,
        seed=config.training.seed,
        limit=config.data.limit,
    )
    return Prepared(dataset, preprocessing, store, splits, enlarged_from)


def _as_demanded(preprocessing: Preprocessing, demands: Demands, *, fixed: bool) -> Preprocessing:
    """Return the shape that a network asks for: its own, or, where the size is not fixed, no side below its least.

    Enlarged only so far: a network made for 224 costs eleven times as much there as at 67. The aspect ratio stays.
    """
    height, width, channels = (
        asked or own for asked, own in zip(demands.shape, preprocessing.shape, strict=True)
    )
    least, side = demands.least_side or 0, min(height, width)
    if side < least and not fixed:
        height, width = -(-height * least // side), -(-width * least // side)
    return dataclasses.replace(preprocessing, height=height, width=width, channels=channels)


def choose_preprocessing(
    dataset: Dataset, config: DataConfig, scale: float = 1 / 255
) -> Preprocessing:
    """Return size, channels and fit: as configured, else what the images themselves suggest.

    Raises:
        ConfigError: the size is not of the form 64 or 48x64.
    """
    sizes, grey = look_at(dataset)
    if config.size == "auto":
        own = sizes.pop() if len(sizes) == 1 else None
        fits = own is not None and (
            max(own) <= LARGEST_AUTO or isinstance(dataset.images, np.ndarray)
        )
        height, width = own if own is not None and fits else (DEFAULT_SIDE, DEFAULT_SIDE)
    else:
        height, width = parse_size(config.size)
    channels = {"grey": 1, "rgb": 3, "auto": 1 if grey else 3}[config.channels]
    return Preprocessing(
        height, width, channels, "stretch" if config.fit == "auto" else config.fit, scale
    )


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) of "64" or "48x64". Raises ConfigError for anything else."""
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    height = int(match[1]) if match else 0
    width = int(match[2] or height) if match else 0
    if not (1 <= height <= 4096 and 1 <= width <= 4096):
        raise ConfigError(
            f"--size must be a side as 64, or height x width as 48x64, up to 4096; found {text!r}."
        )
    return height, width


def look_at(dataset: Dataset) -> tuple[set[tuple[int, int]], bool]:
    """Return the upright (height, width) met, and whether all are grey; of files, by the headers of an even sample."""
    images = dataset.images
    if isinstance(images, np.ndarray):
        return {(images.shape[1], images.shape[2])}, images.ndim == 3 or images.shape[3] == 1
    sizes, grey = set(), True
    for index in np.unique(np.linspace(0, len(images) - 1, LOOKED_AT).astype(int)):
        try:
            header = read_header(images[index])
        except ImageError:
            continue  # unreadable images are counted and named when they are decoded
        sizes.add((header.size[1], header.size[0]))
        grey = grey and header.is_grey
    return sizes, grey and bool(sizes)


def _copies(prepared: Prepared) -> tuple[int, int]:
    """Return how many images are exact copies of an earlier one, and how many of these have another label."""
    _, first, copies = np.unique(
        prepared.store.digests, axis=0, return_index=True, return_inverse=True
    )
    labels = prepared.dataset.labels
    conflicts = labels[first][copies.reshape(-1)] != labels
    return len(labels) - len(first), int(conflicts.sum())
