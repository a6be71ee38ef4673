"""Few images: one recipe trained on k images of each class, drawn several times.

This measures how good a classifier becomes that learns from k images per class. A single draw of
five images can be lucky: with the same recipe, the accuracies of 10 draws on cats and dogs had a
standard deviation of more than one percentage point. Therefore several draws are trained and
scored. A draw is kept when it is done, so that a stopped run continues with the draw in which it
was.
"""

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from convlens import backend
from convlens.charts.curves import show_scores
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import ConfigError, DataError
from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.files import explained_stops, storage_errors
from convlens.language import N_, _, ngettext
from convlens.pipeline import begin, open_training, prepare_images
from convlens.run import Run
from convlens.run_folder import SETTINGS
from convlens.screen import Screen
from convlens.studies.asked import read_asked, reopen, write_asked
from convlens.training.network import Origin
from convlens.transfer.origin import choose_origin

DRAWS = 5
STOPPED_DRAW = N_("stopped in draw {number} of {draws}; finished draws keep their reports.")


def train_on_few(
    dataset: Dataset,
    config: Config,
    k: int,
    *,
    draws: int = DRAWS,
    run: str | Path | None = None,
    screen: Screen | None = None,
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

    Raises:
        ConfigError: If k is less than 1, or there are fewer than two draws.
        DataError: If a class has fewer than k images outside the test set, or there are no test
            images.
        RunError: If the folder of the run exists.
        Interrupted: If the user pressed Ctrl-C. `resume_few` continues.
    """
    if k < 1 or draws < 2:
        raise ConfigError(
            _("--few must be at least 1 and --draws at least 2; found {k} and {draws}.").format(
                k=k, draws=draws
            )
        )
    screen = screen or Screen()
    begin(config, run)
    origin = choose_origin(config)
    whole = prepare_images(origin, dataset, config, screen)
    pools = _pools(whole, k)
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-a-class")
    with outer.removed_on_failure(), outer.locked():
        write_asked(outer, config)
        first = open_training(_drawn(whole, pools, config, k, 1), config, origin, screen)
        first.setup.describe(outer, few=k, draws=draws)
        first.announce(outer, screen=screen)
        _carry_out(outer, whole, origin, screen)
    return outer


def resume_few(dataset: Dataset, name: str | Path, screen: Screen | None = None) -> Run:
    """Continue trainings on few images that were stopped or killed, as they would have gone on.

    Args:
        dataset: The images of the trainings.
        name: The name or the folder of their run.
        screen: Where the progress is shown.

    Raises:
        RunError: If there is no such run, it is finished, or these are other images.
    """
    outer = Run.open(name)
    screen = screen or Screen()
    with outer.locked():
        config, origin = reopen(outer, "few")
        whole = prepare_images(origin, outer.corrected(dataset), config, screen)
        outer.divided(whole)  # refuses other images
        _carry_out(outer, whole, origin, screen)
    return outer


def _carry_out(outer: Run, whole: Prepared, origin: Origin, screen: Screen) -> None:
    """Train the draws that are left, and write the mean of all."""
    k = outer.data["few"]
    draws = outer.data["draws"]
    pools = _pools(whole, k)
    scores: list[Score] = []
    for number in range(1, draws + 1):
        inner = outer.part(f"draw-{number}")
        if not inner.finished:
            config = read_asked(outer)
            part = _drawn(whole, pools, config, k, number)
            stopped = _(STOPPED_DRAW).format(number=number, draws=draws)
            with (
                explained_stops(outer.how_to_resume, stopped, several=True),
                backend.forgotten(),
            ):
                training = open_training(part, config, origin, Screen(quiet=True))
                if not (inner.folder / SETTINGS).exists():
                    training.setup.describe(inner)
                training.run(inner)
                training.finish(inner)
        score = Score(**inner.report["metrics"]["accuracy"])
        scores.append(score)
        result = _("{value} {interval} of {n:,} images").format(
            value=score.value_text, interval=score.interval_text, n=score.n
        )
        screen.fact(_("draw {number}").format(number=number), result)
    _write(outer, k, scores, screen)


def _drawn(
    whole: Prepared, pools: list[NDArray[np.int64]], config: Config, k: int, number: int
) -> Prepared:
    """Return the images with the training images of a draw, and without validation images."""
    rng = np.random.default_rng((config.training.seed, number))
    drawn = np.sort(np.concatenate([rng.permutation(pool)[:k] for pool in pools]))
    return replace(whole, splits=replace(whole.splits, train=drawn, val=drawn[:0]))


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


def _write(run: Run, k: int, scores: list[Score], screen: Screen) -> None:
    """Write the mean as table, chart and report, copy the first classifier, and print the mean."""
    run.unseal()
    mean = mean_of_draws([score.value for score in scores], scores[0].n)
    rows = [f"{n},{one.value},{one.low},{one.high},{one.n}\n" for n, one in enumerate(scores, 1)]
    run.write("draws.csv", "".join(["draw,accuracy,low,high,images\n", *rows]))
    bars: dict[str, Score] = {
        _("draw {number}").format(number=number): score for number, score in enumerate(scores, 1)
    }
    bars[_("mean")] = mean
    title = ngettext("{k} image a class", "{k} images a class", k).format(k=k)
    run.write_figure("draws", show_scores({title: bars}))
    with storage_errors(run.folder, _("the classifier")):
        for name in ("classifier.keras", "history.csv"):
            shutil.copyfile(run.folder / "draw-1" / name, run.folder / name)
    content = {
        "title": run.folder.name,
        "few": k,
        "metrics": {"accuracy": mean.to_dict()},
        "draws": [score.to_dict() for score in scores],
        "test_evaluations": len(scores),
    }
    run.write("report.json", json.dumps(content, indent=1))
    run.seal()
    result = _("{value} {interval} over {draws} draws of {k} a class").format(
        value=mean.value_text, interval=mean.interval_text, draws=len(scores), k=k
    )
    screen.say()
    screen.fact(_("mean"), result)
    where = _(
        "{path}; each draw has its own draw-N/report.html; the classifier is that of the first draw"
    )
    screen.fact(_("draws"), where.format(path=run.folder / "draws.csv"))


def mean_of_draws(values: Sequence[float], n: int) -> Score:
    """Return the mean accuracy of two draws or more with its 95 % interval.

    The interval has two independent parts, whose squares add up. One is the spread of the draws, by
    Student's t. The other is that of the test images, which all draws share, by Wilson's interval
    of the mean.

    Args:
        values: The accuracy of each draw, 0 to 1.
        n: The number of test images.

    >>> score = mean_of_draws([0.97, 0.98, 0.99], 100)
    >>> round(score.value, 3), round(score.low, 3), round(score.high, 3)
    (0.98, 0.924, 1.0)
    """
    mean = float(np.mean(values))
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    shared = wilson(round(mean * n), n)
    low, high = (math.hypot(half, mean - end) for end in (shared.low, shared.high))
    return Score(mean, max(mean - low, 0.0), min(mean + high, 1.0), n)
