"""Prediction: what a classifier says of one image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction of a classifier for one image.

    Attributes:
        image: The path of the image, or its number if it was passed as an array.
        label: The most probable class.
        probability: The probability of that class.
        probabilities: (num_classes,) float32, in the order of the classifier's `class_names`.
        known: Whether the probability reaches the classifier's threshold. If it does not, the
            image counts as "none of these".
    """

    image: str
    label: str
    probability: float
    probabilities: NDArray[np.float32]
    known: bool = True
