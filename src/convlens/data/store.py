"""Store: images decoded once, in parallel, into a memory-mapped array that later runs reuse.

A stored array is found by the content of the images, so that it is never out of date. Reading and
digesting every file costs one or two per cent of decoding it, see docs/decisions/store.md.
"""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.array_looks import looks_of_arrays, take_looks
from convlens.data.cache import cache_folder, is_whole, open_array, require_cache, touch
from convlens.data.cache_size import keep_within_limit
from convlens.data.dataset import Dataset
from convlens.data.decoding import Found, Progress, bytes_of, converted, decode_all
from convlens.data.digests import Digests, digest_of_unreadable, digests_of
from convlens.data.growing import Files
from convlens.data.looks import LOOK, LOOKS_VERSION, Looks
from convlens.data.sealed import read_sealed
from convlens.errors import ImageError
from convlens.files import DAMAGE
from convlens.image_file import none_readable
from convlens.language import _
from convlens.preprocess import ImageArray, Preprocessing, prepare

VERSION = 5  # to be raised when `prepare` returns other pixels for the same file


@dataclass(frozen=True, eq=False)
class Store:
    """The decoded images of a data set, in its order.

    Attributes:
        images: (n, height, width, channels) uint8, memory-mapped; zeros for an image that could not
            be read.
        contents: (n, 16) uint8 digests of the bytes of files, or of the pixels of arrays. They do
            not depend on whether an image can be read.
        problems: A message for each image that could not be read, by index.
        coloured: The number of colour images that are stored in grey.
        remarks: The numbers of images by what is to be said of them, see `convlens.preprocess`.
        looks_file: Where the looks are kept, or None for images of no data set.
    """

    images: ImageArray
    contents: Digests
    problems: dict[int, str]
    coloured: int = 0
    remarks: dict[str, int] = field(default_factory=dict)
    looks_file: Path | None = None

    @cached_property
    def digests(self) -> Digests:
        """(n, 16) uint8. Equal digests mean equal content, in images that can be read."""
        found = self.contents.copy()
        for index in self.problems:
            found[index] = np.frombuffer(digest_of_unreadable(index), np.uint8)
        return found

    @cached_property
    def looks(self) -> Looks:
        """(n,) what was noted of each image, memory-mapped; see `convlens.data.looks`.

        The look of an image that could not be read is empty.
        """
        if self.looks_file is None:
            return looks_of_arrays(self.images)
        if not is_whole(self.looks_file):  # These images needed no decoding.
            take_looks(self.images, self.looks_file)
            keep_within_limit()
        return open_array(self.looks_file).view(LOOK)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) False for the images that could not be read."""
        mask = np.ones(len(self.contents), bool)
        mask[list(self.problems)] = False
        return mask

    @property
    def notes(self) -> list[str]:
        """The remarks on images, for the user."""
        return [_(remark).format(number=number) for remark, number in self.remarks.items()]


def open_store(
    dataset: Dataset,
    preprocessing: Preprocessing,
    progress: Progress | None = None,
    *,
    survive: bool = False,
) -> Store:
    """Return the images of a data set at the size of the network.

    They are decoded unless an earlier run has decoded images of the same content. An array that
    already has the right shape is used as it is.

    Args:
        dataset: The data set to decode.
        preprocessing: The size, the channels and how other shapes are made to fit.
        progress: A function that is called with (images done, number of images).
        survive: Whether an image that changes or vanishes while it is decoded is one that cannot be
            read, and not an error.

    Raises:
        DataError: If no image can be read, or if one changes while it is decoded.
        StorageError: If the cache folder cannot be written.
    """
    is_ready = _is_ready(dataset, preprocessing)
    if not is_ready:
        require_cache()
    images = dataset.images
    digests = digests_of(images)
    files = _files(dataset, digests, preprocessing)
    if isinstance(images, np.ndarray) and is_ready:
        if isinstance(images, np.memmap):
            keep_within_limit()  # The array may have been unpacked just now.
        shaped = images.reshape(-1, *preprocessing.shape)
        return Store(shaped, digests, {}, looks_file=files.looks)
    found = _read_facts(images, preprocessing, files)
    if found is None:
        found = decode_all(dataset, digests, preprocessing, files, progress, survive=survive)
        keep_within_limit()
    if len(found.problems) == len(images):
        raise none_readable(len(images), next(iter(found.problems.values())))
    return Store(open_array(files.array), digests, **vars(found), looks_file=files.looks)


def is_stored(dataset: Dataset, preprocessing: Preprocessing) -> bool:
    """Return whether `open_store` has nothing to decode."""
    if isinstance(dataset.images, np.ndarray):
        return _is_ready(dataset, preprocessing)
    files = _files(dataset, digests_of(dataset.images), preprocessing)
    return _recorded(files) is not None


def _is_ready(dataset: Dataset, preprocessing: Preprocessing) -> bool:
    """Return whether the images are an array that is used as it is."""
    shape = (*dataset.images.shape[1:], 1)[:3] if isinstance(dataset.images, np.ndarray) else None
    return shape == preprocessing.shape and bytes_of(dataset, preprocessing) is None


def _files(dataset: Dataset, digests: Digests, preprocessing: Preprocessing) -> Files:
    """Return where the pixels, the facts and the looks of these images are stored.

    Looks are taken at the images as they are, whatever the size of the network.
    """
    # Scale and offset are applied by the network, so they do not change what is stored.
    decoding = replace(preprocessing, scale=1.0, offset=0.0)
    images = dataset.images
    # The digest of the pixels of an array depends neither on their type nor on their shape.
    kind = f"{images.dtype} {images.shape[1:]}" if isinstance(images, np.ndarray) else "files"
    units = f"{preprocessing.unit} {dataset.unit}"
    folder = cache_folder()
    how = f"{VERSION} {decoding} {kind} {converted(dataset, preprocessing)}"
    stored = folder / "store" / _name(how, digests)
    looks = folder / "looks" / _name(f"{LOOKS_VERSION} {units} {kind} ", digests)
    return Files(stored.with_suffix(".npy"), stored.with_suffix(".json"), looks.with_suffix(".npy"))


def _name(made_how: str, digests: Digests) -> str:
    return hashlib.sha256(made_how.encode() + digests.tobytes()).hexdigest()[:32]


def _read_facts(
    images: Sequence[Path] | ImageArray, preprocessing: Preprocessing, files: Files
) -> Found | None:
    """Return what is known of stored images, or None if the images have to be decoded.

    Images that could not be read are tried again: another version of Pillow may read them, and the
    messages name the files where they lie now.
    """
    found = _recorded(files)
    if found is None:
        return None
    touch(files.array)
    for index in found.problems:
        try:
            prepare(images[index], preprocessing)
        except ImageError as error:
            found.problems[index] = error.args[0]
        else:
            return None
    return found


def _recorded(files: Files) -> Found | None:
    """Return what is recorded of stored images, without the messages of problems.

    It is None where a file is missing or damaged.
    """
    if is_whole(files.array) and is_whole(files.looks):
        with contextlib.suppress(*DAMAGE):
            recorded = json.loads(read_sealed(files.facts))
            problems = dict.fromkeys(recorded["problems"], "")
            return Found(problems, recorded["coloured"], recorded["remarks"])
    return None
