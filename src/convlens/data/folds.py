"""Folds: images divided so that each part is held out once, in whole clusters."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from convlens.data.draws import Indices


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
