"""Trial: one training of a search, which is pruned if it falls behind the others."""

import time
from typing import Any

import optuna
from optuna.trial import TrialState

from convlens.config import Config
from convlens.data.prepared import Prepared
from convlens.errors import ModelError, TrainingError
from convlens.files import storage_errors
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies.hparams import write_hparams
from convlens.studies.journal import Search
from convlens.studies.trial_table import SECONDS, TrialTable
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer


class Pruner:
    """Reports the score of each epoch to Optuna, and ends a trial that falls behind the others.

    Args:
        trial: The trial.
        epochs: The number of epochs of the trial. After the last one it is not pruned.
    """

    def __init__(self, trial: optuna.Trial, epochs: int) -> None:
        self.trial = trial
        self.epochs = epochs
        self.highest = 0.0
        known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        self.reported = max(known, default=0)  # the last epoch before the search was stopped

    def __call__(self, row: dict[str, Any], best: bool) -> None:
        """Report the best validation accuracy so far.

        Args:
            row: The finished epoch, also one from before a stop.
            best: Not used.

        Raises:
            optuna.TrialPruned: If this accuracy is below the median of the other trials.
        """
        self.highest = max(self.highest, row["val_accuracy"])
        if row["epoch"] < self.reported:
            return  # Optuna was asked, and has answered, before the stop
        if row["epoch"] > self.reported:
            self.trial.report(self.highest, row["epoch"])
        if row["epoch"] < self.epochs and self.trial.should_prune():
            raise optuna.TrialPruned


def train_trial(
    found: Search, trial: optuna.Trial, config: Config, prepared: Prepared, table: TrialTable
) -> None:
    """Train a trial, or the rest of it, and record how it ended.

    Args:
        found: The search.
        trial: The trial.
        config: The configuration of the trial.
        prepared: The images and their split.
        table: Where the trial is printed.

    Raises:
        Interrupted: If the user pressed Ctrl-C. The trial can be continued.
        StorageError: If a file cannot be written.
    """
    run = found.run(trial)
    began = time.monotonic()
    state = TrialState.COMPLETE
    value = None
    ending = ""
    try:
        setup = Setup.create(prepared, config, choose_network(config))
        if not (run.folder / "run.toml").exists():
            run = Run.create(run.folder, "")
            setup.describe(run)
        bar = Screen(console=table.screen.console, rows=False)
        Trainer(setup, bar).run(run, on_epoch=Pruner(trial, config.training.epochs))
        value = max(float(row["val_accuracy"] or 0) for row in run.history)
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except (ModelError, TrainingError) as error:
        state = TrialState.FAIL
        ending = str(error)
    history = run.history if (run.folder / "history.csv").exists() else []
    # The time before a stop is known by its epochs only.
    of_epochs = sum(float(row["seconds"] or 0) for row in history)
    trial.set_user_attr(SECONDS, max(time.monotonic() - began, of_epochs))
    found.study.tell(trial, value, state=state)
    finished = found.trials[trial.number]
    table.row(finished, ending)
    with storage_errors(found.folder / "tensorboard", "the trial for TensorBoard"):
        write_hparams(found.folder / "tensorboard", finished, history)
