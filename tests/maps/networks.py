"""A network that needs no training: it finds a red mark, and nothing else."""

import keras
import numpy as np
from keras import layers

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.preprocess import Preprocessing

SIDE = 32
MARK = (slice(8, 16), slice(20, 28))  # rows and columns of the mark in an image of `marked`
NAMES = ("plain", "marked")


def red_finder(*, metrics: bool = True, hidden: bool = False) -> Classifier:
    """Return a classifier whose logit of "marked" is the red that exceeds green, on a map of 8 x 8.

    Args:
        metrics: Whether it is known to be accurate.
        hidden: Whether a hidden dense layer precedes the logits, so that there is no exact map.
    """
    steps = [
        layers.Conv2D(1, 4, strides=4, activation="relu", name="red"),
        layers.Flatten() if hidden else layers.GlobalAveragePooling2D(),
        *([layers.Dense(1, "relu", name="hidden")] if hidden else []),
        layers.Dense(2, name="logits"),
    ]
    preprocessing = Preprocessing(SIDE, SIDE, 3)
    model = assemble(keras.Sequential(steps), preprocessing, 2, "red_finder")
    kernel = np.zeros((4, 4, 3, 1), np.float32)
    kernel[..., 0, 0] = 1 / 16
    kernel[..., 1, 0] = -1 / 16
    weights = [kernel, np.full(1, -0.2, np.float32)]
    if hidden:
        weights += [np.full((64, 1), 1 / 64, np.float32), np.zeros(1, np.float32)]
    weights += [np.array([[-100.0, 100.0]], np.float32), np.array([1.0, -1.0], np.float32)]
    model.set_weights(weights)
    classifier = Classifier.from_logits(model, NAMES, preprocessing, temperature=2.0)
    if metrics:
        score = {"value": 0.99, "low": 0.97, "high": 1.0, "n": 200}
        classifier.provenance["metrics"] = {"accuracy": score}
    classifier.examples = np.stack([marked(seed) for seed in range(4)])
    return classifier


def marked(seed: int = 0) -> np.ndarray:
    """Return a grey image of noise with a red mark, (SIDE, SIDE, 3) uint8."""
    grey = np.random.default_rng(seed).integers(60, 200, (SIDE, SIDE, 1), np.uint8)
    image = np.repeat(grey, 3, axis=2)
    image[MARK] = (255, 0, 0)
    return image
