"""A network of twelve pixels, images for it, and what it computes for them."""

import numpy as np

from convlens.data.digests import digests_of
from convlens.data.store import Store

WIDTH = 5
KERNEL = np.random.default_rng(1).normal(size=(12, WIDTH)).astype(np.float32)


class Network:
    """Twelve pixels times a kernel; counts the images it is shown."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        return images.reshape(len(images), -1).astype(np.float32) @ KERNEL


def store_of(count: int, seed: int = 0) -> Store:
    images = np.random.default_rng(seed).integers(0, 256, (count, 3, 4, 1), np.uint8)
    return Store(images, digests_of(images), {})


def wanted(store: Store) -> np.ndarray:
    return store.images.reshape(len(store.images), -1).astype(np.float32) @ KERNEL
