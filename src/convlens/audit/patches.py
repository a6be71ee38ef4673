"""Patches: features of small images where no trained backbone is installed.

An image is compared with small squares that were cut at random out of all images, after the
correlations of neighbouring pixels were taken out of them. How far a quarter of the image is like
each of these squares makes its features. Nothing is trained. docs/decisions/labels.md compares
them with the pixels themselves and with backbones.

Source      Coates, Ng, "The Importance of Encoding Versus Training with Sparse Coding and Vector
            Quantization", ICML 2011: random patches, soft threshold, whitening, pooling in quarters
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convlens.preprocess import ImageArray
from convlens.transfer.heads import Floats

SIDE = 6  # pixels of the side of a patch
PATCHES = 400  # with which images are compared
DRAWN = 40_000  # patches by which the whitening is found
FLAT = 10.0  # added to the variance of a patch (pixels from 0 to 255), so that noise stays small
LEAST = 0.1  # added to the eigenvalues of the whitening, for the same reason
THRESHOLD = 0.25  # of the likeness
AT_A_TIME = 32  # images


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches with which images are compared.

    Attributes:
        mean: (pixels,) the mean of normalised patches.
        whitening: (pixels, pixels) the matrix that takes out their correlations.
        chosen: (PATCHES, pixels) whitened patches of length 1.
    """

    mean: Floats
    whitening: Floats
    chosen: Floats

    @property
    def width(self) -> int:
        """The number of features of an image."""
        return 4 * len(self.chosen)

    def features(self, images: ImageArray) -> Floats:
        """Return (m, width) features of (m, side, side, channels) images."""
        parts = [
            self._of_some(images[start : start + AT_A_TIME])
            for start in range(0, len(images), AT_A_TIME)
        ]
        return np.concatenate(parts)

    def _of_some(self, images: ImageArray) -> Floats:
        cut = _cut(images)
        rows = (_normalised(cut.reshape(-1, len(self.mean))) - self.mean) @ self.whitening
        likeness = np.maximum(rows @ self.chosen.T - THRESHOLD, 0)
        likeness = likeness.reshape(*cut.shape[:3], -1)
        middle = cut.shape[1] // 2
        halves = (slice(None, middle), slice(middle, None))
        quarters = [likeness[:, down, across].mean((1, 2)) for down in halves for across in halves]
        return np.concatenate(quarters, axis=1)


def draw_patches(images: ImageArray, seed: int = 0) -> Patches:
    """Return patches of some images, drawn at random.

    Args:
        images: (m, side, side, channels) uint8, one or more.
        seed: The seed of the draw.
    """
    rng = np.random.default_rng(seed)
    cut = _cut(images)
    places = tuple(rng.integers(0, size, DRAWN) for size in cut.shape[:3])
    rows = _normalised(cut[places].reshape(DRAWN, -1))
    mean = rows.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(rows - mean, rowvar=False))
    whitening = ((vectors / np.sqrt(values + LEAST)) @ vectors.T).astype(np.float32)
    chosen = (rows[:PATCHES] - mean) @ whitening
    length = np.linalg.norm(chosen, axis=1, keepdims=True)
    return Patches(mean, whitening, chosen / np.maximum(length, 1e-6))


def _cut(images: ImageArray) -> NDArray[np.uint8]:
    """Return (m, places, places, channels, SIDE, SIDE) all patches of images, as a view."""
    return sliding_window_view(images, (SIDE, SIDE), axis=(1, 2))


def _normalised(patches: NDArray[np.uint8]) -> Floats:
    """Return (m, pixels) patches of equal brightness and contrast."""
    rows: Floats = patches.astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt(np.square(rows).mean(axis=1, keepdims=True) + FLAT)
    return rows
