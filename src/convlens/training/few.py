"""Few: how well a classifier does that learned from a few pictures a class, over several draws of them.

One draw of five pictures can be lucky: with the same recipe, accuracies on cats and dogs spread by more than a percent
(standard deviation of 10 draws). The mean over draws has an interval, Student's t of their number.
"""

import csv
import dataclasses
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import ConfigError, DataError, Interrupted, StorageError
from convlens.evaluation.curves import show_scores
from convlens.evaluation.scores import Score
from convlens.training.backbone import choose_origin
from convlens.training.network import require_unseen_test
from convlens.training.run import Run
from convlens.training.screen import Screen
from convlens.training.transfer import make_trainer

__all__ = ["mean_of_draws", "train_on_few"]

DRAWS = 5


def mean_of_draws(values: Sequence[float]) -> Score:
    """Return the mean with its 95 % interval by Student's t; n is the number of draws.

    Student's own data (1908), hours of sleep that ten patients gained, give 0.70 to 2.46; here in hundreds of hours:

    >>> score = mean_of_draws([0.012, 0.024, 0.013, 0.013, 0.0, 0.010, 0.018, 0.008, 0.046, 0.014])
    >>> round(score.value, 4), round(score.low, 4), round(score.high, 4)
    (0.0158, 0.007, 0.0246)
    """
    mean, half = float(np.mean(values)), np.inf
    if len(values) > 1:
        half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return Score(mean, max(mean - half, 0.0), min(mean + half, 1.0), len(values))


def train_on_few(
    dataset: Dataset,
    config: Config,
    k: int,
    *,
    draws: int = DRAWS,
    run: str | Path | None = None,
    screen: Screen | None = None,
) -> Run:
    """Train on k pictures a class, several times on other ones, and score each on all test pictures; return the run.

    Draw i lies in `draw-<i>/` of the run, with a report of its own. No other labelled picture is used, so nothing
    validates, calibrates or chooses; the run's classifier is that of the first draw, chosen by nothing.

    Raises:
        ConfigError: k or draws below their least.
        DataError: a class has fewer than k pictures outside the test set, or there is no test set.
    """
    if k < 1 or draws < 2:
        raise ConfigError(f"--few must be at least 1 and --draws at least 2; found {k} and {draws}.")
    screen = screen or Screen()
    origin = choose_origin(config)
    with screen.counter("decoding") as progress:
        whole = origin.prepare(dataset, config, progress)
    require_unseen_test(origin.trained, whole, config)
    pools = _pools(whole, k)
    outer = Run.create(run, f"{dataset.name}-{origin.name}-{k}-a-class")
    scores: list[Score] = []
    for number in range(1, draws + 1):
        rng = np.random.default_rng((config.training.seed, number))
        drawn = np.sort(np.concatenate([rng.permutation(pool)[:k] for pool in pools]))
        splits = dataclasses.replace(whole.splits, train=drawn, val=drawn[:0])
        part, inner = dataclasses.replace(whole, splits=splits), Run.create(outer.folder / f"draw-{number}", "")
        with backend.forgotten():
            trainer = make_trainer(part, config, origin, screen if number == 1 else Screen(quiet=True))
            trainer.describe_run(inner)
            if number == 1:
                trainer.describe_run(outer, few=k, draws=draws)
                trainer.announce(outer)
            trainer.screen = Screen(quiet=True)
            try:
                trainer.run(inner)
            except (Interrupted, KeyboardInterrupt):
                raise Interrupted(
                    f"stopped in draw {number} of {draws}; finished draws keep their reports. This starts anew: give "
                    "it another --run name."
                ) from None
            trainer.finish(inner)
        scores.append(Score(**inner.report["metrics"]["accuracy"]))
        screen.say(f"draw {number:<8}{scores[-1].value_text} {scores[-1].interval_text} of {scores[-1].n:,} pictures")
    _write(outer, k, scores, screen)
    return outer


def _pools(whole: Prepared, k: int) -> list[NDArray[np.int64]]:
    """Return the pictures of each class that may be drawn."""
    if not len(whole.splits.test):
        raise DataError("--few scores each draw on the test pictures; there are none. Leave --test at its default.")
    pool = np.concatenate([whole.splits.train, whole.splits.val])
    labels = whole.dataset.labels[pool]
    pools = [pool[labels == number] for number in range(whole.dataset.num_classes)]
    least = min(range(len(pools)), key=lambda number: len(pools[number]))
    if len(pools[least]) < k:
        raise DataError(
            f"--few {k} needs {k} pictures of every class outside the test set; "
            f"'{whole.dataset.class_names[least]}' has {len(pools[least]):,}."
        )
    return pools


def _write(outer: Run, k: int, scores: list[Score], screen: Screen) -> None:
    """Write and show the mean; the classifier is the first draw's."""
    mean, table = mean_of_draws([score.value for score in scores]), io.StringIO()
    rows = [[number, score.value, score.low, score.high, score.n] for number, score in enumerate(scores, start=1)]
    csv.writer(table, lineterminator="\n").writerows([["draw", "accuracy", "low", "high", "pictures"], *rows])
    outer.write("draws.csv", table.getvalue())
    names = [*(f"draw {number}" for number in range(1, len(scores) + 1)), "mean"]
    chart = show_scores({f"{k} pictures a class": dict(zip(names, [*scores, mean], strict=True))})
    outer.write_figure("draws", chart)
    try:
        for name in ("classifier.keras", "history.csv"):
            shutil.copyfile(outer.folder / "draw-1" / name, outer.folder / name)
    except OSError as error:
        raise StorageError(f"{outer.folder}: the classifier cannot be written; {error.strerror or error}.") from error
    content = {
        "title": outer.folder.name,
        "few": k,
        "metrics": {"accuracy": mean.to_dict()},
        "draws": [score.to_dict() for score in scores],
        "test_evaluations": len(scores),
    }
    outer.write("report.json", json.dumps(content, indent=1))
    screen.say(f"\nmean         {mean.value_text} {mean.interval_text} over {len(scores)} draws of {k} a class", "bold")
    screen.say(f"draws        {outer.folder / 'draws.csv'}, each with its report in draw-1/ ...")
