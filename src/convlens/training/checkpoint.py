"""Checkpoint: the state of a training on the disk, from which a killed run continues bit for bit.

The state is one array file with every variable of the model, the optimizer and the metrics, and
with the epoch, the step, the history and the best epoch. Keras' own callbacks do not do this:
`BackupAndRestore` writes the batch and never reads it, `EarlyStopping` forgets when `fit` starts
anew, and `.keras` files drop the state of dropout's random numbers.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.errors import RunError
from convlens.files import DAMAGE, Remedy, write_atomically
from convlens.history import Row
from convlens.language import N_, _, ngettext, recalled, recorded
from convlens.reasons import damage_reason
from convlens.run import Run

REMEDY = Remedy(
    N_("The previous state is whole. Free some space on the disk."),
    N_("The previous state is whole. Make the folder writable."),
    N_("The previous state is whole. Check the disk, or move the run to another one."),
)
END = "state/end.json"  # in a run: why its training ended before its plan

Arrays = list[NDArray[Any]]


def rows_so_far(run: Run) -> list[Row]:
    """Return the rows of the history, none if it is missing or damaged.

    A training writes its history anew after each epoch, and reads its epochs from the state.
    """
    with suppress(RunError):
        return run.history
    return []


@dataclass
class State:
    """Where a training stands, except for the variables.

    Attributes:
        epoch: The number of finished epochs.
        step: The number of finished steps of the current epoch.
        seconds: The seconds spent in the current epoch.
        best_epoch: The 1-based number of the best epoch, or 0 before the first is finished.
        best_score: Its (val_accuracy, -val_loss), or (epoch,) without validation images.
        history: A row for each finished epoch.
        bests: The numbers of the epochs that were better than all before.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: list[float] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    bests: list[int] = field(default_factory=list)

    def note_best(self, score: list[float]) -> None:
        """Note that the last finished epoch is the best, with its score."""
        self.best_epoch = self.epoch
        self.best_score = score
        self.bests.append(self.epoch)

    def was_best(self, epoch: int) -> bool:
        """Return whether an epoch was better than all before it."""
        # States of earlier versions know the last of them only.
        return epoch in (*self.bests, self.best_epoch)


def has_finite_weights(model: keras.Model) -> bool:
    """Return whether no weight of a model is infinite or not a number."""
    backend.sync(model)
    values = (keras.ops.convert_to_numpy(variable) for variable in model.variables)
    return all(value.dtype.kind != "f" or np.isfinite(value).all() for value in values)


def save_state(path: Path, model: keras.Model, state: State) -> None:
    """Replace the saved state by the present one.

    Raises:
        StorageError: If the file cannot be written. The previous state stays whole.
    """
    backend.sync(model)
    groups = (model.variables, model.optimizer.variables, model.metrics_variables)
    arrays = {
        f"{number}_{index:05d}": keras.ops.convert_to_numpy(variable)
        for number, group in enumerate(groups)
        for index, variable in enumerate(group)
    }
    arrays["state"] = np.array(json.dumps(asdict(state)))
    write_atomically(
        path,
        lambda temporary: np.savez(temporary, **arrays),
        what=_("the state"),
        remedy=REMEDY,
    )


def read_state(path: Path) -> State:
    """Return a saved state without its arrays.

    Raises:
        RunError: If the file is damaged.
    """
    with _opened(path) as arrays:
        return State(**json.loads(str(arrays["state"])))


def load_state(path: Path) -> tuple[State, list[Arrays]]:
    """Return a saved state and its arrays of the model, the optimizer and the metrics.

    Raises:
        RunError: If the file is damaged.
    """
    with _opened(path) as arrays:
        names = sorted(arrays.files)
        groups = [
            [arrays[name] for name in names if name.startswith(f"{number}_")] for number in range(3)
        ]
        return State(**json.loads(str(arrays["state"]))), groups


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open the file of a state.

    Raises:
        RunError: If it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except DAMAGE as error:
        raise RunError(
            _(
                "{path}: the saved state is damaged ({reason}). Remove the file to start this run "
                "anew."
            ).format(path=path, reason=damage_reason(error))
        ) from error


def record_end(run: Run, note: str) -> None:
    """Record that a training ends with its saved state, however long it was planned.

    A resumed run then does the same, whatever its clock says.

    Raises:
        StorageError: If the file cannot be written.
    """
    run.write(END, json.dumps({"note": recorded(note)}, ensure_ascii=False))


def recorded_end(run: Run) -> str | None:
    """Return the note of a training that was ended before its plan, or None."""
    if not (run.folder / END).exists():
        return None
    note: str = recalled(run.read(END)["note"])
    return note


def assign_saved(path: Path, variables: list[keras.Variable], values: Arrays) -> None:
    """Set variables to saved arrays.

    Raises:
        RunError: If the arrays belong to another network or optimizer.
    """
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise RunError(
            _("{path}: the saved state is of another network or optimizer.").format(path=path)
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def epochs_again(count: int, epoch: int) -> str:
    """Return that whole epochs after the last saved state are trained again."""
    if not epoch:
        said = ngettext(
            "no state had been saved yet: {count} epoch is trained again",
            "no state had been saved yet: {count} epochs are trained again",
            count,
        )
    else:
        said = ngettext(
            "the last saved state is of epoch {epoch}: {count} epoch is trained again",
            "the last saved state is of epoch {epoch}: {count} epochs are trained again",
            count,
        )
    return said.format(count=count, epoch=epoch)
