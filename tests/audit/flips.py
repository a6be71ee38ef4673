"""Handwritten digits of scikit-learn, with some labels that are flipped by chance."""

import numpy as np
from sklearn.datasets import load_digits


def digits(count: int = 1797, seed: int = 0):
    """Return (count, 64) float32 pixels and their labels, drawn by chance."""
    features, labels = load_digits(return_X_y=True)
    chosen = np.random.default_rng(seed).permutation(len(labels))[:count]
    return features[chosen].astype(np.float32), labels[chosen].astype(np.int64)


def flipped(labels, rate: float, seed: int = 0):
    """Return labels of which a share is another of ten classes."""
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(labels)) < rate
    return np.where(wrong, (labels + rng.integers(1, 10, len(labels))) % 10, labels)
