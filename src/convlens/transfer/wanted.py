"""Wanted: features that are wanted, and what computes those that are missing.

This is the process that wants them, or what `computed_by` names, as the nodes of a cluster.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.classifier.runtime import Compiled
from convlens.data.decoding import Progress
from convlens.data.prepared import Prepared
from convlens.transfer.feature_cache import FeatureCache


class Wanted(NamedTuple):
    """Features that are wanted.

    Attributes:
        body: The network that computes them.
        compiled: The same, compiled.
        cache: Where they are kept.
        prepared: The images.
        indices: (m,) indices of the images.
    """

    body: keras.Model
    compiled: Compiled
    cache: FeatureCache
    prepared: Prepared
    indices: NDArray[np.int64]


Compute = Callable[[Wanted, Progress | None], None]
_elsewhere: ContextVar[Compute | None] = ContextVar("elsewhere", default=None)


@contextmanager
def computed_by(compute: Compute | None) -> Iterator[None]:
    """Let something else than this process compute the features that are missing in the block.

    Args:
        compute: Puts the features that are wanted into their cache; None for this process.
    """
    token = _elsewhere.set(compute)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def is_elsewhere() -> bool:
    """Return whether something else than this process computes the features that are missing."""
    return _elsewhere.get() is not None


def compute_missing(wanted: Wanted, progress: Progress | None = None) -> None:
    """Compute the features that are wanted and missing.

    Args:
        wanted: The features.
        progress: Called with the number of images that are done, and of all.

    Raises:
        StorageError: If the features cannot be written. What was computed before is kept.
    """
    compute = _elsewhere.get()
    if compute is not None:
        compute(wanted, progress)
        return
    wanted.cache.compute(wanted.compiled, wanted.prepared.store, wanted.indices, progress)
