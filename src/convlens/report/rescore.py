"""Rescore: a classifier scored again, on the images of its run or on others."""

from pathlib import Path

import numpy as np

from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.splits import Splits
from convlens.data.store import open_store
from convlens.errors import RunError
from convlens.report.finish import report_run, score
from convlens.report.results import show, write_evaluation
from convlens.run import Run
from convlens.screen import Screen


def score_again(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score the classifier of a run on the run's own test images; return the report's folder.

    Raises:
        RunError: If the images are not those of the run, or the run consists of several trainings
            (a cross-validation, or draws of few images).
        DataError: If the run set no images aside.
    """
    if "few" in run.data:
        raise RunError(
            "{folder}: its score is the mean over draws, see report.json. To score one of them "
            "again: convlens evaluate {draw}. To score on other images: --data PATH.".format(
                folder=run.folder, draw=run.folder / "draw-1"
            )
        )
    if "folds" in run.data:
        raise RunError(
            "{folder}: a cross-validation scored every image once already, see report.html; its "
            "classifier was trained on all of them. To score on other images: --data PATH.".format(
                folder=run.folder
            )
        )
    dataset = dataset.with_classes(classifier.class_names)
    with screen.counter("decoding") as progress:
        prepared = prepare_data(
            dataset, run.config, preprocessing=classifier.preprocessing, progress=progress
        )
    if "features" in classifier.provenance and classifier.provenance["best"]["epoch"] == 0:
        screen.note(
            "the scores of the training were computed from features in {arithmetic}; these are of "
            "the classifier in float32, and differ a little".format(
                arithmetic=classifier.provenance["features"]
            )
        )
    report_run(run, classifier, score(classifier, run.divided(prepared), screen), screen)
    return run.folder


def score_other(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score a classifier on other images, of their test set where they have one, else of all.

    Returns:
        The folder of the report, `evaluations/<name>/` of the run.

    Raises:
        DataError: If the images have a class that the classifier does not know, or none can be
            read.
        StorageError: If the report cannot be written.
    """
    dataset = dataset.with_classes(classifier.class_names)
    with screen.counter("decoding") as progress:
        store = open_store(dataset, classifier.preprocessing, progress)
    chosen = store.usable
    if dataset.splits is not None:
        of_test = (dataset.splits == "test") & store.usable
        chosen = of_test if of_test.any() else store.usable
    none = np.empty(0, np.int64)
    splits = Splits(none, none, np.flatnonzero(chosen))
    prepared = Prepared(dataset, classifier.preprocessing, store, splits)
    if prepared.fingerprint == run.data["fingerprint"] and dataset.splits is None:
        screen.note("these are the images of the training: the scores are too high")
    scored = score(classifier, prepared, screen, name=dataset.name)
    folder = run.folder / "evaluations" / dataset.name
    write_evaluation(run, folder, classifier, scored, {"evaluated": dataset.source})
    show(scored.evaluation, folder, screen)
    return folder
