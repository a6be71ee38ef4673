"""Inspection: what is known of a data set from the headers of its images, without decoding them."""

import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convlens.data.dataset import Dataset
from convlens.decode import Header, read_header
from convlens.errors import ImageError
from convlens.language_choice import language, speak

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
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(8, initializer=speak, initargs=(language(),)) as pool,
    ):
        # Pillow warns of odd headers; whether the image is usable shows when it is decoded.
        warnings.simplefilter("ignore")
        found = list(pool.map(_read_header, paths))
    return (
        [header for header in found if isinstance(header, Header)],
        [problem for problem in found if isinstance(problem, str)],
    )


def _read_header(path: Path) -> Header | str:
    """Return the header of an image file, or why it cannot be read."""
    try:
        return read_header(path)
    except ImageError as error:
        problem: str = error.args[0]
        return problem
