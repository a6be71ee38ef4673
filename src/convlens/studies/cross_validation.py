"""Cross-validation: one recipe trained once per fold, for small data sets.

Every image is scored by a network that never saw it. A fold is kept when it is done, so that a
cross-validation that was stopped continues with the fold in which it was.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.data.splits import draw, folds
from convlens.errors import ConfigError, RunError
from convlens.evaluation.evaluate import evaluate
from convlens.files import DAMAGE, explained_stops, write_atomically
from convlens.language import N_, _
from convlens.pipeline import begin, checked, has_learned_from, open_training
from convlens.report.finish import calibrate, finish, probabilities
from convlens.report.results import Scored
from convlens.run import Run
from convlens.run_folder import FOLD_DONE, SETTINGS
from convlens.screen import Screen
from convlens.studies.asked import read_asked, reopen, write_asked
from convlens.training.network import Origin
from convlens.training.trainer import Training
from convlens.transfer.origin import choose_origin

STOPPED_FOLD = N_("stopped in {folder}; finished folds are kept.")


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
        RunError: If the folder of the run exists.
        Interrupted: If the user pressed Ctrl-C. `resume_cross_validation` continues.
    """
    if k < 2:
        raise ConfigError(_("--folds must be at least 2; found {k}.").format(k=k))
    screen = screen or Screen()
    begin(config, run)
    origin = choose_origin(config, None, start_from)
    config = config.replace(test=0.0)
    whole = _prepare(origin, dataset, config, screen)
    if has_learned_from(origin.trained, whole):
        raise ConfigError(
            _(
                "--folds scores every image, but the classifier that this begins with has learned "
                "from these very images. Cross-validate without it, or on other images."
            )
        )
    parts = _divide(whole, config, k)
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-folds")
    with outer.removed_on_failure(), outer.locked():
        write_asked(outer, config)
        last = open_training(whole, config, origin, screen)
        last.setup.describe(outer, folds=k)
        _carry_out(outer, last, parts)
    return outer


def resume_cross_validation(
    dataset: Dataset, name: str | Path, screen: Screen | None = None
) -> Run:
    """Continue a cross-validation that was stopped or killed, as it would have gone on.

    Args:
        dataset: The images of the cross-validation.
        name: The name or the folder of its run.
        screen: Where the progress is shown.

    Raises:
        RunError: If there is no such run, it is finished, or these are other images.
    """
    outer = Run.open(name)
    screen = screen or Screen()
    with outer.locked():
        config, origin = reopen(outer, "folds")
        whole = _prepare(origin, outer.corrected(dataset), config, screen)
        whole = outer.divided(whole)
        last = open_training(whole, config, origin, screen)
        _carry_out(outer, last, _divide(whole, config, outer.data["folds"]))
    return outer


def _prepare(origin: Origin, dataset: Dataset, config: Config, screen: Screen) -> Prepared:
    """Return the images without the split that comes with them, decoded and checked."""
    with screen.counter(_("decoding")) as progress:
        whole = origin.prepare(replace(dataset, splits=None), config, progress)
    return checked(whole, config, screen)


def _divide(whole: Prepared, config: Config, k: int) -> list[Prepared]:
    """Return the images with the split of each fold, whose test images are those held out."""
    labels = whole.dataset.labels
    parts = []
    for number, (rest, held) in enumerate(
        folds(labels, whole.clusters, _pool(whole), k, config.training.seed), 1
    ):
        rng = np.random.default_rng((config.training.seed, number))
        val = draw(rest, labels, whole.clusters, config.data.val, rng)
        splits = replace(whole.splits, train=np.setdiff1d(rest, val), val=val, test=held)
        parts.append(replace(whole, splits=splits))
    return parts


def _pool(whole: Prepared) -> NDArray[np.int64]:
    """Return the indices of the images that are divided into folds."""
    return np.sort(np.concatenate([whole.splits.train, whole.splits.val]))


def _carry_out(outer: Run, last: Training, parts: list[Prepared]) -> None:
    """Train the folds that are left and the last network, and pool the scores of all folds."""
    screen = last.screen
    whole = last.setup.prepared
    labels = whole.dataset.labels
    rows = np.zeros((len(labels), whole.dataset.num_classes), np.float32)
    for number, fold in enumerate(parts, 1):
        screen.say()
        screen.say(_("fold {number} of {k}").format(number=number, k=len(parts)), "bold")
        inner = outer.part(f"fold-{number}")
        if (inner.folder / FOLD_DONE).exists():
            screen.say(_("kept from before"), "dim")
        else:
            _train_fold(outer, inner, fold, last, announced=number > 1)
        rows[fold.splits.test] = _read_rows(inner.folder / FOLD_DONE)
    screen.say()
    screen.say(_("all images"), "bold")
    stopped = _(STOPPED_FOLD).format(folder=outer.folder)
    with explained_stops(outer.how_to_resume, stopped, several=True):
        last.run(outer)
        pool = _pool(whole)
        seen = _("{k} held-out folds").format(k=len(parts))
        names = whole.dataset.class_names
        scored = Scored(evaluate(labels[pool], rows[pool], names, images_seen=seen), whole, pool)
        facts = {"folds": len(parts)}
        finish(outer, whole, screen, predict=last.predict, scored=scored, facts=facts)


def _train_fold(
    outer: Run, inner: Run, fold: Prepared, last: Training, *, announced: bool
) -> None:
    """Train the network of a fold, and keep the probabilities of its held-out images."""
    screen = last.screen
    stopped = _(STOPPED_FOLD).format(folder=inner.folder)
    with explained_stops(outer.how_to_resume, stopped, several=True):
        training = open_training(fold, read_asked(outer), last.setup.origin, screen)
        if not (inner.folder / SETTINGS).exists():
            training.setup.describe(inner)
        with backend.forgotten():
            if not announced:
                training.announce(inner)
            training.run(inner)
        settings = last.setup.config.training
        classifier = calibrate(inner.classifier(), fold, settings, screen, training.predict)
        classifier.save(inner.classifier_path)
        rows = probabilities(classifier, fold, fold.splits.test, training.predict)
        write_atomically(inner.folder / FOLD_DONE, lambda path: np.save(path, rows))
        inner.seal()


def _read_rows(path: Path) -> NDArray[np.float32]:
    """Return the probabilities that a fold has kept.

    Raises:
        RunError: If the file is damaged.
    """
    try:
        rows: NDArray[np.float32] = np.load(path, allow_pickle=False)
        return rows
    except DAMAGE as error:
        message = _("{path}: this file is damaged ({reason}). Remove it to train this fold again.")
        raise RunError(message.format(path=path, reason=error)) from error
