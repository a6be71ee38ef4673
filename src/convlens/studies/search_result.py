"""Search result: the table of the trials, and how good the best of them is.

The table is printed while the trials end, one row after the other. At the end of the search the
best trial is compared with the second best and scored on the test images.
"""

import csv
import dataclasses
import io
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState
from rich.cells import cell_len

from convlens.altered import refuse_altered
from convlens.columns import FURTHER, in_lines
from convlens.data.formats.named import NAMES
from convlens.data.prepared import Prepared
from convlens.errors import TrainingError
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import compare_pairs
from convlens.evaluation.scores import Score
from convlens.files import expanded, write_atomically
from convlens.language import N_, _, recalled, sentences
from convlens.report.finish import finish
from convlens.run import Run
from convlens.run_folder import TRIALS
from convlens.screen import Screen
from convlens.studies.journal import (
    FAILURE,
    MEDIAN,
    Search,
    seconds_of,
    varied_fields,
)
from convlens.studies.space import Space, rate_follows_optimizer, varied_names

LEAST_SEEN = 5e-4  # smallest difference of accuracies that one decimal of a percentage can show
SHOWN = 5  # trials in the closing table
COLUMNS = (  # of this file, before those of the settings
    "trial",
    "state",
    "val_accuracy",
    "epochs",
    "seconds",
    "median",
    "median_of",
    "failure",
)
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


HEADINGS = {  # of the columns before those of the settings
    "trial": N_("trial"),
    "val": N_("val"),
    "epochs": N_("epochs"),
    "seconds": N_("seconds"),
}


class TrialTable:
    """Prints trials as rows, with one column for each setting that is varied.

    The rows of `add` are in the order of the trials, whatever the order in which they end.

    Args:
        space: The settings that are varied.
        screen: Where the table is printed.
    """

    def __init__(self, space: Space, screen: Screen) -> None:
        self.screen = screen
        self._waiting: dict[int, FrozenTrial] = {}
        self._printed = 0
        self.headings = {name: _(text) for name, text in HEADINGS.items()}
        self.widths = {"trial": 5, "val": 6, "epochs": 6, "seconds": 7}
        for name, heading in self.headings.items():
            self.widths[name] = max(self.widths[name], cell_len(heading))
        self.widths |= {
            name: max(len(name), *(len(format_value(end)) for end in dimension.ends))
            for name, dimension in space.items()
        }
        if rate_follows_optimizer(space):
            self.widths["learning_rate"] = len("learning_rate")
        widest = [" " * width for width in self.widths.values()]
        self._parts = in_lines([widest], screen.room)  # the same for all rows

    def heading(self) -> None:
        """Print the names of the columns."""
        cells = [
            _right(self.headings.get(name, name), width) for name, width in self.widths.items()
        ]
        self.screen.say()
        self._say(cells, "bold")

    def add(self, trial: FrozenTrial) -> None:
        """Print a trial that has ended, or keep its row until those before it are printed."""
        self._waiting[trial.number] = trial
        while (row := self._waiting.pop(self._printed, None)) is not None:
            self.row(row)
            self._printed += 1

    def row(self, trial: FrozenTrial) -> None:
        """Print a trial. Its score is that of its best epoch; below it is why it failed."""
        best = max(trial.intermediate_values.values(), default=None)
        values = varied_fields(trial) | {
            "trial": trial.number,
            "val": "-" if best is None else f"{100 * best:.1f} %",
            "epochs": len(trial.intermediate_values),
            "seconds": f"{seconds_of(trial):.1f}",
        }
        cells = [f"{format_value(values.get(name, '-')):>{w}}" for name, w in self.widths.items()]
        self._say(cells, more=_why_stopped(trial) if trial.state == TrialState.PRUNED else "")
        if failure := trial.user_attrs.get(FAILURE):
            self.screen.note(recalled(failure))

    def _say(self, cells: Sequence[str], style: str | None = None, more: str = "") -> None:
        """Print the cells of a row, in further lines where a terminal is too narrow for one.

        What is more to say stands behind them, or in a line of its own if there is no room.
        """
        lines = [FURTHER * (part.start > 0) + "  ".join(cells[part]) for part in self._parts]
        if more and cell_len(lines[-1] + more) + 2 <= self.screen.room:
            lines[-1] += "  " + more
        elif more:
            lines.append(FURTHER + more)
        for line in lines:
            self.screen.say(line, style)


def _why_stopped(trial: FrozenTrial) -> str:
    """Return why a trial was stopped early, in words."""
    median = trial.user_attrs.get(MEDIAN)
    if median is None:  # An earlier convlens, which did not record it, has stopped the trial.
        return _("stopped early")
    return _("stopped early: the median of {count} trials was {median:.1f} %").format(
        count=median["trials"], median=100 * median["accuracy"]
    )


def write_trials(found: Search, space: Space) -> None:
    """Write trials.csv, with a row for each trial that has ended, in their order.

    The columns `median` and `median_of` say of a trial that was stopped early what it was below
    after its last epoch, and how many earlier trials had this median.

    Raises:
        StorageError: If the file cannot be written. The previous rows stay.
    """
    names = varied_names(space)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*COLUMNS, *names))
    writer.writeheader()
    for trial in found.trials:
        if not trial.state.is_finished():
            continue
        median = trial.user_attrs.get(MEDIAN, {})
        values = varied_fields(trial)
        facts = {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "val_accuracy": max(trial.intermediate_values.values(), default=None),
            "epochs": len(trial.intermediate_values),
            "seconds": round(seconds_of(trial), 3),
            "median": median.get("accuracy"),
            "median_of": median.get("trials"),
            "failure": recalled(trial.user_attrs.get(FAILURE)),
        }
        writer.writerow(facts | {name: values.get(name) for name in names})
    write_atomically(found.folder / TRIALS, text.getvalue(), _("the table of the trials"))


def _right(text: str, width: int) -> str:
    """Return a text at the right end of so many cells."""
    return " " * (width - cell_len(text)) + text


def format_value(value: Any) -> str:
    """Return a value as the table shows it, numbers with two digits."""
    return f"{value:.2g}" if isinstance(value, float) else str(value)


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
