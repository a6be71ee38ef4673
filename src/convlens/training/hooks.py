"""Hooks: what others want to know about a training, and what they may ask of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.training.checkpoint import State
from convlens.training.observer import Observer

Row = dict[str, Any]


@dataclass(frozen=True)
class Hooks:
    """What others want to know about a training, and what they may ask of it.

    Attributes:
        on_best: Called with the model and the state after each epoch that is better than all
            before.
        on_epoch: Called with the row of each finished epoch, those of a resumed run included, and
            whether it is the best so far. It may raise an error to end the training.
        on_answers: Called after each epoch with its number, counted from 1, and the probabilities
            of the validation images in their order, (m, num_classes).
        stop_requested: Asked after each step; True saves the state and raises Interrupted.
        observer: Is told of each step, before the state is saved.
        saves: Whether the state is saved; one of several processes that train together does.
    """

    on_best: Callable[[keras.Model, State], None]
    on_epoch: Callable[[Row, bool], None] = lambda row, best: None
    on_answers: Callable[[int, NDArray[np.float32]], None] = lambda epoch, probabilities: None
    stop_requested: Callable[[], bool] = lambda: False
    observer: Observer = field(default_factory=Observer)
    saves: bool = True
