"""Neighbours: the training images of a run that are nearest to an image, as its network sees them.

The features of the training images are computed once, and kept with all other features.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.runtime import Compiled
from convlens.data.prepared import Prepared
from convlens.language import _
from convlens.maps.explainer import Explainer
from convlens.maps.explanation import Neighbour
from convlens.maps.nearest import deciding_body, nearest, usual_cosines
from convlens.preprocess import ImageArray
from convlens.report.stored import read_doubts
from convlens.run import Run
from convlens.screen import Screen
from convlens.transfer.features import open_features

MOST = 20_000  # training images that are compared


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """The training images of a run with their features.

    Attributes:
        prepared: The images of the run.
        indices: (n,) which of them are compared.
        network: Computes the features of images.
        features: (n, width) the features of those that are compared.
        doubts: What the audit of the run suggests in place of a label, by the index of an image in
            the whole data set.
    """

    prepared: Prepared
    indices: NDArray[np.int64]
    network: Compiled
    features: NDArray[np.float32]
    doubts: dict[int, str]

    @cached_property
    def usual(self) -> tuple[float, float]:
        """How near such images are to each other; see `usual_cosines`."""
        return usual_cosines(self.features)

    def nearest(self, pixels: ImageArray, count: int) -> tuple[Neighbour, ...]:
        """Return those that are nearest to an image (height, width, channels) uint8."""
        rows, cosines = nearest(self.network(pixels[None])[0], self.features, count)
        return tuple(
            self._neighbour(int(self.indices[row]), float(cosine), pixels)
            for row, cosine in zip(rows, cosines, strict=True)
        )

    def _neighbour(self, index: int, cosine: float, asked: ImageArray) -> Neighbour:
        dataset = self.prepared.dataset
        (place,) = self.prepared.in_whole(np.array([index]))
        pixels = np.asarray(self.prepared.store.images[index])
        return Neighbour(
            place,
            dataset.file_name(index),
            dataset.class_names[dataset.labels[index]],
            cosine,
            self.doubts.get(place, ""),
            pixels,
            np.array_equal(pixels, asked),
        )


def open_training_images(
    explainer: Explainer,
    run: Run,
    prepared: Prepared,
    screen: Screen,
    indices: NDArray[np.int64] | None = None,
) -> TrainingImages:
    """Return the training images of a run, whose missing features are computed.

    Args:
        explainer: The explainer of the classifier.
        run: The run.
        prepared: Its images, or others with which an image is compared.
        screen: Where the progress is shown.
        indices: Which of them are compared; by default those of training.

    Raises:
        StorageError: If features cannot be written.
    """
    network, cache = open_features(deciding_body(explainer.network.model), prepared, "float32")
    compared = (prepared.splits.train if indices is None else indices)[:MOST]
    with screen.counter(_("features")) as progress:
        cache.compute(network, prepared.store, compared, progress)
    features = cache.gather(prepared.store, compared)
    doubts = read_doubts(run) if indices is None else {}
    return TrainingImages(prepared, compared, network, features, doubts)
