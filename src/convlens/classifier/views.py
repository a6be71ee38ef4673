"""Views: what a network says of an image and of its mirror image, together.

A network that has learned from mirrored images sees another view of the same thing in each. The
mean of its two answers is correct more often than either of them. A second look costs as much as
the first one, and changes an answer only where the first one was in doubt, so that it is left out
where the network is sure. docs/decisions/fast.md has the figures.

Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
        Networks" (2012), who average the answers for crops and their mirror images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from convlens.classifier.prediction import Predictor
from convlens.preprocess import ImageArray, Preprocessing

SURE = 0.9  # With this probability or more, a second look changes next to nothing.
PART = 256  # images that are copied and mirrored at a time
LEAST = np.finfo(np.float32).tiny  # so that a probability of 0 has a logarithm


@dataclass(eq=False)
class WithMirror(Predictor):
    """A predictor that looks at the mirror image, too, where it is in doubt; see `Predictor`.

    Attributes:
        predictor: What answers for each view.

    Example:
        >>> from convlens import Classifier
        >>> classifier = WithMirror.of(Classifier.load("runs/pets-1"))  # doctest: +SKIP
        >>> classifier.predict("photo.jpg")[0].label  # doctest: +SKIP
        'cat'
    """

    predictor: Predictor
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None

    @classmethod
    def of(cls, predictor: Predictor) -> "WithMirror":
        """Return a predictor of two views that has the classes and the threshold of another one."""
        return cls(predictor, predictor.class_names, predictor.preprocessing, predictor.threshold)

    def probabilities(
        self,
        images: ImageArray,
        *,
        indices: NDArray[np.int64] | None = None,
        batch_size: int | None = None,
    ) -> NDArray[np.float32]:
        """Return (m, num_classes) for uint8 (n, height, width, channels), as `prepare` gives.

        Args:
            images: The images.
            indices: (m,) indices of the images to classify. If None, all are classified.
            batch_size: How many images are classified at a time, see `Predictor`.
        """
        indices = np.arange(len(images)) if indices is None else indices
        parts = [
            self._of_part(images[indices[start : start + PART]], batch_size)
            for start in range(0, len(indices), PART)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.class_names)), np.float32)

    def _of_part(self, images: ImageArray, batch_size: int | None) -> NDArray[np.float32]:
        first = np.array(self.predictor.probabilities(images, batch_size=batch_size))
        doubted = np.flatnonzero(first.max(axis=1) < SURE)
        if len(doubted):
            mirrored = np.ascontiguousarray(images[doubted, :, ::-1])
            second = self.predictor.probabilities(mirrored, batch_size=batch_size)
            first[doubted] = together(first[doubted], second)
        return first


def together(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n, num_classes) probabilities: those of the mean of the logits of two views.

    >>> together(np.float32([[0.6, 0.4]]), np.float32([[0.1, 0.9]])).round(3)
    array([[0.29, 0.71]], dtype=float32)
    """
    logits = (np.log(np.maximum(first, LEAST)) + np.log(np.maximum(second, LEAST))) / 2
    return np.asarray(softmax(logits, axis=1), np.float32)
