"""Few: how well a classifier does that learned from a few images a class, over several draws of them.

One draw of five images can be lucky: with the same recipe, accuracies on cats and dogs spread by more than a percent
(standard deviation of 10 draws).
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
from convlens.errors import ConfigError, DataError, Interrupted, StorageError
from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.pipeline import open_training, prepare_images
from convlens.run import Run
from convlens.screen import Screen
from convlens.transfer.origin import choose_origin

DRAWS = 5


def mean_of_draws(values: Sequence[float], n: int) -> Score:
    """Return the mean accuracy of two draws or more with its 95 % interval.

    It has two parts that are independent, and whose squares add up: that of the draws, by Student's t, and that of the
    n test images, which all draws share, by Wilson's interval of the mean.

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
    """Train on k images a class, several times on other ones, and score each on all test images; return the run.

    Draw i lies in `draw-<i>/` of the run, with a report of its own. No other labelled image is used, so nothing
    validates, calibrates or chooses; the run's classifier is that of the first draw, chosen by nothing.

    Raises:
        ConfigError: k or draws below their least.
        DataError: a class has fewer than k images outside the test set, or there is no test set.
    """
    if k < 1 or draws < 2:
        raise ConfigError(
            f"--few must be at least 1 and --draws at least 2; found {k} and {draws}."
        )
    screen = screen or Screen()
    origin = choose_origin(config)
    whole = prepare_images(origin, dataset, config, screen)
    pools = _pools(whole, k)
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-a-class")
    scores: list[Score] = []
    for number in range(1, draws + 1):
        rng = np.random.default_rng((config.training.seed, number))
        drawn = np.sort(np.concatenate([rng.permutation(pool)[:k] for pool in pools]))
        splits = dataclasses.replace(whole.splits, train=drawn, val=drawn[:0])
        part, inner = (
            dataclasses.replace(whole, splits=splits),
            Run.create(outer.folder / f"draw-{number}", ""),
        )
        with backend.forgotten():
            training = open_training(part, config, origin, Screen(quiet=True))
            training.setup.describe(inner)
            if number == 1:
                training.setup.describe(outer, few=k, draws=draws)
                training.announce(outer, screen=screen)
            try:
                training.run(inner)
            except (Interrupted, KeyboardInterrupt):
                raise Interrupted(
                    f"stopped in draw {number} of {draws}; finished draws keep their reports. This starts anew: give "
                    "it another --run name."
                ) from None
            training.finish(inner)
        scores.append(Score(**inner.report["metrics"]["accuracy"]))
        screen.say(
            f"draw {number:<8}{scores[-1].value_text} {scores[-1].interval_text} of {scores[-1].n:,} images"
        )
    _write(outer, k, scores, screen)
    return outer


def _pools(whole: Prepared, k: int) -> list[NDArray[np.int64]]:
    """Return the images of each class that may be drawn."""
    if not len(whole.splits.test):
        raise DataError(
            "--few scores each draw on the test images; there are none. Leave --test at its default."
        )
    pool = np.concatenate([whole.splits.train, whole.splits.val])
    labels = whole.dataset.labels[pool]
    pools = [pool[labels == number] for number in range(whole.dataset.num_classes)]
    least = min(range(len(pools)), key=lambda number: len(pools[number]))
    if len(pools[least]) < k:
        raise DataError(
            f"--few {k} needs {k} images of every class outside the test set; "
            f"'{whole.dataset.class_names[least]}' has {len(pools[least]):,}."
        )
    return pools


def _write(outer: Run, k: int, scores: list[Score], screen: Screen) -> None:
    """Write and show the mean; the classifier is the first draw's."""
    mean, table = mean_of_draws([score.value for score in scores], scores[0].n), io.StringIO()
    rows = [
        [number, score.value, score.low, score.high, score.n]
        for number, score in enumerate(scores, start=1)
    ]
    csv.writer(table, lineterminator="\n").writerows(
        [["draw", "accuracy", "low", "high", "images"], *rows]
    )
    outer.write("draws.csv", table.getvalue())
    names = [*(f"draw {number}" for number in range(1, len(scores) + 1)), "mean"]
    chart = show_scores({f"{k} images a class": dict(zip(names, [*scores, mean], strict=True))})
    outer.write_figure("draws", chart)
    try:
        for name in ("classifier.keras", "history.csv"):
            shutil.copyfile(outer.folder / "draw-1" / name, outer.folder / name)
    except OSError as error:
        raise StorageError(
            f"{outer.folder}: the classifier cannot be written; {error.strerror or error}."
        ) from error
    content = {
        "title": outer.folder.name,
        "few": k,
        "metrics": {"accuracy": mean.to_dict()},
        "draws": [score.to_dict() for score in scores],
        "test_evaluations": len(scores),
    }
    outer.write("report.json", json.dumps(content, indent=1))
    screen.say(
        f"\nmean         {mean.value_text} {mean.interval_text} over {len(scores)} draws of {k} a class",
        "bold",
    )
    where = outer.folder / "draws.csv"
    screen.say(
        f"draws        {where}; each has its draw-1/report.html and so on; the classifier is the first's"
    )
