"""Divergence: what probably made the loss of a training infinite or not a number."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.errors import TrainingError
from convlens.language import N_, _, sentences
from convlens.text import multiple
from convlens.training.checkpoint import State

HIGH = 2.0  # times the usual learning rate of an optimizer from which on it is the likely cause
LOSS = N_("the loss must stay finite; it became {loss} in epoch {epoch}, step {step}.")
WEIGHTS = N_(
    "the weights must stay finite; some became infinite or nan in epoch {epoch}, step {step}."
)
INPUT = N_(
    "The network was given numbers that are not finite, so the features of the backbone have "
    "overflowed: use --precision float32."
)
RATE = N_(
    "The learning rate {rate:g} is {times} times the usual one of {optimizer}: use a smaller "
    "--learning-rate (--find-learning-rate looks for one)."
)
ARITHMETIC = N_(
    "The learning rate is a usual one and the arithmetic is bfloat16: use --precision float32, or "
    "a smaller --learning-rate (--find-learning-rate looks for one)."
)
OTHER = N_("Use a smaller --learning-rate (--find-learning-rate looks for one).")


def diverged(
    what: str, state: State, settings: TrainingConfig, batch: NDArray[Any]
) -> TrainingError:
    """Return the error of a training that cannot go on.

    Args:
        what: What is not finite, where: LOSS or WEIGHTS, as a sentence.
        state: Where the training stands.
        settings: The settings of the training, with every "auto" decided.
        batch: What the network was given in the step: images, or features of a backbone.
    """
    kept = _("No epoch was finished.")
    if state.best_epoch:
        kept = _("The best epoch, {n}, is kept.").format(n=state.best_epoch)
    elif state.best_score:
        kept = _("The head alone is kept.")
    again = _("A resumed run comes to the same step, so start a new one.")
    return TrainingError(sentences(what, kept, advice(settings, batch), again))


def advice(settings: TrainingConfig, batch: NDArray[Any]) -> str:
    """Return which setting probably made a training diverge, and what to do; see `diverged`.

    >>> settings = TrainingConfig(optimizer="sgd", learning_rate=5.0)
    >>> advice(settings, np.zeros(3))[:54]
    'The learning rate 5 is 100 times the usual one of sgd:'
    """
    usual = LEARNING_RATES[settings.optimizer]
    rate = settings.learning_rate or usual
    if batch.dtype.kind == "f" and not np.isfinite(batch).all():
        return _(INPUT)
    if rate >= HIGH * usual:
        return _(RATE).format(rate=rate, times=multiple(rate / usual), optimizer=settings.optimizer)
    if settings.precision == "bfloat16":
        return _(ARITHMETIC)
    return _(OTHER)
