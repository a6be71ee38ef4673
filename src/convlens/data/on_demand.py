"""On demand: images that are decoded when somebody looks at them, in place of an array of all."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.language_choice import language, speak
from convlens.preprocess import ImageArray, Preprocessing, prepare


class OnDemand:
    """Images that are decoded when they are asked for, as often as they are.

    Args:
        images: The n files, or the (n, height, width[, channels]) array.
        preprocessing: The size, and how other shapes are made to fit.

    Attributes:
        shape: (n, height, width, channels), as of the array.
    """

    def __init__(self, images: Sequence[Path] | ImageArray, preprocessing: Preprocessing) -> None:
        self.shape = (len(images), *preprocessing.shape)
        self._images = images
        self._preprocessing = preprocessing

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: int | np.integer | NDArray[np.int64]) -> ImageArray:
        """Return an image, or the (m, height, width, channels) images of several indices.

        Raises:
            ImageError: If an image cannot be read.
        """
        if not isinstance(indices, np.ndarray):
            return self._read(int(indices))
        with ThreadPoolExecutor(os.cpu_count(), initializer=speak, initargs=(language(),)) as pool:
            return np.stack(list(pool.map(self._read, indices.tolist())))

    def _read(self, index: int) -> ImageArray:
        return prepare(self._images[index], self._preprocessing)
