"""Clusters: images that belong together, so that all of them come into one split.

The images of a group, exact copies, near-duplicates, flipped and rotated copies, and what a camera
took within a second form a cluster: a copy of a training image among the test images would make the
score better than it is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset, note_if
from convlens.data.duplicates import Pairs, captures
from convlens.data.joining import join, pairs_within
from convlens.data.store import Store
from convlens.files import and_more
from convlens.language import _

FEWEST = 3  # clusters of a class, one for each split

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which images belong together.

    Attributes:
        numbers: (n,) cluster numbers.
        alike: The indices of the classes whose images are so much alike that only exact copies and
            groups of them stay together.
    """

    numbers: Indices
    alike: tuple[int, ...] = ()

    def notes(self, dataset: Dataset) -> list[str]:
        """Return remarks for the user."""
        return note_if(
            self.alike,
            _(
                "nearly all images of {classes} are alike, as the frames of a film are: they "
                "cannot be kept in one split, so the score will be too high; add images that "
                "differ, or give groups"
            ),
            classes=and_more([f"'{dataset.class_names[label]}'" for label in self.alike]),
        )


def clusters_of(digests: NDArray[np.uint8], groups: NDArray[np.str_] | None = None) -> Indices:
    """Return (n,) cluster numbers, which are equal for exact copies and within a group.

    Args:
        digests: (n, bytes), equal for exact copies.
        groups: (n,) names of groups, or None.
    """
    __, copies = np.unique(digests, axis=0, return_inverse=True)
    copies = copies.reshape(-1).astype(np.int64)
    if groups is None:
        return copies
    __, members = np.unique(groups, return_inverse=True)
    return join(copies, *pairs_within(members.astype(np.int64)))


def belonging_together(dataset: Dataset, store: Store, pairs: Pairs) -> Indices:
    """Return (n,) numbers, equal for images that belong together for any reason.

    Unlike those of `find_clusters`, they may leave a class too few clusters for the splits.

    Args:
        dataset: The data set.
        store: Its decoded images.
        pairs: The copies that were found in it.
    """
    return join(clusters_of(store.digests, dataset.groups), *_edges(store, pairs))


def _edges(store: Store, pairs: Pairs) -> tuple[Indices, Indices]:
    """Return pairs that join near-duplicates, flipped and rotated copies, and captures."""
    first, second = pairs_within(captures(store.looks))
    return np.concatenate([pairs.first, first]), np.concatenate([pairs.second, second])


def find_clusters(dataset: Dataset, store: Store, pairs: Pairs | None) -> Clusters:
    """Return which images of a data set belong together.

    If near-duplicates and captures would leave a class too few clusters for the splits, or none to
    train on, they are not joined in that class.

    Args:
        dataset: The data set.
        store: Its decoded images.
        pairs: The copies that were found in it, or None to join exact copies and groups only.
    """
    least = clusters_of(store.digests, dataset.groups)
    if pairs is None:
        return Clusters(least)
    first, second = _edges(store, pairs)
    whole = join(least, first, second)
    few = np.flatnonzero(_too_few(dataset, store, whole) & ~_too_few(dataset, store, least))
    if not len(few):
        return Clusters(whole)
    in_few = np.isin(whole, whole[np.isin(dataset.labels, few)])
    apart = ~in_few[first]
    return Clusters(join(least, first[apart], second[apart]), tuple(few.tolist()))


def _too_few(dataset: Dataset, store: Store, clusters: Indices) -> NDArray[np.bool_]:
    """Return (num_classes,) whether a class cannot be split, or has nothing left to train on."""
    usable = store.usable
    labels = dataset.labels
    needed = FEWEST
    if dataset.splits is not None:
        held_out = clusters[usable & (dataset.splits != "train")]
        usable = usable & (dataset.splits == "train") & ~np.isin(clusters, held_out)
        needed = 1
    kept = np.unique(np.stack([labels[usable], clusters[usable]], axis=1), axis=0)
    few: NDArray[np.bool_] = np.bincount(kept[:, 0], minlength=dataset.num_classes) < needed
    return few
