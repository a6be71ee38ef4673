"""Elsewhere: what reads and decodes image files instead of this process, as a cluster."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from convlens.data.decoding import Decoded, Reader


class Elsewhere(Protocol):
    """What reads and decodes image files with the code of this process, which gives the same."""

    def digests(self, images: Sequence[Path]) -> NDArray[np.uint8]:
        """Return (n, 16) digests of n files, as `convlens.data.digests.digest_of` gives them."""

    def decoded(
        self, reader: "Reader", parts: Iterable[NDArray[np.int64]]
    ) -> "Iterator[list[Decoded]]":
        """Yield what `reader.read_some` returns for the indices of each part, in their order."""


_elsewhere: ContextVar[Elsewhere | None] = ContextVar("elsewhere", default=None)


@contextmanager
def read_by(other: Elsewhere) -> Iterator[None]:
    """Let something else than this process read and decode image files in the block."""
    token = _elsewhere.set(other)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def elsewhere(images: object) -> Elsewhere | None:
    """Return what reads and decodes images instead of this process; None for an array."""
    return None if isinstance(images, np.ndarray) else _elsewhere.get()
