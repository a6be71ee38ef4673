"""Snapshots: states of a network on its way through a training, kept for the time machine.

`snapshots/` in the folder of a run has an array file for each state, and an index. An array file
holds the weights and statistics that the training can change. Those before the first `EXACT` steps
also hold the gradients of the step and what the optimizer knows, so that its update can be computed
again. Everything is a function of the state of the training: a run that was killed and resumed
keeps the same bytes, and the training itself does not change.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from convlens import backend
from convlens.data.batches import Batches
from convlens.files import write_atomically
from convlens.language import _
from convlens.run import Run
from convlens.training.checkpoint import State, recorded_end
from convlens.training.kept import EXACT, Kept, describe_weights
from convlens.training.moments import batch_gradients, optimizer_arrays
from convlens.training.observer import Observer
from convlens.training.setup import Setup

FOLDER = "snapshots"
INDEX = f"{FOLDER}/index.json"
FORMAT = 1
# The settings of an optimizer that its rule needs besides the learning rate and the weight decay.
NUMBERS = ("momentum", "nesterov", "beta_1", "beta_2", "rho", "epsilon")
SCORES = ("loss", "accuracy", "val_loss", "val_accuracy")

Arrays = dict[str, NDArray[Any]]


class Snapshots(Observer):
    """Keeps states of a network.

    Args:
        run: The run folder.
        setup: What is trained.
        train: The batches to learn from.
    """

    def __init__(self, run: Run, setup: Setup, train: Batches) -> None:
        self.run = run
        self.train = train
        self._name = setup.network.name
        self._prepared = setup.prepared
        self._settings = setup.config.training
        self._weights, self._places = describe_weights(setup.network)
        self.kept = Kept(
            setup.network, setup.config.training, train.steps // train.parts, train.parts
        )
        self._optimizer: dict[str, Any] = {}
        self._rows: dict[int, dict[str, Any]] = {}
        self._planned: set[int] = set()
        self._held: tuple[int, Arrays] | None = None  # the state at the end of an epoch
        # A training whose time was up has ended before its plan.
        self._ended = recorded_end(run) is not None

    def begin(self, model: keras.Model, state: State) -> None:
        """Keep the start, and refuse a training for whose states the disk has no place.

        Of a training that was ended before its plan, the state that is saved is kept as the last.

        Raises:
            StorageError: If the disk has not enough space, or a file cannot be written.
        """
        now = self._steps(state) // self.train.parts
        path = self.run.folder / INDEX
        rows = self.run.read(INDEX)["snapshots"] if self._steps(state) and path.exists() else []
        # A process that was killed may have kept states that lie ahead of what it had saved.
        self._rows = {row["step"]: row for row in rows if row["step"] <= now}
        ahead = [one for one in self.kept.moments if one > now or not self._rows]
        room = max(self._settings.snapshots - len(self._rows), 1)
        if self._ended:
            ahead = []
        if len(ahead) > room:  # the length of the training has changed on the way
            spread = np.linspace(len(ahead) - 1, 0, room).round().astype(int)
            ahead = [ahead[place] for place in spread]
        self._planned = {*self._rows, *ahead}
        self._remove_others()
        self.kept.require_space(self.run.folder, len(ahead))
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._optimizer = self._describe_optimizer(model)
        if not self._rows or (self._ended and now not in self._rows):
            scores = state.history[-1] if state.history and not state.step else {}
            self._keep(now, self._arrays(model, state), model, scores)

    def step(self, model: keras.Model, state: State, logs: Mapping[str, float]) -> None:
        """Keep the state after a step; at the end of an epoch, it waits for `epoch`."""
        moment = self._moment(state)
        at_end = state.step == self.train.steps
        may_end = at_end and self._settings.patience > 0
        if moment is None or not (moment in self._planned or may_end):
            return
        arrays = self._arrays(model, state)
        if at_end:
            self._held = (moment, arrays)
        else:
            self._keep(moment, arrays, model, logs)

    def epoch(
        self, model: keras.Model, state: State, row: Mapping[str, Any], *, last: bool
    ) -> None:
        """Keep the state at the end of an epoch if it is planned, or if it is the last one."""
        held = self._held
        self._held = None
        if held is not None and (held[0] in self._planned or last):
            self._keep(*held, model, row)

    def _moment(self, state: State) -> int | None:
        """Return how often the weights have changed; None within the parts of a batch."""
        moment, part = divmod(self._steps(state), self.train.parts)
        return None if part else moment

    def _steps(self, state: State) -> int:
        """Return how many steps are done, where each part of a batch counts."""
        return state.epoch * self.train.steps + state.step

    def _arrays(self, model: keras.Model, state: State) -> Arrays:
        """Return what is kept of the present state."""
        backend.sync(model)
        values = model.weights
        arrays = {
            f"weight_{number:05d}": _copied(values[place])
            for number, (one, place) in enumerate(zip(self._weights, self._places, strict=True))
            if one.changes
        }
        return arrays | self._exact(model, state)

    def _exact(self, model: keras.Model, state: State) -> Arrays:
        """Return the gradients of the next step and what the optimizer knows, for the first steps.

        Where a batch is computed in parts, or where the optimizer has no rule for a single weight,
        there is nothing.
        """
        moment = self._moment(state)
        exact = moment is not None and moment < EXACT and moment + 1 in self._planned
        if not exact or not self.kept.has_updates:
            return {}
        epoch, step = divmod(self._steps(state), self.train.steps)
        variables = model.trainable_variables
        gradients = batch_gradients(model, self.train.batch_at(epoch, step))
        known = optimizer_arrays(model.optimizer, self._settings.optimizer, variables)
        places = {id(variable): place for place, variable in enumerate(model.weights)}
        numbers = {place: number for number, place in enumerate(self._places)}
        arrays: Arrays = {}
        for variable, gradient, (factor, decay, *slots) in zip(
            variables, gradients, known, strict=True
        ):
            number = numbers.get(places[id(variable)])
            if number is None:
                continue  # it belongs to an auxiliary head
            named = {"gradient": gradient, "factor": factor, "decay": decay}
            named |= {f"slot{place}": slot for place, slot in enumerate(slots)}
            arrays |= {f"{name}_{number:05d}": np.array(one) for name, one in named.items()}
        return arrays

    def _keep(
        self, moment: int, arrays: Mapping[str, Any], model: keras.Model, scores: Mapping[str, Any]
    ) -> None:
        """Write a state and the index."""
        name = f"{moment:08d}.npz"
        write_atomically(
            self.run.folder / FOLDER / name,
            lambda path: np.savez(path, **arrays),
            what=_("the snapshot"),
        )
        epoch, step = divmod(moment, self.train.steps // self.train.parts)
        images = self._next_images(epoch, step)
        self._rows[moment] = {
            "step": moment,
            "epoch": epoch,
            "step_of_epoch": step,
            "learning_rate": float(ops.convert_to_numpy(model.optimizer.learning_rate)),
            **{name: _number(scores.get(name)) for name in SCORES},
            "exact": any(name.startswith("gradient") for name in arrays),
            "images": self._prepared.in_whole(np.array(images, np.int64)),
            "names": [self._prepared.dataset.file_name(index) for index in images],
            "file": name,
        }
        index = {
            "format": FORMAT,
            "network": self._name,
            "steps_per_epoch": self.train.steps // self.train.parts,
            "optimizer": self._optimizer,
            "precision": self._settings.precision,
            "weights": [asdict(weight) for weight in self._weights],
            "snapshots": [row for _step, row in sorted(self._rows.items())],
        }
        self.run.write(INDEX, json.dumps(index, ensure_ascii=False))

    def _next_images(self, epoch: int, step: int) -> list[int]:
        """Return the indices of the images that the next step learns from; none after the last."""
        if self._ended or epoch == self._settings.epochs:
            return []
        parts = range(step * self.train.parts, (step + 1) * self.train.parts)
        return [int(one) for part in parts for one in self.train.indices_at(epoch, part)]

    def _describe_optimizer(self, model: keras.Model) -> dict[str, Any]:
        settings = model.optimizer.get_config()
        numbers = {name: settings[name] for name in NUMBERS if settings.get(name) is not None}
        return {"name": self._settings.optimizer, **numbers}

    def _remove_others(self) -> None:
        """Remove the files of states that are not in the index."""
        kept = {row["file"] for row in self._rows.values()}
        for path in (self.run.folder / FOLDER).glob("*.npz"):
            if path.name not in kept:
                path.unlink(missing_ok=True)


def _copied(variable: keras.Variable) -> NDArray[Any]:
    # PyTorch would give the memory that the next step changes.
    return np.array(ops.convert_to_numpy(variable))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
