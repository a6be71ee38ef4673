"""Material: what the checks look at, gathered once for all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset
from convlens.data.duplicates import Pairs
from convlens.data.looks import Looks
from convlens.data.store import Store

CHUNK = 4096  # looks that are in memory at a time


@dataclass(frozen=True, eq=False)
class Material:
    """The images of a data set as they were decoded, and what is known of them.

    Attributes:
        dataset: The images.
        store: The decoded images and their looks.
        pairs: The copies that were found, or None if nobody looked for near-duplicates.
        captures: (n,) numbers of captures, -1 for images without one.
        features: (n, d) features of the images, or None.
        passed_over: Images that checks pass over although they can be read.
    """

    dataset: Dataset
    store: Store
    pairs: Pairs | None = None
    captures: NDArray[np.int64] | None = None
    features: NDArray[np.floating] | None = None
    passed_over: frozenset[int] = frozenset()

    def without(self, indices: Iterable[int]) -> "Material":
        """Return the same images, of which checks pass over some."""
        passed_over = self.passed_over.union(indices)
        # What was computed of all images is kept where all are looked at.
        return self if not passed_over else replace(self, passed_over=passed_over)

    @property
    def looks(self) -> Looks:
        """(n,) a record of each image, see `convlens.data.looks`."""
        return self.store.looks

    @cached_property
    def seen(self) -> NDArray[np.int64]:
        """The ascending indices of the images that could be read and are not passed over."""
        looked_at = self.store.usable.copy()
        looked_at[list(self.passed_over)] = False
        return np.flatnonzero(looked_at).astype(np.int64)

    def measured(self, name: str) -> NDArray[np.float64]:
        """Return a number of every image that could be read, such as its brightness."""
        return np.asarray(self.looks[name][self.seen], np.float64)

    def words(self, name: str) -> NDArray[np.str_]:
        """Return a word of every image that could be read, such as its format."""
        known, numbers = np.unique(self.looks[name][self.seen], return_inverse=True)
        return np.char.decode(known, "utf-8", "replace")[numbers.reshape(-1)]

    @cached_property
    def ratios(self) -> NDArray[np.float64]:
        """How many times longer than wide, or wider than long, the images that were read are."""
        width = self.measured("width")
        height = self.measured("height")
        return np.maximum(width, height) / np.maximum(1, np.minimum(width, height))

    @cached_property
    def greys(self) -> "Greys":
        """What the grey levels of the images that were read are like."""
        parts = [
            _greys(self.looks["grey"][self.seen[start : start + CHUNK]])
            for start in range(0, len(self.seen), CHUNK)
        ]
        joined = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0))
        return Greys(*joined)

    @cached_property
    def shows_photographs(self) -> bool:
        """Whether most images have the fine texture of photographs.

        Half of the neighbouring pixels of drawings, digits and screenshots are equal. In
        photographs of cats and dogs the median is a fifth, in CIFAR-10 three tenths, and in MNIST
        three quarters.
        """
        return bool(len(self.seen)) and float(np.median(self.greys.flatness)) < 0.45


@dataclass(frozen=True, eq=False)
class Greys:
    """What the grey levels of images are like.

    Attributes:
        darkest: (n,) the level that 2 % of the pixels do not exceed, 0 to 255.
        brightest: (n,) the level that 98 % of the pixels do not exceed.
        flatness: (n,) the share of neighbouring pixels that are equal up to one level.
    """

    darkest: NDArray[np.float64]
    brightest: NDArray[np.float64]
    flatness: NDArray[np.float64]


def _greys(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (3, n) the numbers of `Greys`, from some of the pixels.

    Args:
        grey: (n, height, width) reduced images.
    """
    levels = np.percentile(grey[:, ::4, ::4].reshape(len(grey), -1), (2, 98), axis=1)
    rows = grey[:, ::8].astype(np.int16)
    columns = grey[:, :, ::8].astype(np.int16)
    across = (np.abs(np.diff(rows, axis=2)) <= 1).mean(axis=(1, 2))
    down = (np.abs(np.diff(columns, axis=1)) <= 1).mean(axis=(1, 2))
    return np.stack([*levels, (across + down) / 2])
