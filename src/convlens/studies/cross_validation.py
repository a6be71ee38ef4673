"""Cross-validation: every image is scored by a network that never saw it, for small data sets.

A cross-validation that was killed goes on as it would have: folds that were scored keep their
scores, and the one that was trained continues from its state.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.filesize import decimal

from convlens.checksums import seal_parts
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.draws import draw, ranks_of
from convlens.data.folds import folds, refuse_few_images
from convlens.data.prepared import Prepared
from convlens.data.splits import Splits
from convlens.errors import ConfigError
from convlens.evaluation.evaluate import evaluate
from convlens.files import explained_stops, write_atomically
from convlens.language import N_, _
from convlens.pipeline import begin, checked, open_training
from convlens.recipe_choice import usual_training
from convlens.report.finish import calibrate, finish, probabilities
from convlens.report.results import Scored, training_seconds
from convlens.run import Run
from convlens.run_folder import FOLD_DONE, HELD_OUT
from convlens.screen import Screen, duration
from convlens.studies.asked import check_folds
from convlens.studies.places import Here, Job, Place
from convlens.studies.several import as_begun, continued, once, write_asked
from convlens.training.network import Origin
from convlens.training.trainer import Training
from convlens.training.unseen import was_trained_on, with_learned_noted
from convlens.transfer.origin import choose_origin

STOPPED = N_("stopped in {folder}; finished folds keep their classifiers and scores.")


def cross_validate(  # noqa: PLR0913 - the public entry point; all but three have defaults
    dataset: Dataset,
    config: Config,
    k: int,
    *,
    run: str | Path | None = None,
    start_from: str | Path | None = None,
    screen: Screen | None = None,
    place: Place | None = None,
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
        place: Where the folds are trained. None is this process, which always trains the last
            network.

    Raises:
        ConfigError: If there are fewer than two folds, or the classifier to begin with has learned
            from these images.
        DataError: If a class has fewer different images than there are folds.
        RunError: If the folder of the run exists.
        Interrupted: If the user pressed Ctrl-C. `resume_cross_validation` continues.
    """
    check_folds(k)
    screen = once(screen or Screen())
    if start_from is None:
        images = min(len(dataset), config.data.limit or len(dataset))
        config = usual_training(config, dataset, images)
    begin(config, run)
    origin = choose_origin(config, None, start_from)
    config = config.replace(test=0.0)
    with screen.counter(_("decoding")) as progress:
        whole = origin.prepare(replace(dataset, splits=None), config, progress)
    whole = checked(whole, config, screen)
    _refuse_learned(origin, whole)
    whole = with_learned_noted(origin, whole, np.flatnonzero(whole.store.usable))
    study = _Folds(whole, config, origin, k, screen)
    study.check()
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-folds")
    with outer.removed_on_failure(), outer.locked():
        write_asked(outer, config)
        last = open_training(whole, config, origin, screen)
        last.setup.describe(outer, folds=k)
        study.carry_out(outer, last, place or Here())
    return outer


def _refuse_learned(origin: Origin, whole: Prepared) -> None:
    """Raise ConfigError if the classifier to begin with has learned from the images."""
    if was_trained_on(origin, whole):
        raise ConfigError(
            _(
                "--folds scores every image, but the classifier that this begins with has learned "
                "from these very images. Cross-validate without it, or on other images."
            )
        )


def resume_cross_validation(
    dataset: Dataset, name: str | Path, screen: Screen | None = None, place: Place | None = None
) -> Run:
    """Continue a cross-validation that was stopped or killed, as it would have gone on.

    Args:
        dataset: The images of the cross-validation.
        name: The name or the folder of its run.
        screen: Where the progress is shown.
        place: Where the folds are trained. None is this process, which always trains the last
            network.

    Raises:
        RunError: If there is no run of that name, it is finished, or these are other images.
    """
    screen = once(screen or Screen())
    dataset = replace(dataset, splits=None)
    with continued(dataset, name, screen) as (outer, config, origin, _whole, whole):
        last = open_training(whole, as_begun(outer, config), origin, screen)
        study = _Folds(whole, config, origin, outer.data["folds"], screen)
        study.carry_out(outer, last, place or Here())
    return outer


