"""Limited: some images of a data set, such as those that `--limit` draws before any is decoded."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convlens.config import Config
from convlens.data.cache import IN_MEMORY, cache_folder, is_whole, open_array, write_array
from convlens.data.dataset import Dataset
from convlens.data.digests import Digests, digests_of, fingerprint
from convlens.data.draws import Indices, draw_limited, least_limit, ranks_of
from convlens.errors import ConfigError
from convlens.language import _
from convlens.preprocess import ImageArray

CHUNK = 4096  # images that are copied at a time


@dataclass(frozen=True, eq=False)
class Whole:
    """The data set of which some images are left.

    Attributes:
        size: The number of its images.
        fingerprint: The fingerprint of all of them.
        drawn: (n,) the ascending indices in it of the images that are left.
    """

    size: int
    fingerprint: str
    drawn: Indices


def limited(
    dataset: Dataset, config: Config, drawn: Indices | None = None
) -> tuple[Dataset, Whole | None]:
    """Return the images that `--limit` leaves, and the whole data set if these are not all of it.

    Args:
        dataset: The images, none of which is decoded here.
        config: The configuration, with the limit and the seed of the draw.
        drawn: The images that a run has drawn already, in place of the limit.

    Raises:
        ConfigError: If the limit leaves too few images of a class.
    """
    wanted = config.data.limit if drawn is None else len(drawn)
    if wanted is None or wanted >= len(dataset):
        return dataset, None
    digests = digests_of(dataset.images)
    if drawn is None:
        drawn = _draw(dataset, digests, wanted, config.training.seed)
    known = fingerprint(digests, dataset.labels, dataset.class_names)
    return some_of(dataset, drawn, digests), Whole(len(dataset), known, drawn)


def _draw(dataset: Dataset, digests: Digests, limit: int, seed: int) -> Indices:
    """Return the images that a limit leaves.

    Raises:
        ConfigError: If it leaves too few images of a class.
    """
    given = np.full(len(dataset), "train") if dataset.splits is None else dataset.splits
    least = least_limit(dataset.labels, given)
    if limit < least:
        raise ConfigError(
            _(
                "--limit must be at least {least:,}, so that each of the {classes:,} classes of "
                "{source} has images to train on and others to measure with; found {limit:,}."
            ).format(
                least=least,
                classes=len(np.unique(dataset.labels)),
                source=dataset.source,
                limit=limit,
            )
        )
    return draw_limited(dataset.labels, given, limit, ranks_of(digests, f"{seed} limit"))


def some_of(dataset: Dataset, kept: Indices, digests: Digests | None = None) -> Dataset:
    """Return a data set with some of its images only.

    Args:
        dataset: The images.
        kept: (m,) the indices of those that stay.
        digests: (n, 16) the digests of all images, if they are known.
    """
    images = dataset.images
    rows = None
    if isinstance(images, np.ndarray):
        rows = kept if dataset.rows is None else dataset.rows[kept]
        chosen: ImageArray | list[Path] = _pixels_of(images, kept, digests)
    else:
        chosen = [images[index] for index in kept]
    return replace(
        dataset,
        images=chosen,
        labels=dataset.labels[kept],
        splits=None if dataset.splits is None else dataset.splits[kept],
        groups=None if dataset.groups is None else dataset.groups[kept],
        rows=rows,
    )


def _pixels_of(images: ImageArray, kept: Indices, digests: Digests | None = None) -> ImageArray:
    """Return some images of an array; many of a memory-mapped one in a file of the cache."""
    if not isinstance(images, np.memmap) or images.nbytes // len(images) * len(kept) < IN_MEMORY:
        return images[kept]
    digests = digests_of(images) if digests is None else digests
    key = hashlib.sha256(digests[kept].tobytes() + f"{images.shape}".encode())
    first, second = key.hexdigest()[:16], key.hexdigest()[16:32]
    file = cache_folder() / f"corrected-{first}-{second}.npy"
    if not is_whole(file):
        parts = (images[kept[start : start + CHUNK]] for start in range(0, len(kept), CHUNK))
        write_array(file, (len(kept), *images.shape[1:]), parts)
    return open_array(file)
