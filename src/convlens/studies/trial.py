"""Trial: one training of a search, which ends if it falls behind earlier trials.

A trial is a function of its configuration, its images and the limits of its generation: it asks
nobody while it trains, and tells how it ended in an `Outcome`. A finished trial is also written for
the page HParams of TensorBoard, without TensorFlow.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from convlens.config import Config
from convlens.data.prepared import Prepared
from convlens.errors import ModelError, TrainingError
from convlens.pipeline import open_trainer
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies.generations import BelowMedian, Judge, Median, Outcome
from convlens.studies.journal import varied_fields
from convlens.studies.several import as_begun

SCALARS = ("loss", "accuracy", "val_loss", "val_accuracy")  # that TensorBoard shows


def train_trial(
    run: Run, prepared: Prepared, screen: Screen, config: Config, limits: Mapping[int, Median]
) -> Outcome:
    """Train a trial, or the rest of it, and return how it ended.

    Args:
        run: The run of the trial.
        prepared: The images and their split.
        screen: Where the progress is shown.
        config: The configuration of the trial.
        limits: What it must reach in order to go on, by the epoch.

    Raises:
        Interrupted: If the user pressed Ctrl-C. The trial can be continued.
        StorageError: If a file cannot be written.
    """
    began = time.monotonic()
    judge = Judge(limits)
    median = None
    failure = ""
    try:
        trainer = open_trainer(prepared, as_begun(run, config), screen)
        if not (run.folder / "run.toml").exists():
            trainer.setup.describe(Run(run.folder.parent).part(run.folder.name), is_part=True)
        trainer.run(run, on_epoch=judge)
    except BelowMedian as end:
        median = end.median
    except (ModelError, TrainingError) as error:
        failure = error.args[0]
    history = run.history if (run.folder / "history.csv").exists() else []
    # The time before a stop is known by its epochs only.
    seconds = max(time.monotonic() - began, sum(float(row["seconds"] or 0) for row in history))
    return Outcome(seconds, judge.scores, median, failure)


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
