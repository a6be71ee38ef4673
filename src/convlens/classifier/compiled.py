"""Compiled: a classifier whose network is compiled for inference, for many images.

The answer of OpenVINO for an image does not depend on the other images, see
`convlens.classifier.runtime`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.classifier.prediction import Predictor
from convlens.classifier.runtime import Compiled, compile_model
from convlens.preprocess import ImageArray, Preprocessing


@dataclass(eq=False)
class CompiledClassifier(Predictor):
    """What a classifier says, computed by another engine; see `Predictor`.

    Attributes:
        compiled: The network, from uint8 images to probabilities.
    """

    compiled: Compiled
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None

    def probabilities(
        self, images: ImageArray, *, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        """Return (n, num_classes) for uint8 (n, height, width, channels), as `prepare` gives."""
        return self.compiled(images)


def compile_classifier(classifier: Classifier, precision: str) -> CompiledClassifier:
    """Return a classifier of float32 that OpenVINO computes.

    Args:
        classifier: The classifier.
        precision: The arithmetic: "float32", "bfloat16" or "auto".

    Raises:
        BackendError: If OpenVINO is not installed or cannot run the network.
    """
    return CompiledClassifier(
        compile_model(classifier.model, precision, "openvino"),
        classifier.class_names,
        classifier.preprocessing,
        classifier.threshold,
    )
