"""Batches: the input of a network during training, a pure function of (seed, epoch, step).

A run that was killed and resumed therefore receives exactly the same batches.
"""

import math

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.config import AugmentConfig
from convlens.data.augment import augment, mix


def class_weights(counts: NDArray[np.int64], setting: str) -> NDArray[np.float32] | None:
    """Return (num_classes,) weights n / (num_classes * count), or None for equal weights.

    Args:
        counts: (num_classes,) the number of training images of each class.
        setting: "on", "off", or "auto", which is on if the largest class has at least 1.5 times
            as many images as the smallest.

    Example:
        >>> class_weights(np.array([30, 10]), "auto").tolist()
        [0.6666666865348816, 2.0]
    """
    present = counts[counts > 0]
    if setting == "off" or (setting == "auto" and present.max() < 1.5 * present.min()):
        return None
    weights = counts.sum() / (len(present) * np.maximum(counts, 1))
    return np.asarray(weights, np.float32)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Training or validation batches over a store.

    A batch is (images (b, height, width, channels) uint8, targets (b, num_classes) float32) and, if
    classes are weighted, sample weights (b,) float32. The sizes of the batches differ by one at
    most, so that no epoch ends with a batch that is too small for batch normalisation.

    Args:
        images: (n, height, width, channels) uint8 images of a store; or (n, width) features or
            (n, height, width, channels) maps, which are never augmented.
        labels: (n,) class indices.
        indices: The images to use.
        num_classes: The number of classes.
        batch_size: The largest number of images in a batch.
        seed: The seed of order and augmentation. None keeps the images in order and unchanged.
        augmentation: The resolved configuration (see `augment.resolve`), or None for no change.
        weights: (num_classes,) weights from `class_weights`, or None.
        steps_per_epoch: The number of batches of an epoch, which then begins where the one before
            ended in its pass over the images. None makes each epoch one pass.
        micro_batch: The largest number of images that are given at a time; 0 is a whole batch. A
            batch then has several parts of equal size, one more or less, and each is a step.
        whole: Whether each batch has `batch_size` images exactly. A pass then leaves out what
            remains at its end, which are other images in each pass.
    """

    def __init__(  # noqa: PLR0913 - each argument is one fact about the input
        self,
        images: NDArray[np.generic],
        labels: NDArray[np.int64],
        indices: NDArray[np.int64],
        *,
        num_classes: int,
        batch_size: int,
        seed: int | None = None,
        augmentation: AugmentConfig | None = None,
        weights: NDArray[np.float32] | None = None,
        steps_per_epoch: int | None = None,
        micro_batch: int = 0,
        whole: bool = False,
    ) -> None:
        super().__init__(workers=1)
        self.images = images
        self.labels = labels
        self.indices = indices
        self.num_classes = num_classes
        self.seed = seed
        self.augmentation = augmentation
        self.weights = weights
        self.images_per_pass = len(indices)
        if whole:
            self.images_per_pass -= len(indices) % batch_size
        self.steps_per_pass = math.ceil(self.images_per_pass / batch_size)
        parts = math.ceil(batch_size / micro_batch) if micro_batch else 1
        # The smallest batch must have an image for each part.
        self.parts = max(1, min(parts, len(indices) // self.steps_per_pass))
        # The steps of a whole epoch, each of which is a part of a batch.
        self.steps = (steps_per_epoch or self.steps_per_pass) * self.parts
        self.epoch = 0
        self.first_step = 0  # a resumed epoch begins here
        self.failure: BaseException | None = None  # why the last batch could not be prepared
        self._order = (-1, indices)  # the pass that was asked for last, and its order

    @property
    def num_batches(self) -> int:
        """The number of batches that `fit` takes in this epoch."""
        return self.steps - self.first_step

    def order(self, number: int) -> NDArray[np.int64]:
        """Return the indices in the order of a pass over the images, counted from 0."""
        if self.seed is None:
            return self.indices
        known, order = self._order
        if known != number:
            order = np.random.default_rng((self.seed, number)).permutation(self.indices)
            self._order = (number, order)
        return order

    def __getitem__(self, step: int) -> tuple[NDArray[np.generic], ...]:
        """Return a batch of the current epoch, counted from `first_step`.

        Raises:
            RuntimeError: If it cannot be prepared. The reason is kept as `failure`.
        """
        try:
            return self.share_at(self.epoch, self.first_step + step)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # An engine would wait for ever for a thread that ends in another way than by an error.
            self.failure = error
            raise RuntimeError from error  # `convlens.training.failures` says it to the user

    def indices_at(self, epoch: int, step: int) -> NDArray[np.int64]:
        """Return the indices of the images of a step, in their order.

        Args:
            epoch: The epoch, counted from 0.
            step: The step of the epoch, counted from 0.
        """
        number, step = self._place(epoch, step)
        bounds = np.linspace(0, self.images_per_pass, self.steps_per_pass + 1).astype(np.int64)
        batch, part = divmod(step, self.parts)
        ends = np.linspace(bounds[batch], bounds[batch + 1], self.parts + 1).astype(np.int64)
        return self.order(number)[ends[part] : ends[part + 1]]

    def _place(self, epoch: int, step: int) -> tuple[int, int]:
        """Return the pass over the images in which a step lies, and its number in that pass."""
        return divmod(epoch * self.steps + step, self.steps_per_pass * self.parts)

    def batch_at(self, epoch: int, step: int) -> tuple[NDArray[np.generic], ...]:
        """Return the batch of a step; see `indices_at`."""
        return self.slice_at(epoch, step, slice(None))

    def share_at(self, epoch: int, step: int) -> tuple[NDArray[np.generic], ...]:
        """Return what this process takes of the batch of a step, which is all of it."""
        return self.batch_at(epoch, step)

    def slice_at(self, epoch: int, step: int, part: slice) -> tuple[NDArray[np.generic], ...]:
        """Return some images of the batch of a step, as they are in the whole batch."""
        config = self.augmentation
        if config is not None and (config.mixup or config.cutmix) and part != slice(None):
            # An image may be mixed with any other of the batch.
            return tuple(array[part] for array in self.batch_at(epoch, step))
        indices = self.indices_at(epoch, step)[part]
        number, step = self._place(epoch, step)
        labels = self.labels[indices]
        images = self.images[indices]
        targets = np.eye(self.num_classes, dtype=np.float32)[labels]
        weights = np.ones(len(labels), np.float32) if self.weights is None else self.weights[labels]
        if config is not None and self.seed is not None:
            pixels = np.asarray(images, np.uint8)
            images, targets, weights = mix(
                augment(pixels, indices, config, seed=self.seed, epoch=number),
                targets,
                weights,
                config,
                seed=self.seed,
                epoch=number,
                step=step,
            )
        return (images, targets) if self.weights is None else (images, targets, weights)
