"""Journal: the folder of a search, with Optuna's journal and one run per trial."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import optuna
from matplotlib.figure import Figure
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from convlens.charts.tuning import show_trials
from convlens.errors import RunError
from convlens.files import storage_errors, write_atomically
from convlens.run import Run
from convlens.studies.sampler import SeededSampler, varied_fields
from convlens.studies.trial_table import seconds_of

STARTUP = 5  # trials that are drawn at random and never pruned, so that others can be compared
WARMUP_EPOCHS = 2  # epochs of a trial before it may be pruned
JOURNAL = "journal.log"


@dataclass(frozen=True)
class Search:
    """A search: a folder with `run.toml`, `search.json`, the journal and one run per trial.

    Attributes:
        folder: The folder, such as runs/NAME.
        study: Optuna's view of the journal.
    """

    folder: Path
    study: optuna.Study

    @classmethod
    def open(cls, folder: Path, seed: int) -> "Search":
        """Return the search in a folder, which may be new.

        Args:
            folder: The folder, which must exist.
            seed: The seed of the search.

        Raises:
            RunError: If the journal is damaged.
            StorageError: If the journal cannot be read or repaired.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name="search",
            storage=_open_journal(folder / JOURNAL),
            sampler=SeededSampler(seed, STARTUP),
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=STARTUP, n_warmup_steps=WARMUP_EPOCHS
            ),
            direction="maximize",
            load_if_exists=True,
        )
        return cls(folder, study)

    def run(self, trial: FrozenTrial | optuna.Trial) -> Run:
        """Return the run of a trial."""
        return Run(self.folder / f"trial-{trial.number:03d}")

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, in order."""
        found: list[FrozenTrial] = self.study.get_trials(deepcopy=False)
        return found

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
        )

    def how_to_go_on(self) -> str:
        """Return how to continue the search after it was stopped."""
        command = shlex.join(["convlens", "search", "--run", str(self.folder), "--resume"])
        return "To go on: {command}".format(command=command)


def _open_journal(path: Path) -> JournalStorage:
    """Return Optuna's storage in a file. A last line that was cut off by a crash is dropped.

    Raises:
        RunError: If another line is damaged.
        StorageError: If the file cannot be read or repaired.
    """
    with storage_errors(path, "the journal of the search"):
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            write_atomically(path, whole, "the journal of the search")
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            json.loads(line)
        except ValueError as error:
            raise RunError(
                "{path}, line {number}: the journal of the search is damaged ({error}).".format(
                    path=path, number=number, error=error
                )
            ) from error
    # Optuna's default lock is a symbolic link, which Windows allows in its developer mode only.
    return JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))
