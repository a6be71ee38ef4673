"""Cross-validation for small sets: every image is scored by a network that never saw it."""

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.data.splits import draw, folds
from convlens.errors import ConfigError, Interrupted
from convlens.evaluation.evaluate import evaluate
from convlens.pipeline import open_training
from convlens.report.finish import calibrate, finish, probabilities
from convlens.report.results import Scored
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.network import Origin
from convlens.training.training import Training
from convlens.transfer.origin import choose_origin


def cross_validate(
    dataset: Dataset,
    config: Config,
    k: int,
    *,
    run: str | Path | None = None,
    start_from: str | Path | None = None,
    screen: Screen | None = None,
) -> Run:
    """Train k networks, each without one k-th of the images, and a last one on all; return the run of the last.

    Fold i lies in `fold-<i>/` of the run. The report's scores pool the k held-out parts; within a fold, validation
    images are drawn from the rest. The source's own division is set aside. The run's classifier is trained on all
    images but its validation share, so that the pooled scores are, if anything, a little low for it. Each classifier
    is calibrated on its own validation images, before its held-out part is scored. Each has a threshold of its own
    for "none of these", so that the report tells none of the share that would be answered.

    Raises:
        ConfigError: fewer than two folds, or a classifier to begin with that has learned from these images.
        DataError: a class has fewer different images than there are folds.
    """
    if k < 2:
        raise ConfigError(f"--folds must be at least 2; found {k}.")
    screen = screen or Screen()
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
        screen.say(f"\nfold {number} of {k}", "bold")
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
    """Return the images with `held` to test on, and of the rest a share to validate with."""
    val = draw(rest, whole.dataset.labels, whole.clusters, share, rng)
    return dataclasses.replace(
        whole,
        splits=dataclasses.replace(whole.splits, train=np.setdiff1d(rest, val), val=val, test=held),
    )


def _require_unseen(origin: Origin, whole: Prepared) -> None:
    before = origin.trained.provenance.get("data", {}) if origin.trained is not None else {}
    if before.get("fingerprint") == whole.fingerprint:
        raise ConfigError(
            "--folds scores every image, but the classifier that this begins with has learned from these very "
            "images. Cross-validate without it, or on other images."
        )


def _run(training: Training, run: Run) -> None:
    """Train one part. Raises Interrupted, saying that the whole cannot be resumed."""
    try:
        training.run(run)
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(
            f"stopped in {run.folder}; finished folds keep their classifiers. A cross-validation starts anew: give it "
            "another --run name."
        ) from None
