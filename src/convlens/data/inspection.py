"""Inspection: what the images are, and whether a classifier can be made of them."""

import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convlens.data.dataset import Dataset
from convlens.errors import DataError, ImageError
from convlens.files import and_more
from convlens.preprocess import Header, read_header

SAMPLE = 20_000  # headers; reading them takes some 10 s from a cold disk
ARRAY_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Inspection:
    """What is known of a data set without decoding its images; plain data.

    Attributes:
        imbalance: The size of the largest class divided by that of the smallest non-empty one.
        inspected: The number of images whose header was read; less than the number of images if a
            sample was drawn.
        widths: (smallest, median, largest) in pixels, upright; zeros if no header can be read.
        heights: As `widths`.
        common_size: The most frequent (width, height).
        common_size_share: The share of the inspected images that have this size.
        modes: The number of images by Pillow's mode: "L" (grey), "RGB", "RGBA", "P" (palette),
            "CMYK", "I;16".
        formats: The number of images by file format; "array" for arrays.
        unreadable: The number of inspected images that are too large or whose header cannot be
            read.
        unreadable_examples: The first of them, with the reason.
    """

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


def inspect(dataset: Dataset, sample: int | None = None) -> Inspection:
    """Return sizes, modes and formats of a data set; only the headers of files are read.

    Args:
        dataset: Any data set.
        sample: The number of headers to read, spread evenly. None reads at most 20,000.
    """
    counts = dataset.counts()
    present = counts[counts > 0]
    headers, problems = read_headers(dataset, sample or SAMPLE)
    inspected = len(headers) + len(problems)
    sizes = Counter(header.size for header in headers)
    common_size, times = sizes.most_common(1)[0] if sizes else ((0, 0), 0)
    return Inspection(
        imbalance=float(present.max() / present.min()) if len(present) else 1.0,
        inspected=inspected,
        widths=_spread([header.size[0] for header in headers]),
        heights=_spread([header.size[1] for header in headers]),
        common_size=common_size,
        common_size_share=times / max(1, inspected),
        modes=dict(Counter(header.mode for header in headers).most_common()),
        formats=dict(Counter(header.format for header in headers).most_common()),
        unreadable=len(problems),
        unreadable_examples=tuple(problems[:5]),
    )


def _spread(values: list[int]) -> tuple[int, int, int]:
    return (min(values), int(np.median(values)), max(values)) if values else (0, 0, 0)


def read_headers(dataset: Dataset, sample: int) -> tuple[list[Header], list[str]]:
    """Return the headers that can be read, and a message for each that cannot.

    Args:
        dataset: Any data set. An array has the same header for each of its images.
        sample: The largest number of files to read, spread evenly.
    """
    if isinstance(dataset.images, np.ndarray):
        _, height, width, *channels = dataset.images.shape
        mode = ARRAY_MODES[channels[0] if channels else 1]
        return [Header((width, height), mode, "array")] * len(dataset), []
    paths = list(dataset.images)
    if len(paths) > sample:
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, sample).astype(int)]
    with warnings.catch_warnings(), ThreadPoolExecutor(8) as pool:
        # Pillow warns of odd headers; whether the image is usable shows when it is decoded.
        warnings.simplefilter("ignore")
        found = list(pool.map(_read_header, paths))
    headers = [header for header in found if isinstance(header, Header)]
    problems = [problem for problem in found if isinstance(problem, str)]
    return headers, problems


def _read_header(path: Path) -> Header | str:
    """Return the header of an image file, or why it cannot be read."""
    try:
        return read_header(path)
    except ImageError as error:
        return str(error)


def check(dataset: Dataset) -> None:
    """Check that a classifier can be made of a data set.

    Each class needs two images: one to train on and one to measure with. If the source splits its
    images, each class needs one training image.

    Raises:
        DataError: If there is only one class, or if a class has too few images.
    """
    if dataset.num_classes < 2:
        raise DataError(
            "{source}: a classifier needs two classes or more; found one class only, '{name}' "
            "({kind}).".format(
                source=dataset.source, name="".join(dataset.class_names), kind=dataset.kind
            )
        )
    counts = dataset.counts()
    few = [f"'{dataset.class_names[i]}' ({counts[i]})" for i in np.flatnonzero(counts < 2)]
    if few:
        raise DataError(
            "{source}: each class needs 2 images or more; too few in {classes} ({kind}). Add "
            "images, or remove the class.".format(
                source=dataset.source, classes=and_more(few), kind=dataset.kind
            )
        )
    if dataset.splits is None:
        return
    if "train" not in dataset.splits:
        raise DataError(
            "{source}: there must be images to train on; found only {splits} ({kind}).".format(
                source=dataset.source,
                splits=", ".join(np.unique(dataset.splits)),
                kind=dataset.kind,
            )
        )
    untrained = [f"'{name}'" for name in dataset.absent("train")]
    if untrained:
        raise DataError(
            "{source}: each class needs images to train on; none in train for {classes} "
            "({kind}).".format(
                source=dataset.source,
                classes=and_more(untrained),
                kind=dataset.kind,
            )
        )
