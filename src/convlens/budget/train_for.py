"""Train for: a training of a fixed number of epochs that must not take much longer than measured.

The seconds of training are kept in the run, so that a run that was stopped goes on with what is
left of its time.
"""

import json
import time
from contextlib import suppress

from convlens.budget.deadline import Deadline, train_until
from convlens.budget.plan import Plan
from convlens.errors import Interrupted, TrainingError
from convlens.run import Run
from convlens.training.checkpoint import read_state, rows_so_far
from convlens.training.step_time import step_seconds
from convlens.training.trainer import Trainer

LIMIT = 1.1  # times the planned seconds, after which the training is stopped
CLOCK = "state/seconds.json"  # in a run: the seconds of training up to its last stop


def train_for(trainer: Trainer, run: Run, seconds: float) -> str:
    """Train for the configured number of epochs, but at most `LIMIT` times the given seconds.

    The time in which the backend compiles does not count. A run that was stopped before continues
    with the time that is left. If the run was killed, the time up to its saved state counts, and
    what is trained again after it counts once.

    Args:
        trainer: The training.
        run: The run of the training.
        seconds: The time of the training.

    Returns:
        A note for the user if the training was stopped, otherwise "".

    Raises:
        Interrupted: If the user pressed Ctrl-C. The state and the best epoch are kept.
        TrainingError: If the loss is not finite. The best epoch is kept.
    """
    step_seconds(trainer.model, trainer.train, 0.0)  # compiles
    if trainer.val is not None:
        trainer.model.evaluate(trainer.val, steps=1, verbose=0)
    steps_per_epoch = trainer.train.steps // trainer.train.parts
    plan = Plan(trainer.setup.config.training.epochs, steps_per_epoch, seconds)
    before = _seconds_at_state(run)
    began = time.monotonic()
    deadline = Deadline(began + seconds - before, grace=(LIMIT - 1) * seconds)
    try:
        note = train_until(trainer, run, plan, deadline)
    except (Interrupted, TrainingError):
        _note_seconds(run, before + time.monotonic() - began)
        raise
    _note_seconds(run, before + time.monotonic() - began)
    return note


def _note_seconds(run: Run, seconds: float) -> None:
    """Write how long a run was trained for; a training that ends otherwise has saved no state."""
    run.write(CLOCK, json.dumps(seconds))


def _seconds_at_state(run: Run) -> float:
    """Return the seconds that a run was trained for up to its saved state."""
    if not run.has_state:
        return 0.0
    state = read_state(run.state_path)
    in_epochs = sum(float(row["seconds"] or 0) for row in state.history) + state.seconds
    # The time of the last stop is that of the state unless epochs were trained since.
    return (
        in_epochs if len(rows_so_far(run)) > state.epoch else max(in_epochs, _seconds_at_stop(run))
    )


def _seconds_at_stop(run: Run) -> float:
    """Return the seconds up to the last stop; 0 if they are not noted, or cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        return float(json.loads((run.folder / CLOCK).read_text(encoding="utf-8")))
    return 0.0


def seconds_trained(run: Run) -> float:
    """Return the seconds that a run was trained for, those of its finished epochs at least."""
    # A run that was killed after a resume has been trained for longer than at its last stop.
    return max(_seconds_at_stop(run), sum(float(row["seconds"] or 0) for row in rows_so_far(run)))
