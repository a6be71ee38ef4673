"""Search result: how good the best trial of a search is.

At the end of the search it is compared with the second best and scored on the test images.
"""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from convlens.altered import refuse_altered
from convlens.data.formats.named import NAMES
from convlens.data.prepared import Prepared
from convlens.errors import TrainingError
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import compare_pairs
from convlens.evaluation.scores import LEAST_SEEN, Score
from convlens.files import expanded
from convlens.language import N_, _, sentences
from convlens.report.finish import finish
from convlens.run import Run
from convlens.run_folder import TRIALS
from convlens.screen import Screen
from convlens.studies.journal import Search
from convlens.studies.trial_table import TrialTable

SHOWN = 5  # trials in the closing table
LONGER = 40  # epochs that are suggested for the best settings

# not translated: a line of Python
IN_PYTHON = "convlens.train(dataset, convlens.Config.from_toml({path!r}).replace(epochs={n}))"

OPTIMISTIC = {  # by whether there are test images
    True: N_("As the best of {count}, it is rated too high here: the test images decide."),
    False: N_(
        "As the best of {count}, it is rated too high here, and no test images were set aside."
    ),
}

BEST = {  # by whether the accuracy is the one that the trial reported while it trained
    True: N_("trial {number}: {value:.1f} % [{low:.1f}, {high:.1f}] of {n:,} validation images."),
    False: N_(
        "trial {number}: {value:.1f} % [{low:.1f}, {high:.1f}] of {n:,} validation images, "
        "in float32 as it is saved ({reported:.1f} % above: in bfloat16, while it trained)."
    ),
}


def finish_search(found: Search, prepared: Prepared, table: TrialTable) -> dict[str, Any]:
    """Print the best trials, score the best one on the test images, and write its report.

    Args:
        found: The search, whose trials are finished.
        prepared: The images and their split.
        table: Where the trials are printed.

    Returns:
        What is recorded in search.json: the best trial, its scores, and the paired test with the
        second best.

    Raises:
        TrainingError: If no trial ran to its end.
        RunError: If the settings of the best trial were changed since it was trained.
    """
    ranked = found.ranked
    if not ranked:
        raise TrainingError(
            _("{folder}: no trial ran to its end. Try a narrower --vary or more --trials.").format(
                folder=found.folder
            )
        )
    table.screen.say()
    table.screen.say(_("the best, on the validation images"), "dim")
    table.heading()
    for trial in ranked[:SHOWN]:
        table.row(trial)
    chart = Run(found.folder).write_figure("trials", found.chart())
    run = found.best
    refuse_altered(run.folder)
    compared = _compare_first(found, ranked[:2], prepared, table.screen)
    classifier = finish(run, prepared, table.screen)[0]
    logs = _("{command} (the page HParams)")
    tensorboard = ["tensorboard", "--logdir", str(found.folder / "tensorboard")]
    table.screen.fact(_("classifier"), str(run.classifier_path))
    table.screen.fact(_("chart"), str(chart))
    table.screen.fact(_("table"), str(found.folder / TRIALS))
    table.screen.fact(_("trials"), logs.format(command=shlex.join(tensorboard)))
    table.screen.fact(_("next"), train_longer(prepared.dataset.source, run.folder / "run.toml"))
    metrics = classifier.provenance.get("metrics", {})
    return {"best": ranked[0].number, **compared, "metrics": metrics}


def train_longer(path: str, settings: Path) -> str:
    """Return how to train the best settings for longer.

    Args:
        path: The source of the images, as data.json records it.
        settings: The run.toml of the best trial.

    Returns:
        A command if it can name the images, otherwise a line of Python.
    """
    if path in NAMES or expanded(path).exists():
        words = ["convlens", "train", path, "--config", str(settings), "--epochs", str(LONGER)]
        return shlex.join(words)
    return IN_PYTHON.format(path=str(settings), n=LONGER)


def _compare_first(
    found: Search, first: list[FrozenTrial], prepared: Prepared, screen: Screen
) -> dict[str, Any]:
    """Print how good the best trial is on the validation images, and whether the second is worse.

    Args:
        found: The search.
        first: The best trial, and the second best if there is one.
        prepared: The images and their split.
        screen: Where it is printed.
    """
    images = prepared.store.images
    val = prepared.splits.val
    labels = prepared.dataset.labels[val]
    predicted = [
        found.run(trial).classifier().probabilities(images, indices=val).argmax(axis=1)
        for trial in first
    ]
    score = accuracy(labels, predicted[0])
    caveat = _(OPTIMISTIC[len(prepared.splits.test) > 0]).format(count=len(found.trials))
    screen.say()
    screen.say(sentences(_describe_best(first[0], score), caveat))
    facts: dict[str, Any] = {"validation": dataclasses.asdict(score)}
    if len(first) == 2:
        names = [_("trial {number}").format(number=trial.number) for trial in first]
        (pair,) = compare_pairs(names, np.array(predicted) == labels)
        screen.say(str(pair))
        facts["paired_test"] = pair.to_dict()
    return facts


def _describe_best(trial: FrozenTrial, score: Score) -> str:
    """Return the validation accuracy of the best trial in words."""
    reported = float(trial.value or 0)
    return _(BEST[abs(reported - score.value) < LEAST_SEEN]).format(
        number=trial.number,
        value=100 * score.value,
        low=100 * score.low,
        high=100 * score.high,
        n=score.n,
        reported=100 * reported,
    )