@dataclass(frozen=True, eq=False)
class _Folds:
    """The trainings of a cross-validation.

    Attributes:
        whole: All images.
        config: The settings as they were asked for; each fold decides what is "auto".
        origin: The network.
        k: The number of folds.
        screen: Where the progress is shown.
    """

    whole: Prepared
    config: Config
    origin: Origin
    k: int
    screen: Screen

    @property
    def pool(self) -> NDArray[np.int64]:
        """The indices of the images that are scored."""
        return np.sort(np.concatenate([self.whole.splits.train, self.whole.splits.val]))

    def parts(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the images to learn from and the held-out images of each fold."""
        seed = self.config.training.seed
        return folds(self.whole.dataset.labels, self.whole.clusters, self.pool, self.k, seed)

    def check(self) -> None:
        """Raise DataError if a class has too few images."""
        refuse_few_images(self.whole.dataset, self.whole.clusters, self.pool, self.k)

    def carry_out(self, outer: Run, last: Training, place: Place) -> None:
        """Train and score the folds that are left, then the network of all images."""
        dataset = self.whole.dataset
        rows = np.zeros((len(dataset), dataset.num_classes), np.float32)
        parts = list(self.parts())
        inners = [outer.part(f"fold-{number}") for number in range(1, self.k + 1)]
        self.screen.fact(_("disk"), self._disk(last))
        self._train_folds(outer, inners, parts, last, place)
        for inner, (_rest, held) in zip(inners, parts, strict=True):
            with np.load(inner.folder / FOLD_DONE) as scored:
                rows[held] = scored["rows"]
        self.screen.say()
        self.screen.say(_("all images"), "bold")
        with explained_stops(outer.how_to_resume, _stopped(outer), several=True):
            last.run(outer)
            evaluation = evaluate(
                dataset.labels[self.pool],
                rows[self.pool],
                dataset.class_names,
                images_seen=HELD_OUT.format(k=self.k),
            )
            scored = Scored(evaluation, self.whole, self.pool, explained=False)
            facts = {"folds": self.k, "seconds": sum(map(training_seconds, [*inners, outer]))}
            predict = last.prepare_scores(outer)
            seal_parts(outer.folder)
            finish(outer, self.whole, self.screen, predict=predict, scored=scored, facts=facts)

    def _train_folds(
        self,
        outer: Run,
        inners: Sequence[Run],
        parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        last: Training,
        place: Place,
    ) -> None:
        """Train and score the folds that are left."""
        left = [
            number
            for number, inner in enumerate(inners, 1)
            if not (inner.folder / FOLD_DONE).exists()
        ]
        if left and not place.is_here:
            last.announce(outer, [])

        def jobs() -> Iterator[Job]:
            for number in left:
                if place.is_here:
                    self._say(number)
                splits = self._splits(number, *parts[number - 1])
                announced = number == 1 and place.is_here
                yield Job(number, inners[number - 1], (self.config, splits, announced))

        stopped = _stopped(outer)
        with explained_stops(outer.how_to_resume, stopped, several=True):
            for job, seconds in place.each(
                train_fold, jobs(), (self.whole, self.origin), self.screen
            ):
                if not place.is_here:
                    self._say(job.number)
                    self.screen.say(
                        _("trained and scored in {time}").format(time=duration(seconds))
                    )

    def _disk(self, last: Training) -> str:
        """Return how much of the disk the classifiers take, in words."""
        each = 4 * last.setup.classifier().model.count_params()  # bytes, in float32
        return _("{size} for {count} classifiers: one of each fold, and that of all images").format(
            size=decimal(each * (self.k + 1)), count=self.k + 1
        )

    def _say(self, number: int) -> None:
        """Print the heading of a fold."""
        self.screen.say()
        self.screen.say(_("fold {number} of {k}").format(number=number, k=self.k), "bold")

    def _splits(self, number: int, rest: NDArray[np.int64], held: NDArray[np.int64]) -> Splits:
        """Return which images train, validate and test a fold."""
        whole = self.whole
        salt = f"{self.config.training.seed} fold {number}"
        ranks = ranks_of(whole.store.digests, salt, whole.clusters)
        val = draw(rest, whole.dataset.labels, whole.clusters, self.config.data.val, ranks)
        return replace(whole.splits, train=np.setdiff1d(rest, val), val=val, test=held)


def train_fold(
    run: Run,
    shared: tuple[Prepared, Origin],
    screen: Screen,
    config: Config,
    splits: Splits,
    announced: bool,
) -> float:
    """Train a network on the other folds, and write the probabilities of this one.

    Args:
        run: The run of the fold.
        shared: All images, and the network.
        screen: Where the progress is shown.
        config: The settings as they were asked for.
        splits: Which images train, validate and test.
        announced: Whether the training is announced.

    Returns:
        The seconds that it took.

    Raises:
        Interrupted: If the user pressed Ctrl-C. The fold can be continued.
    """
    began = time.monotonic()
    whole, origin = shared
    fold = replace(whole, splits=splits)
    training = open_training(fold, as_begun(run, config), origin, screen)
    training.setup.describe(run, is_part=True)
    if announced:
        training.announce(run)
    training.run(run)
    predict = training.prepare_scores(run)
    classifier = calibrate(run.classifier(), fold, config.training, screen, predict)
    classifier.save(run.classifier_path)
    rows = probabilities(classifier, fold, splits.test, predict)
    write_atomically(
        run.folder / FOLD_DONE, lambda place: np.savez(place, rows=rows), _("the scores")
    )
    return time.monotonic() - began


def _stopped(run: Run) -> str:
    return _(STOPPED).format(folder=run.folder)
