"""Few images: how good a classifier is that learned from a few images per class.

One draw of five images can be lucky: with the same recipe, the accuracies of 10 draws on cats and
dogs had a standard deviation of more than one percent. Therefore several draws are trained and
scored.
"""

import csv
import dataclasses
import io
import json
import math
import shutil
from collections.abc import Sequence
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
from convlens.files import storage_errors
from convlens.pipeline import begin, open_training, prepare_images
from convlens.run import Run
from convlens.screen import Screen
from convlens.stops import explained_stops
from convlens.transfer.origin import choose_origin

DRAWS = 5
ANEW = "This starts anew: give it another --run name."


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
        DataError: If a class has fewer than k images outside the test set, or there is none.
        Interrupted: If the user pressed Ctrl-C. This cannot be resumed.
    """
    if k < 1 or draws < 2:
        raise ConfigError(
            "--few must be at least 1 and --draws at least 2; found {k} and {draws}.".format(
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
        splits = dataclasses.replace(whole.splits, train=drawn, val=drawn[:0])
        part = dataclasses.replace(whole, splits=splits)
        inner = Run.create(outer.folder / f"draw-{number}", "")
        with backend.forgotten():
            training = open_training(part, config, origin, Screen(quiet=True))
            training.setup.describe(inner)
            if number == 1:
                training.setup.describe(outer, few=k, draws=draws)
                training.announce(outer, screen=screen)
            stopped = "stopped in draw {number} of {draws}; finished draws keep their reports."
            stopped = stopped.format(number=number, draws=draws)
            with explained_stops(lambda: ANEW, stopped, several=True):
                training.run(inner)
                training.finish(inner)
        score = Score(**inner.report["metrics"]["accuracy"])
        scores.append(score)
        screen.say(
            "draw {number:<8}{value} {interval} of {n:,} images".format(
                number=number, value=score.value_text, interval=score.interval_text, n=score.n
            )
        )
    _write(outer, k, scores, screen)
    return outer


def _pools(whole: Prepared, k: int) -> list[NDArray[np.int64]]:
    """Return the indices of the images of each class that may be drawn."""
    if not len(whole.splits.test):
        raise DataError(
            "--few scores each draw on the test images; there are none. Leave --test at its "
            "default."
        )
    pool = np.concatenate([whole.splits.train, whole.splits.val])
    labels = whole.dataset.labels[pool]
    pools = [pool[labels == number] for number in range(whole.dataset.num_classes)]
    smallest = min(range(len(pools)), key=lambda number: len(pools[number]))
    if len(pools[smallest]) < k:
        raise DataError(
            "--few {k} needs {k} images of every class outside the test set; '{name}' has "
            "{count:,}.".format(
                k=k, name=whole.dataset.class_names[smallest], count=len(pools[smallest])
            )
        )
    return pools


def _write(run: Run, k: int, scores: list[Score], screen: Screen) -> None:
    """Write the mean as table, chart and report, copy the first classifier, and print the mean."""
    mean = mean_of_draws([score.value for score in scores], scores[0].n)
    _write_table(run, scores)
    names = [f"draw {number}" for number in range(1, len(scores) + 1)]
    bars = dict(zip([*names, "mean"], [*scores, mean], strict=True))
    run.write_figure("draws", show_scores({f"{k} images a class": bars}))
    with storage_errors(run.folder, "the classifier"):
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
    screen.say(
        "\nmean         {value} {interval} over {draws} draws of {k} a class".format(
            value=mean.value_text, interval=mean.interval_text, draws=len(scores), k=k
        ),
        "bold",
    )
    screen.say(
        "draws        {path}; each has its draw-1/report.html and so on; the classifier is the "
        "first's".format(path=run.folder / "draws.csv")
    )


def _write_table(run: Run, scores: list[Score]) -> None:
    """Write draws.csv, one row per draw."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["draw", "accuracy", "low", "high", "images"])
    for number, score in enumerate(scores, 1):
        writer.writerow([number, score.value, score.low, score.high, score.n])
    run.write("draws.csv", table.getvalue())
