"""Score: a run's classifier on pictures it has never seen, and the report of it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from convlens.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.splits import Splits
from convlens.data.store import open_store
from convlens.errors import DataError
from convlens.evaluation.evaluate import Evaluation, evaluate, scores_table
from convlens.evaluation.report import write_report
from convlens.training.run import Run
from convlens.training.screen import Screen

__all__ = ["score_again", "score_other", "score_run", "show", "write_evaluation"]


def score_run(run: Run, classifier: Classifier, prepared: Prepared, screen: Screen) -> Evaluation:
    """Score the classifier on the run's test pictures, write the run's report, and count the evaluation.

    Where the run set no test pictures aside, its validation pictures are scored and named as such.

    Raises:
        DataError: the run has neither.
        StorageError: the report cannot be written.
    """
    indices, seen = prepared.splits.test, "test"
    if not len(indices):
        indices, seen = prepared.splits.val, "validation"
        screen.note("no test pictures: these scores are of the validation pictures, which chose the epoch")
    if not len(indices):
        raise DataError(f"{run.folder}: a score needs test or validation pictures; --val and --test were both 0.")
    earlier = run.report["test_evaluations"] if (run.folder / "report.json").exists() else 0
    rows = classifier.probabilities(prepared.store.pictures, indices=indices)
    evaluation = evaluate(prepared.dataset.labels[indices], rows, classifier.class_names, pictures_seen=seen)
    write_evaluation(
        run, run.folder, evaluation, prepared, indices, extra={"test_evaluations": earlier + int(seen == "test")}
    )
    show(evaluation, run.folder, screen)
    return evaluation


def score_again(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score the classifier on the run's own test pictures once more; return the folder of the report.

    Raises:
        DataError: the pictures are not those of the run, or it set none aside.
    """
    prepared = prepare_data(dataset, run.config, preprocessing=classifier.preprocessing)
    if prepared.fingerprint != run.data["fingerprint"]:
        raise DataError(
            f"{dataset.source}: these are not the pictures of the training (their fingerprint differs), so its test "
            "pictures cannot be told. To score on other pictures: --data PATH."
        )
    score_run(run, classifier, prepared, screen)
    return run.folder


def score_other(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Path:
    """Score the classifier on other pictures; return the folder of their report, `evaluations/<name>/` of the run.

    Raises:
        DataError: the pictures have a class that the classifier does not know, or none can be read.
        StorageError: the report cannot be written.
    """
    prepared = _prepare_other(classifier, dataset, screen)
    if prepared.fingerprint == run.data["fingerprint"] and dataset.splits is None:
        screen.note("these are the pictures of the training: the scores flatter")
    indices = prepared.splits.test
    rows = classifier.probabilities(prepared.store.pictures, indices=indices)
    evaluation = evaluate(prepared.dataset.labels[indices], rows, classifier.class_names, pictures_seen=dataset.name)
    folder = run.folder / "evaluations" / dataset.name
    write_evaluation(run, folder, evaluation, prepared, indices, extra={"evaluated": dataset.source})
    show(evaluation, folder, screen)
    return folder


def _prepare_other(classifier: Classifier, dataset: Dataset, screen: Screen) -> Prepared:
    """Return pictures as the classifier takes them, those to score as `splits.test`: the test set, else all."""
    unknown = [name for name in dataset.class_names if name not in classifier.class_names]
    if unknown:
        raise DataError(
            f"{dataset.source}: every class must be one of the classifier's ({', '.join(classifier.class_names)}); "
            f"found {', '.join(unknown)} too."
        )
    numbers = np.array([classifier.class_names.index(name) for name in dataset.class_names])
    dataset = dataclasses.replace(dataset, labels=numbers[dataset.labels], class_names=classifier.class_names)
    with screen.counter("decoding") as progress:
        store = open_store(dataset, classifier.preprocessing, progress)
    of_test = store.usable if dataset.splits is None else (dataset.splits == "test") & store.usable
    none = np.empty(0, np.int64)
    test = np.flatnonzero(of_test if of_test.any() else store.usable)
    return Prepared(dataset, classifier.preprocessing, store, Splits(none, none, test))


def write_evaluation(
    run: Run,
    folder: Path,
    evaluation: Evaluation,
    prepared: Prepared,
    indices: NDArray[np.int64],
    *,
    extra: dict[str, Any],
) -> None:
    """Write report.html, report.json and the plots of an evaluation of `indices`, (n,), into a folder."""
    config = run.config
    settings = {name: asdict(getattr(config, name)) for name in ("data", "training", "augment")}
    if config.model.model == "custom_cnn":  # the other networks have no use for these fields
        settings["model"] = asdict(config.model)
    provenance = run.classifier().provenance if run.classifier_path.exists() else {}
    write_report(
        folder,
        evaluation,
        title=run.folder.name,
        history=run.history,
        best_epoch=int(provenance["best"]["epoch"]) if provenance else None,
        settings=settings,
        data=prepared.summary() | {"notes": prepared.notes},
        pictures=_View(prepared.store.pictures, indices),
        picture_names=[prepared.dataset.picture_name(int(i)) for i in indices],
        extra={
            "seconds": sum(float(row["seconds"] or 0) for row in run.history),
            "seen_as": prepared.preprocessing.to_dict(),
            **{
                name: provenance[name]
                for name in ("network", "parameters", "precision", "versions")
                if name in provenance
            },
            **extra,
        },
    )


def show(evaluation: Evaluation, folder: Path, screen: Screen) -> None:
    """Print the scores and where the report lies."""
    screen.say()
    screen.console.print(scores_table(evaluation))
    screen.say(f"\nreport       {folder / 'report.html'}")


class _View(Sequence[NDArray[np.uint8]]):
    """Some pictures of a store, read when asked for."""

    def __init__(self, pictures: NDArray[np.uint8], indices: NDArray[np.int64]) -> None:
        self.pictures, self.indices = pictures, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[np.uint8]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.uint8] | Sequence[NDArray[np.uint8]]:
        return self.pictures[self.indices[index]]
