"""Exact: the class activation map whose mean over the positions plus a bias is the logit.

After global average pooling, the map is the class activation map of Zhou et al.; after flattening,
where each position has weights of its own, it is the map of HiResCAM. Both are the same sum: each
position of the last feature map times its weights.

Source      Zhou, Khosla, Lapedriza, Oliva, Torralba, "Learning Deep Features for Discriminative
            Localization", 2015, arXiv:1512.04150
            Draelos, Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of
            convolutional neural networks", 2020, arXiv:2011.08891
"""

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.backend import gradients
from convlens.maps.ending import Ending
from convlens.maps.heat import Floats, HeatMap, Target


@dataclass(frozen=True, eq=False)
class Terms:
    """The weights and the bias of the sum that a logit is, or the difference of two logits.

    Attributes:
        weights: (rows, columns, channels), of which each is multiplied with its value of the last
            feature map. The products and the bias add up to the logit.
        bias: What is added to the products.
    """

    weights: Floats
    bias: float


def read_terms(ending: Ending, target: Target) -> Terms:
    """Return the terms of a target.

    They are read off as the gradient at a map of zeros, and the value there, since the sum has the
    same gradient everywhere. Scalers between the map and the logits are folded in by that.
    """
    zeros = np.zeros((1, *ending.map.shape[1:]), np.float32)

    def explained(tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
        return target.of(ending.head(tensors[0], training=False))[0]

    (weights,) = gradients(explained, [zeros])
    logits = keras.ops.convert_to_numpy(ending.head(zeros, training=False))
    bias = target.of(np.asarray(logits, np.float64))[0]
    return Terms(weights[0].astype(np.float64), float(bias))


def exact_map(
    terms: Terms, features: NDArray[np.float32], logits: NDArray[np.float32], target: Target
) -> HeatMap:
    """Return the map of an image; the mean of its values plus the bias is the logit.

    Args:
        terms: The terms of the target.
        features: (rows, columns, channels) the last feature map of the image.
        logits: (num_classes,) the logits that the network itself computed of the image.
        target: What is explained.
    """
    products = terms.weights * features
    positions = features.shape[0] * features.shape[1]
    logit = target.of(np.asarray(logits, np.float64)[None])[0]
    return HeatMap(
        "exact",
        target,
        products.sum(axis=2) * positions,
        float(logit),
        bias=terms.bias,
        absolute=float(np.abs(products).sum() + abs(terms.bias)),
    )


def additivity_error(heat: HeatMap) -> float:
    """Return how far the sum of an exact map is from the logit, as a share of the absolute terms.

    It is 0 where all terms are 0, and infinity where a value is not finite.
    """
    error = abs(heat.values.mean() + (heat.bias or 0.0) - heat.logit)
    if not np.isfinite(error):
        return float("inf")
    return float(error / heat.absolute) if error else 0.0
