"""HParams: trials of a search on TensorBoard's page of that name, written without an engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from convlens.studies.space import varied_fields

SCALARS = ("loss", "accuracy", "val_loss", "val_accuracy")


def write_hparams(folder: Path, trial: FrozenTrial, history: Sequence[Mapping[str, Any]]) -> None:
    """Write what a trial varied and how it went into `folder`/trial-NNN, instead of what an earlier try left there.

    Args:
        folder: for `tensorboard --logdir`.
        trial: finished.
        history: its rows, as `Run.history` gives them.

    Raises:
        OSError: it cannot be written.
    """
    place = folder / f"trial-{trial.number:03d}"
    for old in place.glob("events.*"):
        old.unlink()
    began = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    writer = EventFileWriter(str(place))
    varied = varied_fields(trial)
    writer.add_event(
        Event(
            wall_time=began, summary=hparams_pb(varied, trial_id=place.name, start_time_secs=began)
        )
    )
    moment = began
    for row in history:
        moment += float(row["seconds"] or 0)
        values = [
            Summary.Value(tag=name, simple_value=float(row[name]))
            for name in SCALARS
            if row[name] is not None
        ]
        writer.add_event(
            Event(wall_time=moment, step=int(row["epoch"]), summary=Summary(value=values))
        )
    writer.close()
