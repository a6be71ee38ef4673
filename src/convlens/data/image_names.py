"""Image names: the images of a data set by the names that lists of corrections have for them."""

import os
import unicodedata
from functools import cached_property
from pathlib import Path

import numpy as np

from convlens.data.dataset import Dataset
from convlens.text import original


class Names:
    """The images of a data set by the names that a list may have for them."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._exact = {dataset.file_name(index): index for index in range(len(dataset))}

    @cached_property
    def _composed(self) -> dict[str, int]:
        """The images by their names as macOS does not write them."""
        return {unicodedata.normalize("NFC", name): i for name, i in self._exact.items()}

    def find(self, name: str) -> int | None:
        """Return the index of an image, or None if there is none of that name."""
        for spelled in (name, name.strip(), original(name), name.strip().replace("\\", "/")):
            for tried in (spelled, self._inside(spelled)):
                if tried in self._exact:
                    return self._exact[tried]
                composed = unicodedata.normalize("NFC", tried)
                if composed in self._composed:
                    return self._composed[composed]
        return None

    def _inside(self, name: str) -> str:
        """Return an absolute path, or one with dots in it, as a path inside the folder.

        Other names, as those of images of an array, are returned as they are.
        """
        if isinstance(self._dataset.images, np.ndarray) or "\0" in name:
            return name
        path = Path(os.path.normpath(self._dataset.folder / name))
        if not path.is_relative_to(self._dataset.folder):
            return name
        return path.relative_to(self._dataset.folder).as_posix()
