"""Predict again: predictions.csv of a finished run that an earlier version made without it.

The report stays as it is, and nothing is decided by the test images anew: the same classifier
predicts the same images.
"""

from contextlib import nullcontext

import numpy as np

from convlens.checksums import SUMS, resealed
from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.errors import RunError
from convlens.evaluation.evaluate import evaluate
from convlens.language import _
from convlens.report.again import images_of, refuse_several
from convlens.report.predictions import write_predictions
from convlens.run import Run
from convlens.screen import Screen

PART = 512  # images between two pieces of progress


def predict_again(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> None:
    """Write predictions.csv of a finished run.

    Args:
        run: The run.
        classifier: Its classifier.
        dataset: Its images, with its lists.
        screen: Where the progress is shown.

    Raises:
        RunError: If the images are not those of the run, or it consists of several trainings.
        StorageError: If the file cannot be written.
    """
    refuse_several(run)
    prepared = images_of(run, classifier, dataset, screen)
    test = prepared.splits.test
    indices = test if len(test) else prepared.splits.val
    if not len(indices):
        raise RunError(
            _("{folder}: this run has no scores, since no images were set aside for them.").format(
                folder=run.folder
            )
        )
    parts = []
    with screen.counter(_("predicting")) as progress:
        for start in range(0, len(indices), PART):
            part = indices[start : start + PART]
            parts.append(classifier.probabilities(prepared.store.images, indices=part))
            progress(min(start + PART, len(indices)), len(indices))
    evaluation = evaluate(
        prepared.dataset.labels[indices], np.concatenate(parts), classifier.class_names
    )
    files = [prepared.dataset.file_name(int(index)) for index in indices]
    is_sealed = (run.folder / SUMS).exists()
    with resealed(run.folder) if is_sealed else nullcontext():
        write_predictions(run.folder, evaluation, files)
