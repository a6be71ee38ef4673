"""Few: one recipe trained on k images per class, several times, each time on other images.

This measures how good a classifier becomes that learns from few images. A single draw of five
images can be lucky: with the same recipe, the accuracies of 10 draws on cats and dogs had a
standard deviation of more than one percentage point. Therefore several draws are trained and
scored. If the study is killed, it goes on with the draws that are left, as it would have.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import DataError
from convlens.evaluation.scores import Score
from convlens.files import explained_stops
from convlens.language import N_, _
from convlens.pipeline import begin, open_training, prepare_images
from convlens.recipe_choice import usual_training
from convlens.report.finish import finish
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies.asked import check_few
from convlens.studies.draws import write_draws
from convlens.studies.places import Here, Job, Place
from convlens.studies.several import as_begun, continued, write_asked
from convlens.training.network import Origin
from convlens.transfer.origin import choose_origin

DRAWS = 5
STOPPED = N_("stopped; {done} of {draws} draws are finished and keep their reports.")


def train_on_few(  # noqa: PLR0913 - the public entry point; all but three have defaults
    dataset: Dataset,
    config: Config,
    k: int,
    *,
    draws: int = DRAWS,
    run: str | Path | None = None,
    screen: Screen | None = None,
    place: Place | None = None,
) -> Run:
    """Train on k images per class, several times, and return the run with the mean score.

    Draw i lies in `draw-<i>/` of the run and has a report of its own. All draws are scored on the
    same test images. No other labelled image is used, so there is no validation, no calibration and
    no choice of an epoch. The classifier of the run is that of the first draw, not of the best.

    Args:
        dataset: The labelled images, from `load_data`.
        config: All settings.
        k: The number of images per class.
        draws: How often they are drawn.
        run: The name or the folder of the new run.
        screen: Where the progress is shown.
        place: Where the draws are trained. None is this process.

    Raises:
        ConfigError: If k is less than 1, or there are fewer than two draws.
        DataError: If a class has fewer than k images outside the test set, or there are no test
            images.
        RunError: If the folder of the run exists.
        Interrupted: If the user pressed Ctrl-C. `resume_few` continues.
    """
    check_few(k, draws)
    screen = screen or Screen()
    config = usual_training(config, dataset, k * dataset.num_classes)
    begin(config, run)
    origin = choose_origin(config)
    whole = prepare_images(origin, dataset, config, screen)
    pools = _pools(whole, k)
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-a-class")
    with outer.removed_on_failure(), outer.locked():
        write_asked(outer, config)
        _Few(whole, config, origin, k, draws, screen).carry_out(outer, pools, place or Here())
    return outer


def resume_few(
    dataset: Dataset, name: str | Path, screen: Screen | None = None, place: Place | None = None
) -> Run:
    """Continue trainings on few images that were stopped or killed, as they would have gone on.

    Args:
        dataset: The images of the run.
        name: The name or the folder of the run.
        screen: Where the progress is shown.
        place: Where the draws are trained. None is this process.

    Raises:
        RunError: If there is no run of that name, it is finished, or these are other images.
    """
    screen = screen or Screen()
    # The split that was recorded is that of the first draw.
    with continued(dataset, name, screen) as (outer, config, origin, whole, _first):
        k = outer.data["few"]
        study = _Few(whole, config, origin, k, outer.data["draws"], screen)
        study.carry_out(outer, _pools(whole, k), place or Here())
    return outer


@dataclass(frozen=True, eq=False)
class _Few:
    """The trainings on few images.

    Attributes:
        whole: All images.
        config: The settings as they were asked for.
        origin: The network.
        k: The number of images per class.
        draws: How often they are drawn.
        screen: Where the progress is shown.
    """

    whole: Prepared
    config: Config
    origin: Origin
    k: int
    draws: int
    screen: Screen

    def carry_out(self, outer: Run, pools: Sequence[NDArray[np.int64]], place: Place) -> None:
        """Train and score the draws that are left, and write the mean of all."""
        inners = {number: outer.part(f"draw-{number}") for number in range(1, self.draws + 1)}
        jobs = [
            Job(number, inner, (self.config, self._drawn(number, pools)))
            for number, inner in inners.items()
            if not inner.finished
        ]
        if not inners[1].finished:
            self._announce(outer, self._drawn(1, pools), place)
        for number, inner in inners.items():
            if inner.finished:
                self._show(number, inner)
        shared = (self.whole, self.origin)
        stopped = partial(self._stopped, inners.values())
        with explained_stops(outer.how_to_resume, stopped, several=True):
            for job, _result in place.each(train_draw, jobs, shared, Screen(quiet=True)):
                self._show(job.number, job.run)
            scores = [_score_of(inner) for inner in inners.values()]
            write_draws(outer, self.k, scores, self.screen)

    def _announce(self, outer: Run, drawn: NDArray[np.int64], place: Place) -> None:
        """Record and print what is trained on the images of the first draw."""
        with backend.forgotten():
            part = _part(self.whole, drawn)
            training = open_training(part, self.config, self.origin, Screen(quiet=True))
            training.setup.describe(outer, few=self.k, draws=self.draws)
            training.announce(outer, None if place.is_here else [], self.screen)

    def _drawn(self, number: int, pools: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Return the indices of the training images of a draw."""
        rng = np.random.default_rng((self.config.training.seed, number))
        return np.sort(np.concatenate([rng.permutation(pool)[: self.k] for pool in pools]))

    def _show(self, number: int, inner: Run) -> None:
        """Print the score of a draw."""
        score = _score_of(inner)
        result = _("{value} {interval} of {n:,} images").format(
            value=score.value_text, interval=score.interval_text, n=score.n
        )
        self.screen.fact(_("draw {number}").format(number=number), result)

    def _stopped(self, inners: Collection[Run]) -> str:
        """Return how many draws are finished."""
        done = sum(inner.finished for inner in inners)
        return _(STOPPED).format(done=done, draws=self.draws)


