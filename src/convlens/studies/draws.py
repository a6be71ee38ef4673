"""Draws: the mean of trainings on few images, as table, chart and report."""

import json
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from convlens.charts.curves import show_scores
from convlens.checksums import seal, seal_parts, unseal
from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.files import write_atomically
from convlens.language import _, ngettext
from convlens.run import Run
from convlens.screen import Screen


def write_draws(run: Run, k: int, scores: list[Score], screen: Screen) -> None:
    """Write the mean as table, chart and report, copy the first classifier, and print the mean.

    Args:
        run: The run of the whole study, whose draws have folders in its own.
        k: The number of images of each class.
        scores: The accuracy of each draw.
        screen: Where the mean is shown.

    Raises:
        StorageError: If a file cannot be written.
    """
    unseal(run.folder)
    mean = mean_of_draws([score.value for score in scores], scores[0].n)
    rows = [f"{n},{one.value},{one.low},{one.high},{one.n}\n" for n, one in enumerate(scores, 1)]
    run.write("draws.csv", "".join(["draw,accuracy,low,high,images\n", *rows]))
    bars: dict[str, Score] = {
        _("draw {number}").format(number=number): score for number, score in enumerate(scores, 1)
    }
    bars[_("mean")] = mean
    title = ngettext("{k} image a class", "{k} images a class", k).format(k=k)
    run.write_figure("draws", show_scores({title: bars}))
    first = Run(run.folder / "draw-1")
    write_atomically(run.classifier_path, first.classifier_path.read_bytes(), _("the classifier"))
    run.write_history(first.history)
    content = {
        "title": run.folder.name,
        "few": k,
        "metrics": {"accuracy": mean.to_dict()},
        "draws": [score.to_dict() for score in scores],
        "test_evaluations": len(scores),
    }
    seal_parts(run.folder)  # before the report, after which nobody goes on with it
    run.write("report.json", json.dumps(content, indent=1))
    seal(run.folder)
    result = ngettext(
        "{value} {interval} over {draws} draw of {k} a class",
        "{value} {interval} over {draws} draws of {k} a class",
        len(scores),
    ).format(value=mean.value_text, interval=mean.interval_text, draws=len(scores), k=k)
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
