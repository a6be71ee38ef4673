"""Predictions: what a classifier predicts for each of some images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier predicts for n images.

    Attributes:
        class_names: The names of the classes.
        files: The names of the images.
        labels: (n,) the true classes, as numbers.
        predicted: (n,) the predicted classes, as numbers.
        probabilities: (n, num_classes).
    """

    class_names: tuple[str, ...]
    files: tuple[str, ...]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(n,) the probability of the predicted class."""
        return self.probabilities[np.arange(len(self.files)), self.predicted]

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(num_classes, num_classes) counts; the rows are the true classes."""
        counts = np.zeros((len(self.class_names), len(self.class_names)), np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    def worst_first(self, where: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the indices of some images, the most confident predictions first.

        Mistakes are in the order of `Evaluation.worst`.

        Args:
            where: (n,) which images.
        """
        indices = np.flatnonzero(where)
        return indices[np.argsort(-self.confidence[indices], kind="stable")]
