"""Journal: the folder of a search, with Optuna's journal, and how the settings are drawn.

Optuna's own samplers keep a random state, which is lost with a killed process, and look at all
trials that have ended. `SeededSampler` draws each value from the seed, the number of the trial, the
name of the setting, the trials of earlier generations and what is drawn before it in its own, so
that it draws the same when and wherever a trial begins.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from matplotlib.figure import Figure
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from convlens.charts.tuning import show_trials
from convlens.config import LEARNING_RATES, Config
from convlens.errors import RunError
from convlens.files import storage_errors, write_atomically
from convlens.history import Row
from convlens.language import _, recorded
from convlens.run import Run
from convlens.run_folder import HISTORY
from convlens.studies.generations import SEQUENTIAL, Outcome, known_to
from convlens.studies.space import (
    Choices,
    Dimension,
    Range,
    Space,
    rate_follows_optimizer,
    setting_value,
)

STARTUP = 5  # trials that must have ended before others are drawn and judged by them
JOURNAL = "journal.log"
SECONDS = "seconds"  # attribute of a trial, as the two below
MEDIAN = "median"  # of a trial that was stopped early: the median that it was below
FAILURE = "failure"  # of a trial that failed: why
RATES = (0.1, 5.0)  # ends of the range of learning rates, as multiples of the optimizer's usual one
RATE_OF = "learning_rate_"  # begins the name of a learning rate that belongs to one optimizer


@dataclass(frozen=True)
class Search:
    """A search: a folder with `run.toml`, `search.json`, the journal and one run per trial.

    Attributes:
        folder: The folder, such as runs/NAME.
        study: Optuna's view of the journal.
        generation: The number of trials of a generation.
    """

    folder: Path
    study: optuna.Study
    generation: int = SEQUENTIAL

    @classmethod
    def open(cls, folder: Path, seed: int, generation: int = SEQUENTIAL) -> "Search":
        """Return the search in a folder, which may be new.

        Args:
            folder: The folder, which must exist.
            seed: The seed of the search.
            generation: The number of trials of a generation; see `convlens.studies.generations`.

        Raises:
            RunError: If the journal is damaged.
            StorageError: If the journal cannot be read or repaired.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name="search",
            storage=_open_journal(folder / JOURNAL),
            sampler=SeededSampler(seed, STARTUP, generation),
            pruner=optuna.pruners.NopPruner(),  # `generations` says which trials are stopped early
            direction="maximize",
            load_if_exists=True,
        )
        return cls(folder, study, generation)

    def run(self, trial: FrozenTrial | optuna.Trial) -> Run:
        """Return the run of a trial."""
        return Run(self.folder / f"trial-{trial.number:03d}")

    def history(self, trial: FrozenTrial) -> list[Row]:
        """Return the epochs of the run of a trial; none if it could not begin."""
        run = self.run(trial)
        return run.history if (run.folder / HISTORY).exists() else []

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> FrozenTrial:
        """Record how a trial ended, and return it as it is recorded.

        If an earlier process was killed while it did so, the rest is recorded.
        """
        known = self.trials[trial.number].intermediate_values
        for epoch, score in outcome.scores.items():
            if epoch not in known:
                trial.report(score, epoch)
        trial.set_user_attr(SECONDS, outcome.seconds)
        value = None
        state = TrialState.COMPLETE
        if outcome.failure:
            state = TrialState.FAIL
            trial.set_user_attr(FAILURE, recorded(outcome.failure))
        elif outcome.median is not None:
            state = TrialState.PRUNED
            trial.set_user_attr(MEDIAN, outcome.median.to_dict())
        else:
            value = max(outcome.scores.values())
        self.study.tell(trial, value, state=state)
        return self.trials[trial.number]

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, in order."""
        return list(self.study.get_trials(deepcopy=False))

    @property
    def ranked(self) -> list[FrozenTrial]:
        """The trials that ran to their end, the best first."""
        done = [trial for trial in self.trials if trial.state == TrialState.COMPLETE]
        return sorted(done, key=lambda trial: (-float(trial.value or 0), trial.number))

    @property
    def seconds(self) -> float:
        """The seconds of all finished trials."""
        return sum(seconds_of(trial) for trial in self.trials)

    @property
    def best(self) -> Run:
        """The run of the best trial."""
        return self.run(self.ranked[0])

    def chart(self) -> Figure:
        """Return a chart of the trials with a score: in order, and against each varied setting."""
        scored = [trial for trial in self.trials if trial.intermediate_values]
        return show_trials(
            [varied_fields(trial) for trial in scored],
            [max(trial.intermediate_values.values()) for trial in scored],
            [trial.state == TrialState.COMPLETE for trial in scored],
            [trial.number for trial in scored],
        )


def _open_journal(path: Path) -> JournalStorage:
    """Return Optuna's storage in a file.

    A last line that was cut off by a crash is dropped.

    Raises:
        RunError: If another line is damaged.
        StorageError: If the file cannot be read or repaired.
    """
    what = _("the journal of the search")
    with storage_errors(path, what):
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content or not content:
            write_atomically(path, whole, what)
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            json.loads(line)
        except ValueError as error:
            raise RunError(
                _(
                    "{path}, line {number}: the journal of the search is damaged. Start the search "
                    "anew, under another --run name."
                ).format(path=path, number=number)
            ) from error
    return JournalStorage(_Journal(str(path), _Alone(str(path))))


class _Alone(JournalFileOpenLock):  # type: ignore[misc]
    """A lock for a journal that only one process writes.

    Optuna's own locks are files. After a crash, the next process would wait half a minute for one.
    """

    def acquire(self) -> bool:
        """Return that the journal can be written."""
        return True

    def release(self) -> None:
        """Do nothing."""


class _Journal(JournalFileBackend):  # type: ignore[misc]
    """Optuna's file, with the errors of convlens."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write lines at the end of the file.

        Raises:
            StorageError: If the disk is full or cannot be written to.
        """
        with storage_errors(self._file_path, _("the journal of the search")):
            super().append_logs(logs)


class SeededSampler(optuna.samplers.TPESampler):  # type: ignore[misc]
    """A tree-structured Parzen estimator without a random state of its own.

    It estimates from the scores of earlier generations, which must have ended, and keeps away from
    what is drawn already in the generation of the trial, which must be drawn in order.

    Source: Bergstra, Bardenet, Bengio, Kégl, "Algorithms for Hyper-Parameter Optimization", 2011.

    Args:
        seed: The seed of the search.
        startup: The number of earlier trials below which settings are drawn at random.
        generation: The number of trials of a generation.
    """

    def __init__(self, seed: int, startup: int, generation: int = SEQUENTIAL) -> None:
        super().__init__(
            seed=seed, n_startup_trials=startup, multivariate=False, constant_liar=False
        )
        self.seed = seed
        self.startup = startup
        self.generation = generation
        self._known: tuple[int, optuna.Study] | None = None  # to the trial of this number

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Return nothing, so that every value is drawn by `sample_independent`."""
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Return a value, drawn by a fresh sampler with a seed of its own."""
        state = np.random.SeedSequence((self.seed, trial.number, zlib.crc32(param_name.encode())))
        fresh = optuna.samplers.TPESampler(
            seed=int(state.generate_state(1)[0]),
            n_startup_trials=self.startup,
            multivariate=False,
            constant_liar=True,  # without it, the trials of a generation are nearly the same
        )
        known = self._known_to(trial.number, study)
        return fresh.sample_independent(known, trial, param_name, param_distribution)

    def _known_to(self, number: int, study: optuna.Study) -> optuna.Study:
        """Return a study with the trials that a trial may know; see `known_to`."""
        if self._known is None or self._known[0] != number:
            known = optuna.create_study(direction="maximize")
            trials = study.get_trials(deepcopy=False)
            known.add_trials(known_to(trials, number, self.generation))
            self._known = (number, known)
        return self._known[1]


def suggest(trial: optuna.Trial, space: Space, base: Config) -> Config:
    """Return the configuration of a trial.

    If the space varies the optimizer and not the learning rate, the learning rate is drawn around
    the usual one of the optimizer. It is then a parameter of its own for each optimizer.

    Args:
        trial: The trial, which draws the values.
        space: The settings that are varied.
        base: The configuration with all other settings.
    """
    values = {
        name: setting_value(name, _draw(trial, name, dimension))
        for name, dimension in space.items()
    }
    if rate_follows_optimizer(space):
        optimizer = values["optimizer"]
        low, high = (LEARNING_RATES[optimizer] * factor for factor in RATES)
        rates = Range(low, high, logarithmic=True)
        values["learning_rate"] = _draw(trial, f"{RATE_OF}{optimizer}", rates)
    return base.replace(**values)


def _draw(trial: optuna.Trial, name: str, dimension: Dimension) -> Any:
    """Return the value that a trial draws from a dimension."""
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(name, dimension.values)
    if isinstance(dimension.low, int) and isinstance(dimension.high, int):
        return trial.suggest_int(name, dimension.low, dimension.high)
    return trial.suggest_float(name, dimension.low, dimension.high, log=dimension.logarithmic)


def varied_fields(trial: FrozenTrial) -> dict[str, Any]:
    """Return the values that a trial has drawn, by the name of the setting."""
    return {
        "learning_rate" if name.startswith(RATE_OF) else name: value
        for name, value in trial.params.items()
    }


def seconds_of(trial: FrozenTrial) -> float:
    """Return the seconds that a trial took, without the time between a stop and its resume."""
    return float(trial.user_attrs.get(SECONDS, 0.0))
