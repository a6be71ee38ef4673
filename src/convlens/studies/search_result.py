"""Search result: which trial is best, whether that is certain, and its score on the test images."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from convlens.data.formats.named import NAMES
from convlens.data.prepared import Prepared
from convlens.errors import TrainingError
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import compare_pairs
from convlens.evaluation.scores import Score
from convlens.report.finish import finish
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies.journal import Search
from convlens.studies.trial_table import TrialTable

LEAST_SEEN = 5e-4  # smallest difference of accuracies that one decimal of a percentage can show
SHOWN = 5  # trials in the closing table
LONGER = 40  # epochs that are suggested for the best settings


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
    """
    ranked = found.ranked
    screen = table.screen
    if not ranked:
        raise TrainingError(
            "{folder}: no trial came to its end. Try a narrower --vary or more --trials.".format(
                folder=found.folder
            )
        )
    screen.say("\nthe best, on the validation images", "dim")
    table.heading()
    for trial in ranked[:SHOWN]:
        table.row(trial)
    chart = Run(found.folder).write_figure("trials", found.chart())
    run = found.best
    facts: dict[str, Any] = {"best": ranked[0].number}
    facts |= _compare_first(found, ranked[:2], prepared, screen)
    classifier = finish(run, prepared, screen).classifier
    facts["metrics"] = classifier.provenance.get("metrics", {})
    screen.say("classifier   {path}".format(path=run.classifier_path))
    screen.say("chart        {path}".format(path=chart))
    screen.say(
        "trials       tensorboard --logdir {folder} (the page HParams)".format(
            folder=found.folder / "tensorboard"
        )
    )
    longer = train_longer(prepared.to_dict()["path"], run.folder / "run.toml")
    screen.say("next         {command}".format(command=longer))
    return facts


def train_longer(path: str, settings: Path) -> str:
    """Return how to train the best settings for longer.

    Args:
        path: The source of the images, as data.json records it.
        settings: The run.toml of the best trial.

    Returns:
        A command if it can name the images, otherwise a line of Python.
    """
    if path in NAMES or Path(path).exists():
        words = ["convlens", "train", path, "--config", str(settings), "--epochs", str(LONGER)]
        return shlex.join(words)
    template = "convlens.train(dataset, convlens.Config.from_toml({path!r}).replace(epochs={n}))"
    return template.format(path=str(settings), n=LONGER)


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
    template = "That flatters it, as the best of {count}, and no test images were set aside."
    if len(prepared.splits.test):
        template = "That flatters it, as the best of {count}: the test images decide."
    flattered = template.format(count=len(found.trials))
    screen.say(" ".join([_describe_best(first[0], score), flattered]))
    facts: dict[str, Any] = {"validation": dataclasses.asdict(score)}
    if len(first) == 2:
        names = [f"trial {trial.number}" for trial in first]
        correct = np.array([classes == labels for classes in predicted])
        pair = compare_pairs(names, correct)[0]
        screen.say(str(pair))
        facts["paired_test"] = pair.to_dict()
    return facts


def _describe_best(trial: FrozenTrial, score: Score) -> str:
    """Return the validation accuracy of the best trial in words."""
    reported = float(trial.value or 0)
    template = "\ntrial {number}: {value:.1f} % [{low:.1f}, {high:.1f}] of {n:,} validation images."
    if abs(reported - score.value) >= LEAST_SEEN:
        template = (
            "\ntrial {number}: {value:.1f} % [{low:.1f}, {high:.1f}] of {n:,} validation images, "
            "in float32 as it is saved ({reported:.1f} % above: in bfloat16, while it trained)."
        )
    return template.format(
        number=trial.number,
        value=100 * score.value,
        low=100 * score.low,
        high=100 * score.high,
        n=score.n,
        reported=100 * reported,
    )
