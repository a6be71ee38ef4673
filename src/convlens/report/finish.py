"""Score: a classifier on images it has never seen, and the report of it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.config import TrainingConfig
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.splits import Splits
from convlens.data.store import open_store
from convlens.errors import DataError, RunError
from convlens.evaluation.calibration import (
    FEWEST,
    apply_temperature,
    choose_threshold,
    fit_temperature,
)
from convlens.evaluation.epochs import judge_epochs
from convlens.evaluation.evaluate import Evaluation, evaluate
from convlens.report.page import write_report
from convlens.report.scores_table import scores_table
from convlens.run import Run
from convlens.screen import Screen

FEW = 100  # images; below, an interval spans some 15 points and more
Answers = Callable[[Classifier, NDArray[np.int64]], NDArray[np.float32]]
"""(m, num_classes) probabilities that a classifier gives the images of a store with (m,) indices."""


@dataclass(frozen=True, eq=False)
class Scored:
    """An evaluation and the images it is of.

    Attributes:
        evaluation: all scores.
        prepared: the images.
        indices: (n,) which of them were scored.
    """

    evaluation: Evaluation
    prepared: Prepared
    indices: NDArray[np.int64]


def calibrate(
    classifier: Classifier,
    prepared: Prepared,
    settings: TrainingConfig,
    screen: Screen,
    answers: Answers | None = None,
) -> Classifier:
    """Return the classifier with a temperature and a threshold that fit the validation images.

    Without enough of them, or where the settings do not want it, every image is of a class and the temperature is 1.
    """
    classifier, indices = classifier.recalibrated(1.0, None), prepared.splits.val
    if not settings.calibration:
        return classifier
    rows, labels = answer(classifier, prepared, indices, answers), prepared.dataset.labels[indices]
    temperature = fit_temperature(labels, rows)
    if temperature is None:
        screen.note(
            f"fewer than {FEWEST} validation images were named rightly: too few to calibrate the probabilities on "
            "and to choose a threshold for none of these"
        )
        return classifier
    threshold = choose_threshold(labels, apply_temperature(rows, temperature), settings.accept)
    return classifier.recalibrated(temperature, threshold)


def answer(
    classifier: Classifier, prepared: Prepared, indices: NDArray[np.int64], answers: Answers | None
) -> NDArray[np.float32]:
    """Return (m, num_classes) probabilities of images: by `answers` where there is one, else by the classifier."""
    if answers is not None and len(indices):
        return answers(classifier, indices)
    return classifier.probabilities(prepared.store.images, indices=indices)


def score(
    classifier: Classifier,
    prepared: Prepared,
    screen: Screen,
    name: str = "test",
    answers: Answers | None = None,
) -> Scored:
    """Score a classifier on the test images, or on the validation images where there are none, and say so.

    Args:
        classifier: it.
        prepared: the images.
        screen: where it is said.
        name: of these images in the report.
        answers: gives the probabilities, where that can be had quicker than by `classifier.probabilities`.

    Raises:
        DataError: there are neither.
    """
    indices = prepared.splits.test
    if not len(indices):
        indices, name = prepared.splits.val, "validation"
        if not len(indices):
            raise DataError(
                "a score needs test or validation images; this run set none aside (--test, --val)."
            )
        chosen = "the epoch" if classifier.threshold is None else "the epoch and the calibration"
        screen.note(
            f"no test images: these scores are of the validation images, which chose {chosen}"
        )
    rows = answer(classifier, prepared, indices, answers)
    labels = prepared.dataset.labels[indices]
    evaluation = evaluate(
        labels, rows, classifier.class_names, images_seen=name, threshold=classifier.threshold
    )
    return Scored(evaluation, prepared, indices)


def report_run(run: Run, classifier: Classifier, scored: Scored, screen: Screen) -> None:
    """Write and show the run's own report, and count how often its test images were touched."""
    earlier = run.report["test_evaluations"] if run.finished else 0
    touched = int(scored.evaluation.images_seen == "test")
    write_evaluation(run, run.folder, classifier, scored, {"test_evaluations": earlier + touched})
    show(scored.evaluation, run.folder, screen)
    if verdict := _judge(run, classifier):
        screen.say(f"epochs       {verdict}")


def _judge(run: Run, classifier: Classifier) -> str:
    if run.history and classifier.provenance["best"]["epoch"] == 0:
        return "No epoch was better than the head alone, which is kept."
    return judge_epochs(run.history, len(run.data["splits"]["val"]))


