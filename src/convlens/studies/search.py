"""Search: many short trainings with other settings, the promising ones to their end, the best one scored.

Optuna draws the settings and keeps the journal; what is drawn follows from (seed, trial), trials are stopped early by
epochs and not by the clock, and each trial is a run that resumes with the same bits. A search that was killed therefore
goes on as it would have.
"""

import dataclasses
import json
import math
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.formats.named import NAMES
from convlens.data.prepared import Prepared
from convlens.errors import (
    ConfigError,
    DataError,
    Interrupted,
    ModelError,
    RunError,
    StorageError,
    TrainingError,
)
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import compare_pairs
from convlens.report.finish import finish
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.studies.hparams import write_hparams
from convlens.studies.journal import Search
from convlens.studies.sampler import RATES, rate_follows_optimizer, suggest
from convlens.studies.space import Space, default_space, from_dict, parse_vary, to_dict
from convlens.studies.trial_table import SECONDS, TrialTable
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer

LEAST_SEEN = 5e-4  # difference of two accuracies that are shown with one decimal
SHOWN = 5  # trials in the closing table


def search(  # noqa: PLR0913 - the public door; all but two have defaults
    dataset: Dataset,
    config: Config,
    *,
    trials: int,
    minutes: float | None = None,
    space: Space | Sequence[str] | None = None,
    run: str | Path | None = None,
    screen: Screen | None = None,
) -> Search:
    """Vary fields of the configuration and return the search; its best trial has a report and a classifier.

    Args:
        dataset: from `load_data`.
        config: all that is not varied; its epochs are those of a trial that is not stopped early.
        trials: how many.
        minutes: no trial begins after so many of training; None sets no limit.
        space: what is varied, as `--vary` says it: ["dropout=0..0.5", "filters=16,32|32,64"], or what `parse_vary`
            made of it; `default_space` of the network where not given.
        run: name or folder of the new search.
        screen: where the progress is shown.

    Raises:
        ConfigError: fewer than two trials, no time, or an unusable space.
        DataError: no validation images to rank on.
        TrainingError: no trial came to its end.
        Interrupted: Ctrl-C; `resume_search` goes on.
    """
    screen = screen or Screen()
    if trials < 2:
        raise ConfigError(f"--trials must be at least 2; found {trials}.")
    if minutes is not None and not (math.isfinite(minutes) and minutes > 0):
        raise ConfigError(f"--minutes must be more than 0; found {minutes:g}.")
    if not isinstance(space, Mapping):
        space = parse_vary(space or (), config.model.model)
    space = space or default_space(config.model.model)
    backend.start(config.training.backend, config.training.threads)
    if run is not None:
        Run.refuse_taken(Run.place(run))
    prepared = _prepared(dataset, config, screen)
    if not len(prepared.splits.val):
        raise DataError(
            "a search ranks on validation images; none were set aside. Give --val a share above 0."
        )
    folder = Run.create(run, f"{dataset.name}-search")
    facts = {
        "path": prepared.to_dict()["path"],
        "trials": trials,
        "minutes": minutes,
        "space": to_dict(space),
    }
    folder.write("data.json", json.dumps(prepared.to_dict(), ensure_ascii=False))
    folder.write("search.json", json.dumps(facts, ensure_ascii=False, indent=1))
    folder.write("run.toml", config.to_toml())
    return _carry_out(Search.open(folder.folder, config.training.seed), prepared, screen)


def resume_search(dataset: Dataset, name: str | Path, screen: Screen | None = None) -> Search:
    """Go on with a search that was stopped or killed, as it would have gone on.

    Raises:
        RunError: there is none of that name, it is finished, or these are other images.
    """
    run, screen = Run.open(name), screen or Screen()
    if not (run.folder / "search.json").is_file():
        raise RunError(
            f"{run.folder}: a search is a folder that `convlens search` made, with search.json."
        )
    if "best" in run.read("search.json"):
        raise RunError(f"{run.folder}: this search is finished; its result is in search.json.")
    backend.start(run.config.training.backend, run.config.training.threads)
    prepared = run.divided(_prepared(dataset, run.config, screen))
    return _carry_out(Search.open(run.folder, run.config.training.seed), prepared, screen)


