"""Finish: the one way from the best weights of a run to a calibrated, scored classifier.

Every training ends here: `convlens train` with all its variants, each network of a comparison, and
the best trial of a search. The test images are therefore touched once, and always after the
calibration.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.checksums import resealed, seal, unseal
from convlens.classifier.classifier import Classifier
from convlens.classifier.kept import keep_if_asked
from convlens.config import TrainingConfig
from convlens.data.prepared import Prepared
from convlens.errors import DataError, RunError, TrainingError
from convlens.evaluation.calibration import (
    FEWEST,
    apply_temperature,
    choose_threshold,
    fit_temperature,
    is_at_end,
)
from convlens.evaluation.evaluate import evaluate
from convlens.language import _
from convlens.report.results import Scored, judge_run, publish
from convlens.run import Run
from convlens.run_folder import read_json
from convlens.screen import Screen

EVALUATIONS = "evaluations"  # the folder of reports in folders of their own
Predict = Callable[[Classifier, NDArray[np.int64]], NDArray[np.float32]]
"""Returns (m, num_classes) probabilities of the images of a store with (m,) indices."""


def finish(  # noqa: PLR0913 - a run, its images, and what is known or wanted besides
    run: Run,
    prepared: Prepared,
    screen: Screen,
    *,
    predict: Predict | None = None,
    scored: Scored | None = None,
    facts: Mapping[str, Any] | None = None,
    explain: bool = True,
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
        explain: Whether the report explains the most confident mistakes; see `Scored`.

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
    unseal(run.folder)
    classifier = run.classifier()
    if scored is None and not (len(prepared.splits.test) or len(prepared.splits.val)):
        screen.note(_("no images were set aside (--test, --val), so there are no scores"))
        run.write(
            "report.json",
            json.dumps({"title": run.folder.name, "n": 0, "metrics": {}, "test_evaluations": 0}),
        )
        seal(run.folder)
        return classifier, None
    classifier = calibrate(classifier, prepared, run.config.training, screen, predict)
    if scored is None:
        scored = score(classifier, prepared, screen, predict=predict)
    if not explain:
        scored = replace(scored, explained=False)
    classifier.provenance["metrics"] = scored.evaluation.to_dict()["metrics"]
    classifier.save(run.classifier_path)
    keep_if_asked(classifier, run.classifier_path)
    report_run(run, classifier, scored, screen, facts, earlier=looks_so_far(run))
    return classifier, scored


def looks_so_far(run: Run) -> int:
    """Return how often the test images of a run were used before it was finished."""
    reports = (run.folder / EVALUATIONS).glob("[!.]*/report.json")  # and none that was not finished
    return sum(looks_in(path.parent) for path in reports)


def looks_in(folder: Path) -> int:
    """Return how often the test images of a run were used for the report in a folder."""
    with suppress(RunError):  # There is none, or it is damaged, for which no training fails.
        count: int = read_json(folder / "report.json").get("test_evaluations", 0)
        return count
    return 0


def calibrate(
    classifier: Classifier,
    prepared: Prepared,
    settings: TrainingConfig,
    screen: Screen,
    predict: Predict | None = None,
) -> Classifier:
    """Return the classifier with a temperature and a threshold fitted to the validation images.

    Where there are too few of them, or the settings do not ask for it, the temperature is 1 and
    every image belongs to a class. Its provenance then says why; see `UNCALIBRATED`.
    """
    classifier = classifier.recalibrated(1.0, None)
    if not settings.calibration:
        return _uncalibrated(classifier, "settings")
    indices = prepared.splits.val
    if not len(indices):
        screen.note(
            _(
                "no validation images were set aside (--val): the probabilities cannot be "
                "calibrated, and no threshold can be chosen for none of these"
            )
        )
        return _uncalibrated(classifier, "none")
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
        return _uncalibrated(classifier, "few")
    if is_at_end(temperature):
        screen.note(
            _(
                "the probabilities are calibrated only in part: the temperature of {temperature:g} "
                "is at the end of the range that is tried. More epochs or images may help."
            ).format(temperature=round(temperature, 2))
        )
    threshold = choose_threshold(labels, apply_temperature(rows, temperature), settings.accept)
    return classifier.recalibrated(temperature, threshold)


def _uncalibrated(classifier: Classifier, reason: str) -> Classifier:
    """Return the classifier with the reason why it is not calibrated, one of `UNCALIBRATED`."""
    return replace(classifier, provenance=classifier.provenance | {"uncalibrated": reason})


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
    *,
    earlier: int = 0,
) -> None:
    """Show the scores of a run, and write its report.

    Args:
        run: The run.
        classifier: Its classifier.
        scored: Its scores.
        screen: Where they are shown.
        facts: Further entries of report.json.
        earlier: How often the test images were used before. A training that was killed while it
            was scored, and is scored again, has not used them before.
    """
    count = earlier + int(scored.evaluation.images_seen == "test")
    extra = {"test_evaluations": count} | dict(facts or {})
    with resealed(run.folder):
        publish(run, run.folder, classifier, scored, extra, screen)
    verdict = judge_run(run, classifier)
    if verdict:
        screen.fact(_("epochs"), verdict)
