"""Resampling: one recipe trained several times, each time on another part of the images.

A cross-validation is for small data sets: every image is scored by a network that never saw it. A
training on few images measures how good a classifier becomes that learns from k images per class. A
single draw of five images can be lucky: with the same recipe, the accuracies of 10 draws on cats
and dogs had a standard deviation of more than one percentage point. Therefore several draws are
trained and scored.
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
from convlens.data.splits import draw, folds
from convlens.errors import ConfigError, DataError
from convlens.evaluation.evaluate import evaluate
from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.files import explained_stops, storage_errors
from convlens.language import N_, _, ngettext
from convlens.pipeline import (
    begin,
    checked,
    has_learned_from,
    open_training,
    prepare_images,
)
from convlens.report.finish import calibrate, finish, probabilities
from convlens.report.results import Scored
from convlens.run import Run
from convlens.screen import Screen
from convlens.transfer.origin import choose_origin

DRAWS = 5
ANEW = N_("The command starts anew: give it another --run name.")
STOPPED_FOLD = N_("stopped in {folder}; finished folds keep their classifiers.")
STOPPED_DRAW = N_("stopped in draw {number} of {draws}; finished draws keep their reports.")


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
        Interrupted: If the user pressed Ctrl-C. A cross-validation cannot be resumed.
    """
    if k < 2:
        raise ConfigError(_("--folds must be at least 2; found {k}.").format(k=k))
    screen = screen or Screen()
    begin(config, run)
    origin = choose_origin(config, None, start_from)
    config = config.replace(test=0.0)
    with screen.counter(_("decoding")) as progress:
        whole = origin.prepare(replace(dataset, splits=None), config, progress)
    whole = checked(whole, config, screen)
    if has_learned_from(origin.trained, whole):
        raise ConfigError(
            _(
                "--folds scores every image, but the classifier that this begins with has learned "
                "from these very images. Cross-validate without it, or on other images."
            )
        )
    labels = whole.dataset.labels
    pool = np.sort(np.concatenate([whole.splits.train, whole.splits.val]))
    parts = list(folds(labels, whole.clusters, pool, k, config.training.seed))
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-folds")
    last = open_training(whole, config, origin, screen)
    last.setup.describe(outer, folds=k)
    rows = np.zeros((len(dataset), dataset.num_classes), np.float32)
    for number, (rest, held) in enumerate(parts, 1):
        screen.say()
        screen.say(_("fold {number} of {k}").format(number=number, k=k), "bold")
        rng = np.random.default_rng((config.training.seed, number))
        val = draw(rest, labels, whole.clusters, config.data.val, rng)
        train = np.setdiff1d(rest, val)
        fold = replace(whole, splits=replace(whole.splits, train=train, val=val, test=held))
        inner = outer.part(f"fold-{number}")
        training = open_training(fold, config, origin, screen)
        training.setup.describe(inner)
        with backend.forgotten():
            if number == 1:
                training.announce(inner)
            stopped = _(STOPPED_FOLD).format(folder=inner.folder)
            with explained_stops(lambda: _(ANEW), stopped, several=True):
                training.run(inner)
        classifier = calibrate(inner.classifier(), fold, config.training, screen, training.predict)
        classifier.save(inner.classifier_path)
        rows[held] = probabilities(classifier, fold, held, training.predict)
    screen.say()
    screen.say(_("all images"), "bold")
    stopped = _(STOPPED_FOLD).format(folder=outer.folder)
    with explained_stops(lambda: _(ANEW), stopped, several=True):
        last.run(outer)
    seen = _("{k} held-out folds").format(k=k)
    evaluation = evaluate(labels[pool], rows[pool], whole.dataset.class_names, images_seen=seen)
    scored = Scored(evaluation, whole, pool)
    finish(outer, whole, screen, predict=last.predict, scored=scored, facts={"folds": k})
    return outer


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
        Interrupted: If the user pressed Ctrl-C. This cannot be resumed.
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
    scores: list[Score] = []
    for number in range(1, draws + 1):
        rng = np.random.default_rng((config.training.seed, number))
        drawn = np.sort(np.concatenate([rng.permutation(pool)[:k] for pool in pools]))
        part = replace(whole, splits=replace(whole.splits, train=drawn, val=drawn[:0]))
        inner = outer.part(f"draw-{number}")
        with backend.forgotten():
            training = open_training(part, config, origin, Screen(quiet=True))
            training.setup.describe(inner)
            if number == 1:
                training.setup.describe(outer, few=k, draws=draws)
                training.announce(outer, screen=screen)
            stopped = _(STOPPED_DRAW).format(number=number, draws=draws)
            with explained_stops(lambda: _(ANEW), stopped, several=True):
                training.run(inner)
                training.finish(inner)
        score = Score(**inner.report["metrics"]["accuracy"])
        scores.append(score)
        result = _("{value} {interval} of {n:,} images").format(
            value=score.value_text, interval=score.interval_text, n=score.n
        )
        screen.fact(_("draw {number}").format(number=number), result)
    _write(outer, k, scores, screen)
    return outer


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
