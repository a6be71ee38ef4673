"""Answers: what a network says to the validation images, taken from the pass that Keras makes.

After each epoch Keras validates, and gives back the loss and the accuracy alone. `giving_answers`
lets each step of a validation give back its logits as well, so that the worst mistakes of an epoch
are known without a second pass. A step of a training gives back what it always did.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens import backend

NAME = "answers"


def giving_answers(model: keras.Model) -> None:
    """Let the validation steps of a model that is about to be compiled give back their logits."""
    step = model.test_step
    compute_metrics = model.compute_metrics
    validates = False

    def test_step(*given: Any) -> Any:
        nonlocal validates
        validates = True
        try:
            return step(*given)
        finally:
            validates = False

    def with_answers(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        found = compute_metrics(x, y, y_pred, sample_weight)
        return {**found, NAME: backend.gathered(y_pred)} if validates else found

    if not hasattr(model, "gives_answers"):
        model.gives_answers = True
        model.test_step = test_step
        model.compute_metrics = with_answers


class Collector:
    """Collects the logits of one validation after the other."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float32]] = []

    def begin(self) -> None:
        """Forget the validation before."""
        self._parts = []

    def add(self, logs: dict[str, Any] | None) -> None:
        """Take the logits out of the logs of a step; the log of TensorBoard takes numbers alone."""
        if logs and NAME in logs:
            found = keras.ops.convert_to_numpy(logs.pop(NAME))
            self._parts.append(np.atleast_2d(np.asarray(found, np.float32)))

    def probabilities(self, num_classes: int) -> NDArray[np.float32] | None:
        """Return (m, num_classes) probabilities of the validation images in order, if known."""
        if not self._parts:
            return None
        logits = np.concatenate(self._parts)[:, :num_classes]  # auxiliary heads follow
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