def train_draw(
    run: Run,
    shared: tuple[Prepared, Origin],
    screen: Screen,
    config: Config,
    drawn: NDArray[np.int64],
) -> None:
    """Train on the images of one draw, and write its report.

    Args:
        run: The run of the draw.
        shared: All images, and the network.
        screen: Where the progress is shown.
        config: The settings as they were asked for.
        drawn: The indices of the images to learn from.

    Raises:
        Interrupted: If the user pressed Ctrl-C. The draw can be continued.
    """
    whole, origin = shared
    training = open_training(_part(whole, drawn), as_begun(run, config), origin, screen)
    training.setup.describe(run, is_part=True)
    training.run(run)
    predict = training.prepare_scores(run)
    finish(run, training.setup.prepared, screen, predict=predict, explain=False)


def _part(whole: Prepared, drawn: NDArray[np.int64]) -> Prepared:
    """Return the images of which those that were drawn are learned from."""
    return replace(whole, splits=replace(whole.splits, train=drawn, val=drawn[:0]))


def _score_of(inner: Run) -> Score:
    """Return the accuracy of a finished draw."""
    return Score(**inner.report["metrics"]["accuracy"])


def _pools(whole: Prepared, k: int) -> list[NDArray[np.int64]]:
    """Return the indices of the images of each class that may be drawn.

    Raises:
        DataError: If a class has fewer than k of them, or there are no test images.
    """
    if not len(whole.splits.test):
        raise DataError(
            _(
                "--few scores each draw on the test images; there are none. Leave --test at its "
                "default."
            )
        )
    pool = np.concatenate([whole.splits.train, whole.splits.val])
    labels = whole.dataset.labels[pool]
    pools = [pool[labels == number] for number in range(whole.dataset.num_classes)]
    smallest = min(range(len(pools)), key=lambda number: len(pools[number]))
    if len(pools[smallest]) < k:
        raise DataError(
            _(
                "--few {k} needs {k} images of every class outside the test set; '{name}' has "
                "{count:,}."
            ).format(k=k, name=whole.dataset.class_names[smallest], count=len(pools[smallest]))
        )
    return pools