def score_again(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score a run's classifier on the run's own test images; return the folder of the report.

    Raises:
        RunError: the images are not those of the run, or the run is several: a cross-validation, draws.
        DataError: the run set no images aside.
    """
    if "few" in run.data:
        raise RunError(
            f"{run.folder}: its score is the mean over draws, see report.json. To score one of them again: "
            f"convlens evaluate {run.folder / 'draw-1'}. To score on other images: --data PATH."
        )
    if "folds" in run.data:
        raise RunError(
            f"{run.folder}: a cross-validation scored every image once already, see report.html; its classifier was "
            "trained on all of them. To score on other images: --data PATH."
        )
    dataset = dataset.with_classes(classifier.class_names)
    with screen.counter("decoding") as progress:
        prepared = prepare_data(
            dataset, run.config, preprocessing=classifier.preprocessing, progress=progress
        )
    if "features" in classifier.provenance and classifier.provenance["best"]["epoch"] == 0:
        screen.note(
            f"the training's scores were of features in {classifier.provenance['features']}; these are of the "
            "classifier in float32, and differ a little"
        )
    report_run(run, classifier, score(classifier, run.divided(prepared), screen), screen)
    return run.folder


def score_other(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score a classifier on other images: their test set where they have one, else all of them.

    Returns the folder of their report, `evaluations/<name>/` of the run.

    Raises:
        DataError: the images have a class that the classifier does not know, or none can be read.
        StorageError: the report cannot be written.
    """
    dataset = dataset.with_classes(classifier.class_names)
    with screen.counter("decoding") as progress:
        store = open_store(dataset, classifier.preprocessing, progress)
    of_test = store.usable if dataset.splits is None else (dataset.splits == "test") & store.usable
    none = np.empty(0, np.int64)
    splits = Splits(none, none, np.flatnonzero(of_test if of_test.any() else store.usable))
    prepared = Prepared(dataset, classifier.preprocessing, store, splits)
    if prepared.fingerprint == run.data["fingerprint"] and dataset.splits is None:
        screen.note("these are the images of the training: the scores flatter")
    scored = score(classifier, prepared, screen, dataset.name)
    folder = run.folder / "evaluations" / dataset.name
    write_evaluation(run, folder, classifier, scored, {"evaluated": dataset.source})
    show(scored.evaluation, folder, screen)
    return folder


def write_evaluation(
    run: Run, folder: Path, classifier: Classifier, scored: Scored, extra: dict[str, Any]
) -> None:
    """Write report.html, report.json and the plots of an evaluation into a folder. Raises StorageError."""
    config, prepared, provenance = run.config, scored.prepared, classifier.provenance
    settings = {name: asdict(getattr(config, name)) for name in ("data", "training", "augment")}
    if config.transfer.backbone is not None:
        settings["transfer"] = asdict(config.transfer)
    if "strength" in provenance and not run.history:  # a logistic regression has no steps
        settings["training"] = {
            name: settings["training"][name] for name in ("seed", "calibration", "accept")
        }
    if config.model.model == "custom_cnn":  # the other networks have no use for these fields
        settings["model"] = asdict(config.model)
    write_report(
        folder,
        scored.evaluation,
        title=run.folder.name,
        history=run.history,
        best_epoch=int(provenance["best"]["epoch"]),
        settings=settings,
        data=prepared.summary() | {"notes": prepared.notes},
        images=_View(prepared.store.images, scored.indices),
        image_names=[prepared.dataset.image_name(int(i)) for i in scored.indices],
        extra={
            "seconds": sum(float(row["seconds"] or 0) for row in run.history)
            + provenance.get("head_seconds", 0.0),
            "epochs_verdict": _judge(run, classifier),
            "seen_as": prepared.preprocessing.to_dict(),
            "temperature": classifier.temperature,
            "threshold": classifier.threshold,
            **{
                name: provenance[name]
                for name in ("network", "parameters", "precision", "versions")
            },
            **{
                name: provenance[name]
                for name in ("features", "strength", "fine_tuning")
                if name in provenance
            },
            **extra,
        },
    )


def show(evaluation: Evaluation, folder: Path, screen: Screen) -> None:
    """Print the scores and where the report lies."""
    screen.say()
    screen.console.print(scores_table(evaluation))
    screen.say(
        f"\nAlways answering the most frequent class would be right in {evaluation.baseline * 100:.1f} %.",
        "dim",
    )
    if evaluation.threshold is not None:
        passed, right = evaluation.answered, evaluation.answered_rightly
        screen.say(
            f"\nthreshold    {100 * evaluation.threshold:.1f} %: {passed.value_text} {passed.interval_text} reach it, "
            f"of these {right.value_text} {right.interval_text} named rightly; the rest is none of these"
        )
    if len(evaluation.labels) < FEW:
        screen.note(
            "few test images, wide intervals: --folds 5 scores every image; more images help most"
        )
    screen.say(f"\nreport       {folder / 'report.html'}")


class _View(Sequence[NDArray[np.uint8]]):
    """Some images of a store, read when asked for."""

    def __init__(self, images: NDArray[np.uint8], indices: NDArray[np.int64]) -> None:
        self.images, self.indices = images, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[np.uint8]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.uint8] | Sequence[NDArray[np.uint8]]:
        return self.images[self.indices[index]]