def _prepared(dataset: Dataset, config: Config, screen: Screen) -> Prepared:
    with screen.counter("decoding") as progress:
        return choose_network(config).prepare(dataset, config, progress)


def _carry_out(found: Search, prepared: Prepared, screen: Screen) -> Search:
    """Run the trials that are left, then score the best one and say what was found."""
    run = Run(found.folder)
    facts, base = run.read("search.json"), run.config
    space = from_dict(facts["space"])
    table = TrialTable(space, screen)
    _announce(found, space, facts, prepared, table)
    limit = math.inf if facts["minutes"] is None else 60 * facts["minutes"]
    try:
        while (trial := _next(found, facts["trials"], limit)) is not None:
            with backend.forgotten():
                _train(found, trial, suggest(trial, space, base), prepared, table)
        best = _finish(found, prepared, table)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted(
            f"stopped; what was done is kept. To go on: {found.how_to_go_on}"
        ) from None
    except StorageError as error:
        raise StorageError(f"{error} Free some space, then: {found.how_to_go_on}") from error
    run.write(
        "search.json", json.dumps(run.read("search.json") | best, ensure_ascii=False, indent=1)
    )
    return found


def _next(found: Search, trials: int, limit: float) -> optuna.Trial | None:
    """Return the trial that was under way when the search was stopped, else a new one, or None at the end."""
    known = found.study.get_trials(deepcopy=False)
    begun = [trial for trial in known if trial.state == TrialState.RUNNING]
    if begun:
        return optuna.Trial(found.study, begun[0]._trial_id)
    return found.study.ask() if len(known) < trials and found.seconds < limit else None


class _Pruning:
    """Tells Optuna the score after each epoch, and ends a trial that falls behind the others."""

    def __init__(self, trial: optuna.Trial, epochs: int) -> None:
        self.trial = trial
        self.epochs = epochs
        self.highest = 0.0
        known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        self.told = max(known, default=0)  # the last epoch before a stop

    def __call__(self, row: dict[str, Any], best: bool) -> None:
        """Report the best validation accuracy so far; raise TrialPruned where it is below the others' median."""
        self.highest = max(self.highest, row["val_accuracy"])
        if row["epoch"] < self.told:
            return  # of a resumed trial: asked and answered before the stop
        if row["epoch"] > self.told:
            self.trial.report(self.highest, row["epoch"])
        if row["epoch"] < self.epochs and self.trial.should_prune():
            raise optuna.TrialPruned


def _train(
    found: Search, trial: optuna.Trial, config: Config, prepared: Prepared, table: TrialTable
) -> None:
    """Train one trial, or the rest of it, and record how it ended."""
    run = found.run(trial)
    began = time.monotonic()
    state, value, ending = TrialState.COMPLETE, None, ""
    try:
        setup = Setup.create(prepared, config, choose_network(config))
        if not (run.folder / "run.toml").exists():
            run = Run.create(run.folder, "")
            setup.describe(run)
        bar = Screen(console=table.screen.console, rows=False)
        Trainer(setup, bar).run(run, on_epoch=_Pruning(trial, config.training.epochs))
        value = max(float(row["val_accuracy"] or 0) for row in run.history)
    except optuna.TrialPruned:
        state, ending = TrialState.PRUNED, "stopped early"
    except (ModelError, TrainingError) as error:
        state, ending = TrialState.FAIL, str(error)
    history = run.history if (run.folder / "history.csv").exists() else []
    # What went before a stop is known by its epochs only.
    trial.set_user_attr(
        SECONDS, max(time.monotonic() - began, sum(float(row["seconds"] or 0) for row in history))
    )
    found.study.tell(trial, value, state=state)
    frozen = found.study.get_trials(deepcopy=False)[trial.number]
    table.row(frozen, ending)
    try:
        write_hparams(found.folder / "tensorboard", frozen, history)
    except OSError as error:
        raise StorageError(
            f"{found.folder}: this cannot be written; {error.strerror or error}."
        ) from error


