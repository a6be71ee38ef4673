"""Gradient: maps by the gradient of a logit at the last feature map.

Gradient times activation is what each position contributes if the network is replaced by its slope
at this image. In a network of ReLU, the contributions and the remainder, which the biases and the
kinks make, add up to the logit. Grad-CAM averages the gradient over the positions first, and keeps
what speaks for the class only. It is an approximation: it can give positions a share that the logit
does not depend on.

Source      Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
            Localization", 2016, arXiv:1610.02391
"""

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.backend import gradients
from convlens.maps.heat import HeatMap, Target


def gradient_at(
    head: keras.Model, features: NDArray[np.float32], target: Target
) -> NDArray[np.float64]:
    """Return (rows, columns, channels) the gradient of a target at a feature map of this shape.

    Args:
        head: The model from the feature map to the logits.
        features: The feature map of an image.
        target: What is explained.
    """

    def explained(tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
        return target.of(head(tensors[0], training=False))[0]

    (gradient,) = gradients(explained, [features[None]])
    return np.asarray(gradient[0], np.float64)


def gradient_map(
    gradient: NDArray[np.float64],
    features: NDArray[np.float32],
    logits: NDArray[np.float32],
    target: Target,
) -> HeatMap:
    """Return gradient times activation; the mean of its values plus the remainder is the logit.

    Args:
        gradient: (rows, columns, channels) the gradient of the target.
        features: The feature map of the image, in the same shape.
        logits: (num_classes,) the logits of the image.
        target: What is explained.
    """
    products = gradient * features
    positions = features.shape[0] * features.shape[1]
    logit = float(target.of(np.asarray(logits, np.float64)[None])[0])
    return HeatMap(
        "gradient",
        target,
        products.sum(axis=2) * positions,
        logit,
        remainder=float(logit - products.sum()),
    )


def grad_cam(
    gradient: NDArray[np.float64],
    features: NDArray[np.float32],
    logits: NDArray[np.float32],
    target: Target,
) -> HeatMap:
    """Return Grad-CAM in the unit of the logits: the number of positions times that of the paper.

    The arguments are those of `gradient_map`. Where only global average pooling and one dense
    layer follow the feature map, it is the exact map without what is below 0.
    """
    positions = features.shape[0] * features.shape[1]
    values = (features * gradient.mean(axis=(0, 1))).sum(axis=2) * positions
    logit = float(target.of(np.asarray(logits, np.float64)[None])[0])
    return HeatMap("grad-cam", target, np.maximum(values, 0.0), logit)
