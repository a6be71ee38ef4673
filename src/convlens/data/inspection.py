"""The gate before training: what the images are, and whether a classifier can be made of them."""

import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.dataset import SPLITS, Dataset
from convlens.errors import DataError, ImageError
from convlens.preprocess import Header, read_header

AUTO_SAMPLE = 20_000  # headers read where the caller does not say; some 10 s from a cold disk
ARRAY_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Inspection:
    """What is known of a data set without decoding its images; plain data.

    Attributes:
        source: what the user named.
        kind: how it was recognised.
        num_images: number of images.
        class_names: the classes, in order.
        counts: images of each class, in order of class_names, by split; key "all" for all together.
        imbalance: images of the largest class divided by those of the smallest that has any.
        inspected: number of images whose header was read; less than num_images where a sample was drawn.
        widths: (smallest, median, largest), pixels, upright; zeros where no header can be read.
        heights: likewise.
        common_size: (width, height) that most images have.
        common_size_share: share of the inspected images that have it.
        modes: images by Pillow's mode: "L" grey, "RGB", "RGBA", "P" palette, "CMYK", "I;16".
        formats: images by file format, "array" for arrays.
        unreadable: number of the inspected images whose header cannot be read, or that are too large.
        unreadable_examples: the first of them, with the reason.
        notes: what was passed over while looking.
    """

    source: str
    kind: str
    num_images: int
    class_names: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    imbalance: float
    inspected: int
    widths: tuple[int, int, int]
    heights: tuple[int, int, int]
    common_size: tuple[int, int]
    common_size_share: float
    modes: dict[str, int]
    formats: dict[str, int]
    unreadable: int
    unreadable_examples: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


def inspect(dataset: Dataset, sample: int | None = None) -> Inspection:
    """Return sizes, modes, formats and counts of a data set; of image files only the headers are read.

    Args:
        dataset: any data set.
        sample: number of headers to read, spread evenly; where not given, at most 20,000.
    """
    by_split = {"all": dataset.counts()}
    if dataset.splits is not None:
        by_split |= {split: dataset.counts(split) for split in SPLITS if split in dataset.splits}
    present = by_split["all"][by_split["all"] > 0]
    headers, problems = _headers(dataset, sample or AUTO_SAMPLE)
    sizes = Counter(header.size for header in headers)
    common, times = sizes.most_common(1)[0] if sizes else ((0, 0), 0)
    return Inspection(
        source=dataset.source,
        kind=dataset.kind,
        num_images=len(dataset),
        class_names=dataset.class_names,
        counts={split: tuple(int(n) for n in counts) for split, counts in by_split.items()},
        imbalance=float(present.max() / present.min()) if len(present) else 1.0,
        inspected=len(headers) + len(problems),
        widths=_spread([header.size[0] for header in headers]),
        heights=_spread([header.size[1] for header in headers]),
        common_size=common,
        common_size_share=times / max(1, len(headers) + len(problems)),
        modes=dict(Counter(header.mode for header in headers).most_common()),
        formats=dict(Counter(header.format for header in headers).most_common()),
        unreadable=len(problems),
        unreadable_examples=tuple(problems[:5]),
        notes=dataset.notes,
    )


def _spread(values: list[int]) -> tuple[int, int, int]:
    return (min(values), int(np.median(values)), max(values)) if values else (0, 0, 0)


def _headers(dataset: Dataset, sample: int) -> tuple[list[Header], list[str]]:
    """Return the headers that can be read and a line for each that cannot."""
    if isinstance(dataset.images, np.ndarray):
        _, height, width, *channels = dataset.images.shape
        mode = ARRAY_MODES[channels[0] if channels else 1]
        return [Header((width, height), mode, "array")] * len(dataset), []
    paths: Sequence[Path] = dataset.images
    if len(paths) > sample:
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, sample).astype(int)]
    with warnings.catch_warnings(), ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("ignore")  # Pillow's remarks on odd headers; decoding will tell
        found = list(pool.map(_header, paths))
    return [h for h in found if isinstance(h, Header)], [h for h in found if isinstance(h, str)]


def _header(path: Path) -> Header | str:
    """Return the header of an image file, or why it cannot be read."""
    try:
        return read_header(path)
    except ImageError as error:
        return str(error)


def check(dataset: Dataset) -> None:
    """Raise DataError where no classifier can be made: one class only, or a class with too few images.

    Each class needs two images (one to learn, one to measure with); where the source divides them, one for training.
    """
    found = f"({dataset.kind})"
    if dataset.num_classes < 2:
        raise DataError(
            f"{dataset.source}: a classifier needs two classes or more; found one class only, "
            f"'{''.join(dataset.class_names)}' {found}."
        )
    few = np.flatnonzero(dataset.counts() < 2)
    if len(few):
        names = [f"'{dataset.class_names[i]}' ({dataset.counts()[i]})" for i in few]
        raise DataError(
            f"{dataset.source}: each class needs 2 images or more; too few in {_list(names)} {found}. "
            "Add images, or take the class out."
        )
    if dataset.splits is None:
        return
    if "train" not in dataset.splits:
        splits = sorted(set(dataset.splits.tolist()))
        raise DataError(
            f"{dataset.source}: there must be images to train on; found only {', '.join(splits)} {found}."
        )
    absent = [
        f"'{name}'"
        for name, n in zip(dataset.class_names, dataset.counts("train"), strict=True)
        if n == 0
    ]
    if absent:
        raise DataError(
            f"{dataset.source}: each class needs images to train on; none in train for {_list(absent)} {found}."
        )


def _list(names: Sequence[str], most: int = 5) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
