"""Finish: the one way from the best weights of a run to a calibrated, scored classifier.

A finished classifier is scored again here too, on the images of its run or on others.

Every training ends here: `convlens train` with all its variants, each network of a comparison, and
the best trial of a search. The test images are therefore touched once, and always after the
calibration.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.config import TrainingConfig
from convlens.data.dataset import Dataset
from convlens.data.deep import describe_unit, with_unit
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.splits import Splits
from convlens.data.store import open_store
from convlens.errors import DataError, RunError, TrainingError
from convlens.evaluation.calibration import (
    FEWEST,
    apply_temperature,
    choose_threshold,
    fit_temperature,
)
from convlens.evaluation.evaluate import evaluate
from convlens.files import claim_folder, numbered
from convlens.language import _
from convlens.report.results import Scored, judge_run, show, write_evaluation
from convlens.run import Run
from convlens.screen import Screen

Predict = Callable[[Classifier, NDArray[np.int64]], NDArray[np.float32]]
"""Returns (m, num_classes) probabilities of the images of a store with (m,) indices."""


def finish(
    run: Run,
    prepared: Prepared,
    screen: Screen,
    *,
    predict: Predict | None = None,
    scored: Scored | None = None,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Classifier, Scored | None]:
    """Calibrate the best epoch, score it once on the test images, save it, and write the report.

    Args:
        run: A run with a classifier. It counts as finished afterwards.
        prepared: The images and their split.
        screen: Where the scores are shown.
        predict: Computes the probabilities, where that is faster than the classifier.
        scored: Scores that are there already, such as those of the held-out parts of a
            cross-validation; then the test images are not touched.
        facts: Further entries of report.json.

    Returns:
        The calibrated classifier, as it lies in the run folder, and its scores, or None where no
        images were set aside.

    Raises:
        TrainingError: If no epoch was finished, so that there is no classifier.
        StorageError: If the report cannot be written.
    """
    if not run.classifier_path.exists():
        raise TrainingError(
            _("{folder}: no epoch was finished, so there is no classifier.").format(
                folder=run.folder
            )
        )
    classifier = run.classifier()
    if scored is None and not (len(prepared.splits.test) or len(prepared.splits.val)):
        screen.note(_("no images were set aside (--test, --val), so there are no scores"))
        run.write(
            "report.json",
            json.dumps({"title": run.folder.name, "n": 0, "metrics": {}, "test_evaluations": 0}),
        )
        return classifier, None
    classifier = calibrate(classifier, prepared, run.config.training, screen, predict)
    if scored is None:
        scored = score(classifier, prepared, screen, predict=predict)
    classifier.provenance["metrics"] = scored.evaluation.to_dict()["metrics"]
    classifier.save(run.classifier_path)
    report_run(run, classifier, scored, screen, facts)
    return classifier, scored


def calibrate(
    classifier: Classifier,
    prepared: Prepared,
    settings: TrainingConfig,
    screen: Screen,
    predict: Predict | None = None,
) -> Classifier:
    """Return the classifier with a temperature and a threshold fitted to the validation images.

    Where there are too few of them, or the settings do not ask for it, the temperature is 1 and
    every image belongs to a class.
    """
    classifier = classifier.recalibrated(1.0, None)
    if not settings.calibration:
        return classifier
    indices = prepared.splits.val
    rows = probabilities(classifier, prepared, indices, predict)
    labels = prepared.dataset.labels[indices]
    temperature = fit_temperature(labels, rows)
    if temperature is None:
        screen.note(
            _(
                "fewer than {fewest} validation images were classified correctly: too few to "
                "calibrate the probabilities, and to choose a threshold for none of these"
            ).format(fewest=FEWEST)
        )
        return classifier
    threshold = choose_threshold(labels, apply_temperature(rows, temperature), settings.accept)
    return classifier.recalibrated(temperature, threshold)


def probabilities(
    classifier: Classifier,
    prepared: Prepared,
    indices: NDArray[np.int64],
    predict: Predict | None,
) -> NDArray[np.float32]:
    """Return (m, num_classes) probabilities, by `predict` where given, else by the classifier."""
    if predict is not None and len(indices):
        return predict(classifier, indices)
    return classifier.probabilities(prepared.store.images, indices=indices)


def score(
    classifier: Classifier,
    prepared: Prepared,
    screen: Screen,
    *,
    name: str = "test",
    predict: Predict | None = None,
) -> Scored:
    """Score a classifier on the test images, or on the validation images where there are none.

    Args:
        classifier: The classifier to score.
        prepared: The images and their split.
        screen: Where a note says that validation images were used.
        name: What the report calls these images.
        predict: Computes the probabilities, where that is faster than the classifier.

    Raises:
        DataError: If there are neither test nor validation images.
    """
    indices = prepared.splits.test
    if not len(indices):
        indices = prepared.splits.val
        name = "validation"
        if not len(indices):
            raise DataError(
                _(
                    "a score needs test or validation images; this run set none aside (--test, "
                    "--val)."
                )
            )
        if classifier.threshold is None:
            note = _(
                "no test images: these scores are of the validation images, which chose the epoch"
            )
        else:
            note = _(
                "no test images: these scores are of the validation images, which chose the epoch "
                "and the calibration"
            )
        screen.note(note)
    evaluation = evaluate(
        prepared.dataset.labels[indices],
        probabilities(classifier, prepared, indices, predict),
        classifier.class_names,
        images_seen=name,
        threshold=classifier.threshold,
    )
    return Scored(evaluation, prepared, indices)


def report_run(
    run: Run,
    classifier: Classifier,
    scored: Scored,
    screen: Screen,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write and show the report of a run, and count how often its test images were used."""
    earlier = run.report["test_evaluations"] if run.finished else 0
    count = earlier + int(scored.evaluation.images_seen == "test")
    extra = {"test_evaluations": count} | dict(facts or {})
    write_evaluation(run, run.folder, classifier, scored, extra)
    show(scored.evaluation, run.folder, screen)
    verdict = judge_run(run, classifier)
    if verdict:
        screen.fact(_("epochs"), verdict)


