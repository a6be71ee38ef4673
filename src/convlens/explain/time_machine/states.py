"""States: what `train --snapshots` has kept in a run, read back; see `convlens.training.snapshots`.

The arrays of a state are found by the names and shapes of the weights of the classifier. The layers
that the training could not change are in the classifier alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.errors import RunError
from convlens.files import DAMAGE
from convlens.language import _
from convlens.reasons import damage_reason
from convlens.run import Run
from convlens.training.snapshots import FOLDER, FORMAT, INDEX

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Moment:
    """A state of the network on its way.

    Attributes:
        step: How many steps were done.
        epoch: How many epochs were done.
        step_of_epoch: How many steps of the next epoch were done.
        learning_rate: The learning rate of the next step.
        loss: The mean loss of the training images over the epoch so far; None at the start.
        accuracy: Their accuracy, in the same way.
        val_loss: The loss of the validation images, at the end of an epoch.
        val_accuracy: Their accuracy.
        images: The indices of the images that the next step learns from.
        names: Their names.
        file: The name of the array file; None where the weights are those of the classifier.
        has_update: Whether the update of the next step can be computed again.
        is_best: Whether it is the end of the best epoch.
    """

    step: int
    epoch: int
    step_of_epoch: int
    learning_rate: float
    loss: float | None = None
    accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    images: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    file: str | None = None
    has_update: bool = False
    is_best: bool = False


@dataclass(frozen=True, eq=False)
class States:
    """The index of the states of a run.

    Attributes:
        run: The run.
        moments: The states, in their order.
        steps_per_epoch: The steps of an epoch.
        optimizer: The name of the optimizer, and its settings by their names in Keras.
        precision: The precision in which the network was trained.
        weights: The path, the shape and whether it "changes" and is "learned" of each array.
    """

    run: Run
    moments: tuple[Moment, ...]
    steps_per_epoch: int
    optimizer: dict[str, Any]
    precision: str
    weights: list[dict[str, Any]]

    @classmethod
    def read(cls, run: Run) -> "States":
        """Read the index of a run.

        Raises:
            RunError: If the run has kept no states or by a newer convlens, or if its index is
                damaged.
        """
        if not (run.folder / INDEX).exists():
            raise RunError(
                _(
                    "{folder}: this run has kept no states of its network. A new run does so with: "
                    "convlens train ... --snapshots 20"
                ).format(folder=run.folder)
            )
        path = run.folder / INDEX
        index = run.read(INDEX)
        try:
            if index["format"] <= FORMAT:
                return cls._of(run, index)
        except DAMAGE as error:
            raise RunError(
                _(
                    "{path}: the states of this run cannot be read ({reason}). Train a new run "
                    "with --snapshots."
                ).format(path=path, reason=damage_reason(error))
            ) from error
        raise RunError(
            _("{path}: these states are of a newer convlens; update it.").format(path=path)
        )

    @classmethod
    def _of(cls, run: Run, index: Mapping[str, Any]) -> "States":
        return cls(
            run,
            tuple(_moment(row) for row in index["snapshots"]),
            index["steps_per_epoch"],
            index["optimizer"],
            index["precision"],
            index["weights"],
        )

    def arrays(self, moment: Moment) -> Arrays:
        """Return the arrays of a state: `weight_00000` and so on.

        Raises:
            RunError: If the file is missing or damaged.
        """
        path = self.run.folder / FOLDER / str(moment.file)
        return _read_arrays(path, path.stat().st_mtime_ns if path.exists() else 0)

    def numbers(self, model: keras.Model) -> dict[int, keras.Variable]:
        """Return the weights of a network by the numbers that they have in the files.

        Raises:
            RunError: If the network is another one.
        """
        paths = [one["path"] for one in self.weights]
        variables = list(model.weights)
        by_path = {variable.path: variable for variable in variables}
        if set(by_path) == set(paths) and len(by_path) == len(paths):
            variables = [by_path[path] for path in paths]
        if [list(one.shape) for one in variables] != [one["shape"] for one in self.weights]:
            raise RunError(
                _("{path}: these states are of another network than the classifier.").format(
                    path=self.run.folder / INDEX
                )
            )
        return dict(enumerate(variables))


def _moment(row: Mapping[str, Any]) -> Moment:
    others = {"images", "names", "exact"}
    facts = {name: value for name, value in row.items() if name not in others}
    return Moment(
        **facts,
        images=tuple(row["images"]),
        names=tuple(row["names"]),
        has_update=row["exact"],
    )


@lru_cache(maxsize=4)
def _read_arrays(path: Path, written: int) -> Arrays:
    """Return the arrays of a file; `written` tells a new one of the same name from those kept.

    Raises:
        RunError: If it is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except DAMAGE as error:
        raise RunError(
            _(
                "{path}: this state cannot be read ({reason}). Use an undamaged copy of the run, "
                "or train a new one with --snapshots."
            ).format(path=path, reason=damage_reason(error))
        ) from error
