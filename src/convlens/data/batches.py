"""Batches: what a network is fed, a pure function of (seed, epoch, step), so that a killed run repeats it exactly."""

import math

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.config import AugmentConfig
from convlens.data.augment import augment, mix


def class_weights(counts: NDArray[np.int64], setting: str) -> NDArray[np.float32] | None:
    """Return (num_classes,) weights n / (num_classes * count), or None where every class weighs the same.

    Args:
        counts: (num_classes,) training images of each class.
        setting: "on", "off", or "auto": on where the largest class has more than 1.5 times the smallest.

    >>> class_weights(np.array([30, 10]), "auto").tolist()
    [0.6666666865348816, 2.0]
    """
    present = counts[counts > 0]
    if setting == "off" or (setting == "auto" and present.max() <= 1.5 * present.min()):
        return None
    weights: NDArray[np.float32] = (counts.sum() / (len(present) * np.maximum(counts, 1))).astype(
        np.float32
    )
    return weights


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Training or validation batches over a store.

    A batch is (images (b, height, width, channels) uint8, targets (b, num_classes) float32[, weights (b,) float32]).
    Sizes differ by one at most, so that no epoch ends in a batch too small for batch normalisation.

    Args:
        images: (n, height, width, channels) uint8 store, or (n, width) features, which are never augmented.
        labels: (n,) class indices.
        indices: the images to feed.
        num_classes: length of a target.
        batch_size: images in a batch, at most.
        seed: decides order and augmentation of each epoch; None feeds the images in their order, unchanged.
        augmentation: resolved fields (see `augment.resolve`); None changes nothing.
        weights: (num_classes,) weights from `class_weights`.
        steps_per_epoch: batches of an epoch; an epoch then begins in the pass over the images where the one before
            ended. None makes an epoch one pass.
    """

    def __init__(  # noqa: PLR0913 - each is one fact about the feed
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
    ) -> None:
        super().__init__(workers=1)
        self.images, self.labels, self.indices = images, labels, indices
        self.num_classes, self.batch_size = num_classes, batch_size
        self.seed, self.augmentation, self.weights = seed, augmentation, weights
        self.steps_per_pass = math.ceil(len(indices) / batch_size)
        self.steps = steps_per_epoch or self.steps_per_pass  # of a whole epoch
        self.epoch = 0
        self.first_step = 0  # a resumed epoch goes on from here
        self._order = (-1, indices)  # the last pass asked for and its order

    @property
    def num_batches(self) -> int:
        """Batches that `fit` will take in this epoch."""
        return self.steps - self.first_step

    def order(self, number: int) -> NDArray[np.int64]:
        """Return the images' indices in the order of a pass over them, counted from 0."""
        if self.seed is None:
            return self.indices
        known, order = self._order
        if known != number:
            order = np.random.default_rng((self.seed, number)).permutation(self.indices)
            self._order = (number, order)
        return order

    def __getitem__(self, step: int) -> tuple[NDArray[np.generic], ...]:
        """Return a batch of the current epoch, counted from `first_step`."""
        number, step = divmod(self.epoch * self.steps + self.first_step + step, self.steps_per_pass)
        bounds = np.linspace(0, len(self.indices), self.steps_per_pass + 1).astype(np.int64)
        indices = self.order(number)[bounds[step] : bounds[step + 1]]
        images = self.images[indices]
        targets = np.eye(self.num_classes, dtype=np.float32)[self.labels[indices]]
        weights = None if self.weights is None else self.weights[self.labels[indices]]
        if self.augmentation is not None and self.seed is not None:
            images = augment(
                np.asarray(images, np.uint8),
                indices,
                self.augmentation,
                seed=self.seed,
                epoch=number,
            )
            mixed = weights if weights is not None else np.ones(len(indices), np.float32)
            images, targets, mixed = mix(
                images, targets, mixed, self.augmentation, seed=self.seed, epoch=number, step=step
            )
            weights = None if weights is None else mixed
        return (images, targets) if weights is None else (images, targets, weights)
