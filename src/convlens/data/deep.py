"""Deep: the unit of a data set whose images have 16 or 32 bits, decided from all of them."""

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np

from convlens.data.cache import REMEDY, cache_folder, require_writable
from convlens.data.dataset import Dataset, note_if
from convlens.data.decoding import Progress
from convlens.data.digests import BATCH, digests_of
from convlens.data.sealed import checksum_of, read_sealed
from convlens.decode import may_be_deep
from convlens.errors import ImageError
from convlens.files import DAMAGE, write_atomically
from convlens.image_file import ImageLike
from convlens.language import _
from convlens.preprocess import Preprocessing, read_values
from convlens.unit import Unit, Values, choose_unit, joined

VERSION = 1  # to be raised when `read_values` finds other values in the same file


def with_unit(
    preprocessing: Preprocessing, dataset: Dataset, progress: Progress | None = None
) -> Preprocessing:
    """Return a preprocessing with a unit: its own, or that of the data set if it has none."""
    if preprocessing.unit is not None:
        return preprocessing
    return dataclasses.replace(preprocessing, unit=unit_of(dataset, progress))


def unit_of(dataset: Dataset, progress: Progress | None = None) -> Unit | None:
    """Return the unit of the deep images of a data set, or None if there are none.

    Of other images only the first bytes are read. What was found is recorded, so that a second
    start decodes nothing.

    Args:
        dataset: The data set.
        progress: A function that is called with (images done, number of deep images).
    """
    if isinstance(dataset.images, np.ndarray):
        return dataset.unit
    images = dataset.images

    def some(start: int) -> list[Path]:
        return list(filter(may_be_deep, images[start : start + BATCH]))

    # A thread opens many files at a time, since a few bytes are read in microseconds.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        deep = list(chain.from_iterable(pool.map(some, range(0, len(images), BATCH))))
    if not deep:
        return None
    values = recorded_values(deep, lambda: find_values(deep, progress))
    return choose_unit(values) if values else None


def recorded_values(files: Sequence[Path], find: Callable[[], Values | None]) -> Values | None:
    """Return the values that files hold, which are looked for only once.

    Args:
        files: The files.
        find: A function that returns their values.
    """
    key = hashlib.sha256(f"{VERSION} ".encode() + digests_of(files).tobytes()).hexdigest()[:32]
    file = cache_folder() / "units" / f"{key}.json"
    with contextlib.suppress(*DAMAGE):  # There is no such file, or it is damaged.
        recorded = json.loads(read_sealed(file))
        return None if recorded is None else Values(*recorded)
    require_writable(file.parent)
    values = find()
    content = json.dumps(values).encode()
    write_atomically(file, content + checksum_of(content), _("the values of the images"), REMEDY)
    return values


def describe_unit(before: Preprocessing, after: Preprocessing) -> list[str]:
    """Return a note if a classifier gets the unit of the images that it is asked about."""
    return note_if(
        before.unit is None and after.unit is not None,
        _(
            "the classifier has learned from images of 8 bits; of these deeper ones, the values "
            "{unit[0]:g} and below are black, and {unit[1]:g} and above white"
        ),
        unit=after.unit,
    )


def find_values(images: Sequence[ImageLike], progress: Progress | None = None) -> Values | None:
    """Return the values of all deep images together, or None if there are none.

    Images that cannot be read are left out.

    Args:
        images: Any images.
        progress: A function that is called with (images done, number of images).
    """

    def read(image: ImageLike) -> Values | None:
        try:
            return read_values(image)
        except ImageError:
            return None

    found = None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, values in enumerate(pool.map(read, images), 1):
            found = joined([found, values])
            if progress is not None and done % BATCH == 0:
                progress(done, len(images))
    return found
