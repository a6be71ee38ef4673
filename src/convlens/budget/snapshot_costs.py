"""Snapshot costs: the time that the states of a network take which a training keeps."""

import time

from convlens.training.kept import EXACT
from convlens.training.moments import batch_gradients
from convlens.training.trainer import Trainer


def snapshot_seconds(trainer: Trainer, keep: float) -> float:
    """Return the seconds that all snapshots of a training take, or 0 if it keeps none.

    Args:
        trainer: The training.
        keep: The seconds in which its classifier is written, which is about as large as a state.
    """
    kept = trainer.kept
    if not kept.settings.snapshots:
        return 0.0
    gradients = 0.0
    if kept.has_updates:
        began = time.monotonic()
        batch_gradients(trainer.model, trainer.train.batch_at(0, 0))
        gradients = time.monotonic() - began
    return kept.settings.snapshots * keep + EXACT * gradients
