"""Kept: which arrays of a network its snapshots hold, how many there are, and what they take."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from convlens.classifier.assembly import all_layers
from convlens.config import TrainingConfig
from convlens.errors import StorageError
from convlens.language import _, ngettext
from convlens.training.moments import SLOTS, choose_moments

EXACT = 2  # first steps whose update is kept with all that it is computed from
BYTES = 4  # of a number
OVERHEAD = 300  # bytes that an array takes in a file besides its numbers


@dataclass(frozen=True)
class KeptWeight:
    """An array of the network.

    Attributes:
        path: Its name in Keras, such as "conv1/kernel".
        shape: Its shape.
        changes: Whether the training can change it, so that each state has its values.
        learned: Whether the optimizer moves it, as it does not move the statistics of a
            normalisation.
    """

    path: str
    shape: tuple[int, ...]
    changes: bool
    learned: bool


def describe_weights(network: keras.Model) -> tuple[list[KeptWeight], list[int]]:
    """Return the arrays of a network without auxiliary heads, and their places in `weights`."""
    own = keras.Model(network.input, network.outputs[0]).weights
    places = {id(variable): place for place, variable in enumerate(network.weights)}
    changing = {
        id(variable)
        for layer in all_layers(network)
        if layer.trainable and not isinstance(layer, keras.Model)
        for variable in layer.weights
    }
    learned = {id(variable) for variable in network.trainable_variables}
    described = [
        KeptWeight(one.path, tuple(one.shape), id(one) in changing, id(one) in learned)
        for one in own
    ]
    return described, [places[id(variable)] for variable in own]


@dataclass(frozen=True, eq=False)
class Kept:
    """What the snapshots of a training will be.

    Attributes:
        network: The network that is trained.
        settings: The settings of the training.
        steps_per_epoch: The steps of an epoch.
        parts: The number of parts in which each batch is computed.
    """

    network: keras.Model
    settings: TrainingConfig
    steps_per_epoch: int
    parts: int = 1

    @cached_property
    def moments(self) -> tuple[int, ...]:
        """The steps after which a state is kept."""
        return choose_moments(self.settings.snapshots, self.settings.epochs, self.steps_per_epoch)

    @property
    def has_updates(self) -> bool:
        """Whether the updates of the first steps can be kept.

        They cannot where a batch is computed in parts, or where the optimizer has no rule for a
        single weight.
        """
        return self.parts == 1 and self.settings.optimizer in SLOTS

    @cached_property
    def state_bytes(self) -> int:
        """The bytes of the weights and statistics of a state."""
        return sum(_bytes(one) for one in self._weights if one.changes)

    @cached_property
    def update_bytes(self) -> int:
        """The bytes of what is kept for the updates of the first steps."""
        if not self.has_updates:
            return 0
        # The gradients and the arrays of the optimizer, and two numbers for each of them.
        arrays = 1 + len(SLOTS[self.settings.optimizer])
        learned = [one for one in self._weights if one.learned]
        return EXACT * sum(arrays * _bytes(one) + 2 * OVERHEAD for one in learned)

    @property
    def all_bytes(self) -> int:
        """The bytes of everything that is kept."""
        return len(self.moments) * self.state_bytes + self.update_bytes

    @property
    def _weights(self) -> list[KeptWeight]:
        return describe_weights(self.network)[0]

    def require_space(self, folder: Path, states: int) -> None:
        """Refuse a training for whose snapshots the disk has no place.

        Args:
            folder: The folder of the run.
            states: The number of states that are still to be kept.

        Raises:
            StorageError: If the disk has less space than they need.
        """
        needed = states * self.state_bytes + self.update_bytes
        free = shutil.disk_usage(folder).free
        if states and needed > free:
            raise StorageError(
                _(
                    "{folder}: --snapshots {count} needs {needed} on the disk, which has {free} "
                    "left. Free some space, or start a new run with fewer."
                ).format(
                    folder=folder,
                    count=self.settings.snapshots,
                    needed=write_size(needed),
                    free=write_size(free),
                )
            )

    def describe(self) -> str:
        """Return how many states will be kept, and their size, in words."""
        count = len(self.moments)
        said = ngettext(
            "{count} state of {one}; {all} in all",
            "{count} states of {one} each; {all} in all",
            count,
        )
        if self.update_bytes:
            said = ngettext(
                "{count} state of {one}; {all} in all, with the updates of the first steps",
                "{count} states of {one} each; {all} in all, with the updates of the first steps",
                count,
            )
        return said.format(
            count=count,
            one=write_size(self.state_bytes),
            all=write_size(self.all_bytes),
        )


def write_size(count: int) -> str:
    """Return a number of bytes in kB, MB or GB.

    >>> write_size(23_456), write_size(2_345_678), write_size(12_000_000_000)
    ('23 kB', '2.3 MB', '12.0 GB')
    """
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _bytes(weight: KeptWeight) -> int:
    return BYTES * int(np.prod(weight.shape, dtype=np.int64)) + OVERHEAD
