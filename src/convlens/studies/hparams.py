"""HParams: the trials of a search for TensorBoard's page of that name, without TensorFlow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from convlens.studies.sampler import varied_fields

SCALARS = ("loss", "accuracy", "val_loss", "val_accuracy")


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
        summary = Summary(value=values)
        writer.add_event(Event(wall_time=moment, step=int(row["epoch"]), summary=summary))
    writer.close()
