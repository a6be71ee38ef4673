"""Observer: what is told how a training goes on, and what it does with it; nothing here."""

from collections.abc import Mapping
from typing import Any

import keras

from convlens.training.checkpoint import State


class Observer:
    """Is told of the start, of each step and of each epoch of a training, before it is saved."""

    def begin(self, model: keras.Model, state: State) -> None:
        """Note that a training begins, or goes on, with these weights and this state."""

    def step(self, model: keras.Model, state: State, logs: Mapping[str, float]) -> None:
        """Note that a step is done.

        Args:
            model: The model, with the weights after the step.
            state: The state, with the step in it.
            logs: The means of the loss and the metrics over the epoch so far.
        """

    def epoch(
        self, model: keras.Model, state: State, row: Mapping[str, Any], *, last: bool
    ) -> None:
        """Note that an epoch is done, whose last step was told before.

        Args:
            model: The model.
            state: The state, with the epoch in it.
            row: The row of the epoch in the history.
            last: Whether the training ends with it.
        """
