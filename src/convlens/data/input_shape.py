"""Input shape: the size and channels that are configured, suggested by images, or demanded."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from convlens.config import DataConfig
from convlens.data.dataset import Dataset
from convlens.data.decoding import Progress
from convlens.data.deep import unit_of
from convlens.data.inspection import read_headers
from convlens.preprocess import Preprocessing
from convlens.sections import parse_size

LARGEST_AUTO = 96  # pixels; larger images are resized to DEFAULT_SIDE unless a size is given
DEFAULT_SIDE = 64
SAMPLE = 200  # image headers that decide size and channels


@dataclass(frozen=True)
class Demands:
    """What a network requires of its images.

    Attributes:
        scale: The factor by which pixels are multiplied.
        shape: (height, width, channels); None where any value will do.
        least_side: The smallest side in pixels. A size that was not configured is enlarged to it.
    """

    scale: float = 1 / 255
    shape: tuple[int | None, int | None, int | None] = (None, None, None)
    least_side: int | None = None


NO_DEMANDS = Demands()


def as_demanded(preprocessing: Preprocessing, demands: Demands, *, fixed: bool) -> Preprocessing:
    """Return a preprocessing with the shape that a network requires.

    Where the network requires no shape and the size is not fixed, sides below its smallest are
    enlarged, keeping the aspect ratio. They are not enlarged beyond that: a network made for 224
    pixels takes eleven times as long there as at 67.
    """
    height, width, channels = (
        asked or own for asked, own in zip(demands.shape, preprocessing.shape, strict=True)
    )
    least = demands.least_side or 0
    side = min(height, width)
    if side < least and not fixed:
        # Rounded up, in whole numbers.
        height = -(-height * least // side)
        width = -(-width * least // side)
    return dataclasses.replace(preprocessing, height=height, width=width, channels=channels)


def choose_preprocessing(
    dataset: Dataset,
    config: DataConfig,
    scale: float = 1 / 255,
    progress: Progress | None = None,
) -> Preprocessing:
    """Return size, channels and fit as configured, or as the images suggest where that is auto."""
    sizes, grey = look_at(dataset)
    height = width = DEFAULT_SIDE
    if config.size != "auto":
        height, width = parse_size(config.size)
    elif len(sizes) == 1:
        own = next(iter(sizes))
        if max(own) <= LARGEST_AUTO or isinstance(dataset.images, np.ndarray):
            height, width = own
    channels = {"grey": 1, "rgb": 3, "auto": 1 if grey else 3}[config.channels]
    fit = "stretch" if config.fit == "auto" else config.fit
    unit = unit_of(dataset, progress)
    return Preprocessing(height, width, channels, fit, scale, unit=unit)


def look_at(dataset: Dataset) -> tuple[set[tuple[int, int]], bool]:
    """Return the (height, width) that occur in a sample of the images, and whether all are grey.

    Unreadable images are left out here; they are counted and named when they are decoded.
    """
    headers, _ = read_headers(dataset, SAMPLE)
    sizes = {(height, width) for (width, height), _, _ in headers}
    return sizes, bool(headers) and all(header.is_grey for header in headers)