def _announce(
    found: Search, space: Space, facts: dict[str, Any], prepared: Prepared, table: TrialTable
) -> None:
    splits, settings = prepared.splits, Run(found.folder).config
    limit = (
        "" if facts["minutes"] is None else f", none begun after {duration(60 * facts['minutes'])}"
    )
    rate = (
        ["learning_rate: {:g} to {:g} times the optimizer's usual one".format(*RATES)]
        if rate_follows_optimizer(space)
        else []
    )
    table.screen.facts(
        [
            ("images", f"{len(prepared.dataset):,} from {prepared.dataset.source}"),
            (
                "division",
                f"{len(splits.train):,} train, {len(splits.val):,} validation, {len(splits.test):,} test",
            ),
            ("network", settings.model.model),
            (
                "trials",
                f"{facts['trials']} of {settings.training.epochs} epochs{limit}; weak ones are stopped early",
            ),
            ("varied", "\n".join([*(f"{name}: {one}" for name, one in space.items()), *rate])),
            ("search", str(found.folder)),
        ]
    )
    table.heading()
    for trial in found.study.get_trials(deepcopy=False):
        if trial.state.is_finished():
            table.row(trial)


def _finish(found: Search, prepared: Prepared, table: TrialTable) -> dict[str, Any]:
    """Say which trial is best and whether that is sure, score it once on the test images; return what was found."""
    ranked, screen = found.ranked, table.screen
    if not ranked:
        raise TrainingError(
            f"{found.folder}: no trial came to its end. Try a narrower --vary or more --trials."
        )
    screen.say("\nthe best, on the validation images", "dim")
    table.heading()
    for trial in ranked[:SHOWN]:
        table.row(trial)
    chart = Run(found.folder).write_figure("trials", found.chart())
    best, run = ranked[0], found.run(ranked[0])
    facts: dict[str, Any] = {"best": best.number} | _validate(found, ranked[:2], prepared, screen)
    classifier = finish(run, prepared, screen).classifier
    facts["metrics"] = classifier.provenance.get("metrics", {})
    screen.say(f"classifier   {run.classifier_path}")
    screen.say(f"chart        {chart}")
    screen.say(
        f"trials       tensorboard --logdir {found.folder / 'tensorboard'} (the page HParams)"
    )
    screen.say(f"next         {_longer(prepared.to_dict()['path'], run.folder / 'run.toml')}")
    return facts


def _longer(path: str, settings: Path) -> str:
    """Return how to train the best settings for longer: a command where it can name the images, else in Python."""
    if path in NAMES or Path(path).exists():
        return shlex.join(["convlens", "train", path, "--config", str(settings), "--epochs", "40"])
    return (
        f"convlens.train(dataset, convlens.Config.from_toml({str(settings)!r}).replace(epochs=40))"
    )


def _validate(
    found: Search, first: list[FrozenTrial], prepared: Prepared, screen: Screen
) -> dict[str, Any]:
    """Say how good the best trial is on the validation images, and whether it is better than the second."""
    images, val = prepared.store.images, prepared.splits.val
    labels = prepared.dataset.labels[val]
    answers = [
        found.run(t).classifier().probabilities(images, indices=val).argmax(axis=1) for t in first
    ]
    score, count = accuracy(labels, answers[0]), len(found.study.get_trials(deepcopy=False))
    told = float(first[0].value or 0)
    twice = f", in float32 as it is saved ({100 * told:.1f} % above: in bfloat16, while it trained)"
    screen.say(
        f"\ntrial {first[0].number}: {100 * score.value:.1f} % [{100 * score.low:.1f}, {100 * score.high:.1f}] of "
        f"{score.n:,} validation images{twice if abs(told - score.value) >= LEAST_SEEN else ''}. "
        f"That flatters it, as the best of {count}"
        + (
            ": the test images decide."
            if len(prepared.splits.test)
            else ", and no test images were set aside."
        )
    )
    facts: dict[str, Any] = {"validation": dataclasses.asdict(score)}
    if len(first) == 2:
        names = [f"trial {trial.number}" for trial in first]
        pair = compare_pairs(names, np.array([answer == labels for answer in answers]))[0]
        screen.say(str(pair))
        facts["paired_test"] = pair.to_dict()
    return facts
