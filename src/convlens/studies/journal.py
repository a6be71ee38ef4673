"""Study: the folder of a search, with Optuna's journal and a run for each trial."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import optuna
from matplotlib.figure import Figure
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from convlens.charts.trials import show_trials
from convlens.errors import RunError, StorageError
from convlens.run import Run
from convlens.studies.space import Seeded, varied_fields
from convlens.studies.trial_table import seconds_of

STARTUP = 5  # trials drawn at random, and run to their end, before the sampler and the pruner have something to go by
WARMUP_EPOCHS = 2  # of a trial before it may be stopped
JOURNAL = "journal.log"


@dataclass(frozen=True)
class Search:
    """The folder of a search: `run.toml`, `search.json`, the journal, and a run for each trial.

    Attributes:
        folder: runs/<name>.
        study: Optuna's view of the journal.
    """

    folder: Path
    study: optuna.Study

    @classmethod
    def open(cls, folder: Path, seed: int) -> "Search":
        """Return the search of a folder, begun or continued."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name="search",
            storage=_journal(folder / JOURNAL),
            sampler=Seeded(seed, STARTUP),
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
    def ranked(self) -> list[FrozenTrial]:
        """The trials that ran to their end, the best first."""
        done = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return sorted(done, key=lambda trial: (-float(trial.value or 0), trial.number))

    @property
    def seconds(self) -> float:
        """Seconds of all finished trials."""
        return sum(seconds_of(trial) for trial in self.study.get_trials(deepcopy=False))

    @property
    def best(self) -> Run:
        """The run of the best trial."""
        return self.run(self.ranked[0])

    def chart(self) -> Figure:
        """Return the chart of all trials that have a score: in order, and against each field that was varied."""
        told = [
            trial for trial in self.study.get_trials(deepcopy=False) if trial.intermediate_values
        ]
        return show_trials(
            [varied_fields(trial) for trial in told],
            [max(trial.intermediate_values.values()) for trial in told],
            [trial.state == TrialState.COMPLETE for trial in told],
        )

    @property
    def how_to_go_on(self) -> str:
        """The command that goes on with it."""
        return shlex.join(["convlens", "search", "--run", str(self.folder), "--resume"])


def _journal(path: Path) -> JournalStorage:
    """Return Optuna's storage in a file; a last line that was cut off by a crash is dropped.

    Raises:
        RunError: another line is damaged.
        StorageError: the file cannot be read or mended.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                json.loads(line)
            except ValueError as error:
                raise RunError(
                    f"{path}, line {number}: the journal of the search is damaged ({error})."
                ) from error
        if whole != content:
            path.write_bytes(whole)
    except OSError as error:
        raise StorageError(
            f"{path}: the journal cannot be read; {error.strerror or error}."
        ) from error
    return JournalStorage(JournalFileBackend(str(path)))
