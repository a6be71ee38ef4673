"""Folds: images divided so that each part is held out once, in whole clusters."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset, refuse_if
from convlens.data.draws import Indices
from convlens.files import and_more
from convlens.language import _


def folds(
    labels: NDArray[np.int64], clusters: Indices, pool: Indices, k: int, seed: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield (rest, held-out) k times, stratified by class and with whole clusters.

    Args:
        labels: (n,) class indices of all images.
        clusters: (n,) cluster numbers of all images, from `clusters_of`.
        pool: The indices to divide; each is held out once. Every class has k clusters or more.
        k: The number of folds.
        seed: The seed of the draw.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    for rest, held in splitter.split(pool, labels[pool], clusters[pool]):
        yield pool[rest], pool[held]


def refuse_few_images(dataset: Dataset, clusters: Indices, pool: Indices, k: int) -> None:
    """Raise DataError if a class has fewer than k different images in the pool; see `folds`.

    A classifier may know more classes than the images have; those have no image to hold out.
    """
    pairs = np.unique(np.stack([dataset.labels[pool], clusters[pool]]), axis=1)
    counts = np.bincount(pairs[0], minlength=dataset.num_classes)
    occurring = np.unique(dataset.labels)
    few = [f"'{dataset.class_names[i]}' ({counts[i]:,})" for i in occurring if counts[i] < k]
    refuse_if(
        few,
        _(
            "{source}: with --folds {k}, every class needs {k} different images or more, one for "
            "each fold; too few in {classes}. Give fewer folds, or add images."
        ),
        source=dataset.source,
        k=k,
        classes=and_more(few),
    )
