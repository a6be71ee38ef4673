"""Samples: the images of a run on which its exported network is compared and calibrated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.data.decoding import Progress
from convlens.data.prepared import prepare_data
from convlens.errors import ConfigError, DataError, RunError
from convlens.export.quantise import CALIBRATED_ON, SEED
from convlens.language import _
from convlens.preprocess import ImageArray
from convlens.run import Run

COMPARED = 1000  # validation images at most


@dataclass(frozen=True, eq=False)
class Samples:
    """Images as the network takes them, uint8 (n, height, width, channels).

    Attributes:
        images: The images that are compared.
        labels: (n,) their classes; None if they are not known.
        training: The training images that calibrate int8.
    """

    images: ImageArray
    labels: NDArray[np.int64] | None
    training: ImageArray


def given_samples(
    classifier: Classifier,
    images: ImageArray | None = None,
    labels: Sequence[int] | NDArray[np.integer] | None = None,
    training: ImageArray | None = None,
) -> Samples:
    """Return the samples that a user has given; what is left out is empty.

    Raises:
        DataError: If there are not as many labels as images.
    """
    none = np.empty((0, *classifier.preprocessing.shape), np.uint8)
    images = none if images is None else images
    if labels is not None and len(labels) != len(images):
        raise DataError(
            _(
                "each image must have a label; found {images:,} images and {labels:,} labels."
            ).format(images=len(images), labels=len(labels))
        )
    return Samples(
        images,
        None if labels is None else np.asarray(labels, np.int64),
        none if training is None else training,
    )


def samples_of(run: Run, classifier: Classifier, progress: Progress | None = None) -> Samples:
    """Return validation and training images of a run, the same each time.

    Args:
        run: The run.
        classifier: Its classifier.
        progress: A function that is called with (images done, number of images) while decoding.

    Raises:
        DataError: If the images are not there.
        RunError: If they are not those of the run.
    """
    config = run.config
    dataset = run.load_images()
    prepared = run.divided(
        prepare_data(
            dataset.with_classes(classifier.class_names),
            config,
            preprocessing=classifier.preprocessing,
            progress=progress,
            drawn=run.drawn(dataset),
        )
    )
    compared = _drawn(prepared.splits.val, COMPARED)
    images = prepared.store.images
    return Samples(
        images[compared],
        prepared.dataset.labels[compared],
        images[_drawn(prepared.splits.train, CALIBRATED_ON)],
    )


def samples_if_there(
    run: Run, precision: str, notes: list[str], progress: Progress | None = None
) -> Samples | None:
    """Return the images of a run, or None with a note if they are not there and not needed.

    Args:
        run: The run.
        precision: The precision of the export; int8 needs the images.
        notes: Gets the note.
        progress: As in `samples_of`.

    Raises:
        ConfigError: If int8 cannot be calibrated.
    """
    try:
        return samples_of(run, run.classifier(), progress)
    except (DataError, RunError) as error:
        if precision == "int8":
            raise ConfigError(
                _("int8 is calibrated on the training images of the run: {reason}").format(
                    reason=error.args[0]
                )
            ) from error
        notes.append(
            _("the validation images are not compared: {reason}").format(reason=error.args[0])
        )
        return None


def _drawn(indices: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return a random choice of indices, the same each time, if there are more than enough."""
    if len(indices) <= most:
        return indices
    return np.sort(np.random.default_rng(SEED).choice(indices, most, replace=False))
