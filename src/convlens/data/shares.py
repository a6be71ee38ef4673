"""Shares: the images of each step of a training for one of several processes that train together.

The batches are those of a single process. Each process takes the same number of images of each of
them: the first process the first images, and so on.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.batches import Batches


class TrainingShare(Batches):
    """The share of one process in training batches, all of which have `batch_size` images.

    `batch_at` still gives the whole batch.

    Args:
        number: The number of the process, counted from 0.
        processes: The number of processes, which divides the batch size.
        arguments: See `Batches`.
    """

    def __init__(self, *arguments: Any, number: int, processes: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.number = number
        self.processes = processes

    def share_at(self, epoch: int, step: int) -> tuple[NDArray[np.generic], ...]:
        """Return the images of this process in a step, see `Batches.indices_at`."""
        size = len(self.indices_at(epoch, step)) // self.processes
        return self.slice_at(epoch, step, slice(self.number * size, (self.number + 1) * size))


class ValidationShare(TrainingShare):
    """The share of one process in validation batches.

    Batches that are not divided evenly by the processes are filled up with repeated images at the
    end of the epoch, which have the weight 0. Keras divides the loss of a batch by the number of
    its images, whatever their weights are. The other images therefore have a weight of more than 1,
    with which the loss of the epoch is the mean over the images without the repeated ones. The
    accuracy has no weights, so that the repeated images have no target either, see
    `convlens.training.optimization.FirstHeadAccuracy`.
    """

    def __init__(
        self,
        images: NDArray[np.generic],
        labels: NDArray[np.int64],
        indices: NDArray[np.int64],
        **options: Any,
    ) -> None:
        processes = options["processes"]
        steps = math.ceil(len(indices) / options["batch_size"])
        size = math.ceil(len(indices) / (steps * processes)) * processes
        filled = np.resize(indices, steps * size)  # which repeats them from the first one on
        super().__init__(images, labels, filled, **options | {"batch_size": size})
        self.size = size
        self.real = len(indices)
        self.factor = len(filled) / len(indices)  # the weight of an image that is not repeated

    def share_at(self, epoch: int, step: int) -> tuple[NDArray[np.generic], ...]:
        """Return the images of this process, their targets and their weights."""
        images, targets = super().share_at(epoch, step)
        first = step * self.size + self.number * len(images)
        is_real = first + np.arange(len(images)) < self.real
        weights = np.where(is_real, self.factor, 0.0)
        return images, targets * is_real[:, None], weights.astype(np.float32)
