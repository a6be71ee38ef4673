"""Nearest: the training images that are nearest in the features from which a network decides."""

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import parents, producer
from convlens.maps.ending import ancestors

SAMPLE = 500  # images whose nearest one is looked for
RARE = 0.05  # the share of images that count as unusually far from all others


def deciding_body(model: keras.Model) -> keras.Model:
    """Return the network from images to (batch, width) features, the input of its last dense layer.

    Where the network ends without a dense layer, the features are the logits.

    Args:
        model: A network without nested models, from images to logits.
    """
    for tensor in ancestors(model.outputs[0]):
        if isinstance(producer(tensor), keras.layers.Dense):
            (features,) = parents(tensor)
            if len(features.shape) == 2:
                return keras.Model(model.input, features, name="deciding")
            break
    return keras.Model(model.input, model.outputs[0], name="deciding")


def nearest(
    features: NDArray[np.float32], of_training: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the (count,) nearest rows by the cosine of the angle, and these cosines.

    Args:
        features: (width,) the features of the image.
        of_training: (n, width) those of the training images.
        count: How many are wanted; fewer are returned if there are fewer.
    """
    length = np.linalg.norm(of_training, axis=1) * np.linalg.norm(features)
    cosines = of_training @ features / np.maximum(length, np.finfo(np.float32).tiny)
    order = np.argsort(-cosines, kind="stable")[:count]
    return order, cosines[order].astype(np.float64)


def usual_cosines(of_training: NDArray[np.float32], seed: int = 0) -> tuple[float, float]:
    """Return the cosines that tell how near training images usually are to the nearest other one.

    Args:
        of_training: (n, width) the features of the training images.
        seed: The seed of the sample in which the nearest images are looked for.

    Returns:
        The cosine that all but `RARE` of the images reach, and the one that half of them reach;
        1 and 1 if there are fewer than two images.
    """
    if len(of_training) < 2:
        return 1.0, 1.0
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(of_training))[:SAMPLE]
    length = np.maximum(np.linalg.norm(of_training, axis=1), np.finfo(np.float32).tiny)
    cosines = (of_training[chosen] @ np.asarray(of_training).T) / np.outer(length[chosen], length)
    cosines[np.arange(len(chosen)), chosen] = -np.inf
    least, middle = np.quantile(cosines.max(axis=1), [RARE, 0.5])
    return float(least), float(middle)