def score_again(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score the classifier of a run on the run's own test images; return the report's folder.

    Raises:
        RunError: If the images are not those of the run, or the run consists of several trainings
            (a cross-validation, or draws of few images).
        DataError: If the run set no images aside.
    """
    if "few" in run.data:
        raise RunError(
            _(
                "{folder}: its score is the mean over draws, see report.json. To score one of them "
                "again: convlens evaluate {draw}. To score on other images: --data PATH."
            ).format(folder=run.folder, draw=run.folder / "draw-1")
        )
    if "folds" in run.data:
        raise RunError(
            _(
                "{folder}: a cross-validation scored every image once already, see report.html; "
                "its classifier was trained on all of them. To score on other images: --data PATH."
            ).format(folder=run.folder)
        )
    dataset = dataset.with_classes(classifier.class_names)
    with screen.counter(_("decoding")) as progress:
        prepared = prepare_data(
            dataset, run.config, preprocessing=classifier.preprocessing, progress=progress
        )
    if "features" in classifier.provenance and classifier.provenance["best"]["epoch"] == 0:
        screen.note(
            _(
                "the scores of the training were computed from features in {arithmetic}; these are "
                "of the classifier in float32, and differ a little"
            ).format(arithmetic=classifier.provenance["features"])
        )
    report_run(run, classifier, score(classifier, run.divided(prepared), screen), screen)
    return run.folder


def score_other(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score a classifier on other images, of their test set where they have one, else of all.

    Returns:
        The folder of the report, `evaluations/<name>/` of the run, with a number where a report on
        images of another place has that name.

    Raises:
        DataError: If the images have a class that the classifier does not know, or none can be
            read.
        StorageError: If the report cannot be written.
    """
    dataset = dataset.with_classes(classifier.class_names)
    with screen.counter(_("decoding")) as progress:
        preprocessing = with_unit(classifier.preprocessing, dataset, progress)
        store = open_store(dataset, preprocessing, progress)
    for note in (*describe_unit(classifier.preprocessing, preprocessing), *store.notes):
        screen.note(note)
    chosen = store.usable
    if dataset.splits is not None:
        of_test = (dataset.splits == "test") & store.usable
        chosen = of_test if of_test.any() else store.usable
    none = np.empty(0, np.int64)
    splits = Splits(none, none, np.flatnonzero(chosen))
    prepared = Prepared(dataset, preprocessing, store, splits)
    if prepared.fingerprint == run.data["fingerprint"] and dataset.splits is None:
        screen.note(_("these are the images of the training: the scores are too high"))
    scored = score(classifier, prepared, screen, name=dataset.name)
    folder = _evaluation_folder(run, dataset)
    evaluated = {"evaluated": dataset.source, "evaluated_path": dataset.path}
    write_evaluation(run, folder, classifier, scored, evaluated)
    show(scored.evaluation, folder, screen)
    return folder


def _evaluation_folder(run: Run, dataset: Dataset) -> Path:
    """Return a folder that is new, or that has an earlier report on images of the same place."""
    name = dataset.name.replace("/", "_")
    return next(
        folder
        for folder in numbered(run.folder / "evaluations" / name)
        if claim_folder(folder, _("the folder of the report")) or _evaluated(folder) == dataset.path
    )


def _evaluated(folder: Path) -> str | None:
    """Return where the images of a report lie, or None if there is no report."""
    try:
        return Run(folder).report.get("evaluated_path")
    except RunError:
        return None
