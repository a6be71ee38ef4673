"""Trial: one training of a search, which is pruned if it falls behind the others.

A finished trial is also written for the page HParams of TensorBoard, without TensorFlow.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from convlens.config import Config
from convlens.data.prepared import Prepared
from convlens.errors import ModelError, TrainingError
from convlens.files import storage_errors
from convlens.language import _
from convlens.pipeline import open_trainer
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies.journal import SECONDS, Search, varied_fields
from convlens.studies.search_result import TrialTable
from convlens.studies.several import as_begun

SCALARS = ("loss", "accuracy", "val_loss", "val_accuracy")  # that TensorBoard shows


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
        bar = Screen(console=table.screen.console, rows=False)
        trainer = open_trainer(prepared, as_begun(run, config), bar)
        if not (run.folder / "run.toml").exists():
            trainer.setup.describe(Run(found.folder).part(run.folder.name))
        trainer.run(run, on_epoch=Pruner(trial, config.training.epochs))
        value = max(float(row["val_accuracy"] or 0) for row in run.history)
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except (ModelError, TrainingError) as error:
        state = TrialState.FAIL
        ending = str(error)
    history = run.history if (run.folder / "history.csv").exists() else []
    # The time before a stop is known by its epochs only.
    seconds = max(time.monotonic() - began, sum(float(row["seconds"] or 0) for row in history))
    trial.set_user_attr(SECONDS, seconds)
    found.study.tell(trial, value, state=state)
    finished = found.trials[trial.number]
    table.row(finished, ending)
    with storage_errors(found.folder / "tensorboard", _("the trial for TensorBoard")):
        write_hparams(found.folder / "tensorboard", finished, history)


def write_hparams(folder: Path, trial: FrozenTrial, history: Sequence[Mapping[str, Any]]) -> None:
    """Write what a trial varied and its scores, in place of what an earlier attempt has left.

    Args:
        folder: The folder for `tensorboard --logdir`, in which trial-NNN is made.
        trial: A finished trial.
        history: The epochs of its run, as `Run.history` gives them.

    Raises:
        OSError: If the files cannot be written.
    """
    place = folder / f"trial-{trial.number:03d}"
    for old in place.glob("events.*"):
        old.unlink()
    moment = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    writer = EventFileWriter(str(place))
    settings = hparams_pb(varied_fields(trial), trial_id=place.name, start_time_secs=moment)
    writer.add_event(Event(wall_time=moment, summary=settings))
    for row in history:
        moment += float(row["seconds"] or 0)
        values = [
            Summary.Value(tag=name, simple_value=float(row[name]))
            for name in SCALARS
            if row[name] is not None
        ]
        step = int(row["epoch"])
        writer.add_event(Event(wall_time=moment, step=step, summary=Summary(value=values)))
    writer.close()
