"""Bootstrap: resampling that holds only a part of the resamples in memory at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles of a 95 % interval
# How many numbers of all resamples are held at once: at most 24 bytes each, 100 MB.
CELLS = 4_000_000


def resampled_sums(values: NDArray[np.floating], resamples: int, seed: int) -> NDArray[np.floating]:
    """Return (resamples, m) sums of the (n, m) values over n rows drawn with replacement."""
    random = np.random.default_rng(seed)
    n = len(values)
    sums = []
    for size in _chunks(resamples, n):
        drawn = random.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        sums.append(counts @ values)
    return np.concatenate(sums)


def redrawn_counts(
    counts: NDArray[np.int64], resamples: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the counts of as many images drawn with replacement, (m, *counts.shape) at a time."""
    random = np.random.default_rng(seed)
    cells = np.flatnonzero(counts)
    total = counts.sum()
    for size in _chunks(resamples, counts.size):
        drawn = np.zeros((size, counts.size), np.int64)
        drawn[:, cells] = random.multinomial(total, counts.ravel()[cells] / total, size=size)
        yield drawn.reshape(size, *counts.shape)


def uniform_draws(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield (m, n) uniform random numbers at a time, until there are `resamples` rows."""
    random = np.random.default_rng(seed)
    for size in _chunks(resamples, n):
        yield random.random((size, n), dtype=np.float32)


def _chunks(resamples: int, numbers: int) -> Iterator[int]:
    """Yield how many resamples of `numbers` numbers each to draw at once, until all are drawn."""
    size = max(1, CELLS // numbers)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
