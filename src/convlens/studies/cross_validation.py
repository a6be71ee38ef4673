"""Cross-validation: every image of a small set is scored by a network that never saw it."""

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.data.splits import draw, folds
from convlens.errors import ConfigError
from convlens.evaluation.evaluate import evaluate
from convlens.pipeline import begin, open_training
from convlens.report.finish import calibrate, finish, probabilities
from convlens.report.results import Scored
from convlens.run import Run
from convlens.screen import Screen
from convlens.stops import explained_stops
from convlens.training.network import Origin
from convlens.training.trainer import Training
from convlens.transfer.origin import choose_origin

ANEW = "A cross-validation starts anew: give it another --run name."


def cross_validate(
    dataset: Dataset,
    config: Config,
    k: int,
    *,
    run: str | Path | None = None,
    start_from: str | Path | None = None,
    screen: Screen | None = None,
) -> Run:
    """Train one network per fold and a last one on all images, and return the run of the last.

    Fold i lies in `fold-<i>/` of the run. Its validation images are drawn from the other folds, and
    its classifier is calibrated on them before the fold is scored. The report pools the scores of
    all folds. A split that comes with the images is not used.

    The classifier of the run is trained on all images except for its validation share. Therefore
    the pooled scores are rather too low for it than too high. Since every classifier has a
    threshold of its own for "none of these", the report does not tell how many images reach it.

    Args:
        dataset: The labelled images, from `load_data`.
        config: All settings. The share of test images is not used.
        k: The number of folds.
        run: The name or the folder of the new run.
        start_from: A classifier file or a run that every network begins with.
        screen: Where the progress is shown.

    Raises:
        ConfigError: If there are fewer than two folds, or the classifier to begin with has learned
            from these images.
        DataError: If a class has fewer different images than there are folds.
        Interrupted: If the user pressed Ctrl-C. A cross-validation cannot be resumed.
    """
    if k < 2:
        raise ConfigError("--folds must be at least 2; found {k}.".format(k=k))
    screen = screen or Screen()
    begin(config, run)
    origin = choose_origin(config, None, start_from)
    config = config.replace(test=0.0)
    with screen.counter("decoding") as progress:
        whole = origin.prepare(dataclasses.replace(dataset, splits=None), config, progress)
    _require_unseen(origin, whole)
    labels = whole.dataset.labels
    pool = np.sort(np.concatenate([whole.splits.train, whole.splits.val]))
    parts = list(folds(labels, whole.clusters, pool, k, config.training.seed))
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-folds")
    last = open_training(whole, config, origin, screen)
    last.setup.describe(outer, folds=k)
    rows = np.zeros((len(dataset), dataset.num_classes), np.float32)
    for number, (rest, held) in enumerate(parts, 1):
        screen.say("\nfold {number} of {k}".format(number=number, k=k), "bold")
        rng = np.random.default_rng((config.training.seed, number))
        fold = _fold(whole, rest, held, config.data.val, rng)
        inner = Run.create(outer.folder / f"fold-{number}", "")
        training = open_training(fold, config, origin, screen)
        training.setup.describe(inner)
        with backend.forgotten():
            if number == 1:
                training.announce(inner)
            _run(training, inner)
        classifier = calibrate(inner.classifier(), fold, config.training, screen, training.predict)
        classifier.save(inner.classifier_path)
        rows[held] = probabilities(classifier, fold, held, training.predict)
    screen.say("\nall images", "bold")
    _run(last, outer)
    evaluation = evaluate(
        labels[pool], rows[pool], whole.dataset.class_names, images_seen=f"{k} held-out folds"
    )
    scored = Scored(evaluation, whole, pool)
    finish(outer, whole, screen, predict=last.predict, scored=scored, facts={"folds": k})
    return outer


def _fold(
    whole: Prepared,
    rest: NDArray[np.int64],
    held: NDArray[np.int64],
    share: float,
    rng: np.random.Generator,
) -> Prepared:
    """Return the images with `held` as test images and a share of the rest for validation."""
    val = draw(rest, whole.dataset.labels, whole.clusters, share, rng)
    train = np.setdiff1d(rest, val)
    splits = dataclasses.replace(whole.splits, train=train, val=val, test=held)
    return dataclasses.replace(whole, splits=splits)


def _require_unseen(origin: Origin, whole: Prepared) -> None:
    """Raise ConfigError if the classifier to begin with has learned from these images."""
    before = {}
    if origin.trained is not None:
        before = origin.trained.provenance.get("data", {})
    if before.get("fingerprint") == whole.fingerprint:
        raise ConfigError(
            "--folds scores every image, but the classifier that this begins with has learned from "
            "these very images. Cross-validate without it, or on other images."
        )


def _run(training: Training, run: Run) -> None:
    """Train one part; a message says that the whole cannot be resumed if it is stopped."""
    stopped = "stopped in {folder}; finished folds keep their classifiers.".format(
        folder=run.folder
    )
    with explained_stops(lambda: ANEW, stopped, several=True):
        training.run(run)
