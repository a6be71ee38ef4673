"""Optimizers and the learning rate over time, all of them Keras' own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from convlens.config import LEARNING_RATES, TrainingConfig

# The share of a one-cycle schedule in which the learning rate rises. It starts at the largest rate
# divided by START and ends at FLOOR of it (Smith and Topin 2017, arXiv:1708.07120, with the values
# of fastai).
RISE = 0.25
START = 25
FLOOR = 1e-3
KINDS: dict[str, tuple[type[keras.optimizers.Optimizer], dict[str, Any]]] = {
    "sgd": (keras.optimizers.SGD, {}),
    "momentum": (keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (keras.optimizers.Adam, {}),
    "adamw": (keras.optimizers.AdamW, {}),
    "rmsprop": (keras.optimizers.RMSprop, {}),
    "adagrad": (keras.optimizers.Adagrad, {}),
    "adadelta": (keras.optimizers.Adadelta, {}),
}


class Multiplier(NamedTuple):
    """How fast a variable learns.

    Attributes:
        rate: What the learning rate is multiplied by.
        begin: The share of the training after which the variable begins to learn.
    """

    rate: float = 1.0
    begin: float = 0.0


def make_schedule(
    config: TrainingConfig, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate as a number, or as a function of the step.

    "one_cycle" rises linearly over the first quarter and falls along a cosine. "cosine" does the
    same, but rises from zero over `warmup_epochs`, or over a quarter if that is shorter (Loshchilov
    and Hutter 2016, arXiv:1608.03983, without restarts).
    """
    peak = config.learning_rate or LEARNING_RATES[config.optimizer]
    total = max(config.epochs * steps_per_epoch, 2)
    if config.schedule == "constant":
        return peak
    if config.schedule == "one_cycle":
        rise = max(int(RISE * total), 1)
        first = peak / START
    else:
        rise = min(int(config.warmup_epochs * steps_per_epoch), int(RISE * total))
        first = 0.0
    return keras.optimizers.schedules.CosineDecay(
        first if rise else peak,
        decay_steps=total - rise,
        alpha=FLOOR,
        warmup_target=peak if rise else None,
        warmup_steps=rise,
    )


def make_optimizer(
    config: TrainingConfig,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    multipliers: Sequence[Multiplier] = (),
    steps: int = 0,
) -> keras.optimizers.Optimizer:
    """Return the configured optimizer; "momentum" is SGD with Nesterov momentum 0.9.

    Args:
        config: The settings of the training.
        learning_rate: The learning rate or its schedule.
        multipliers: How fast each trainable variable learns, in their order. Where not given, all
            learn alike.
        steps: The steps of the whole training, where multipliers are given.
    """
    kind, options = KINDS[config.optimizer]
    if multipliers:
        kind = with_multipliers(kind, multipliers, steps)
    if config.optimizer == "adamw":
        options = {"weight_decay": config.weight_decay}
    optimizer = kind(learning_rate, **options)
    if config.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def with_multipliers(
    optimizer: type[keras.optimizers.Optimizer], multipliers: Sequence[Multiplier], steps: int
) -> type[Any]:
    """Return a class of the optimizer with a learning rate for each variable.

    Args:
        optimizer: A class of Keras.
        multipliers: One for each trainable variable, in their order.
        steps: The steps of the whole training.
    """
    table = [Multiplier(one.rate, round(one.begin * steps)) for one in multipliers]

    class WithMultipliers(optimizer):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate * self._factor(variable))

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            """Let each variable decay at its own rate.

            Keras' own method also lets those variables decay that have not begun to learn.
            """
            for variable in variables if self.weight_decay else ():
                if self._use_weight_decay(variable):
                    decay = ops.cast(self.learning_rate * self.weight_decay, variable.dtype)
                    variable.assign_sub(variable * (decay * self._factor(variable)))

        def _factor(self, variable: Any) -> Any:
            rate, begin = table[self._get_variable_index(variable)]
            return rate * ops.cast(self.iterations >= begin, variable.dtype) if begin else rate

    WithMultipliers.__name__ = f"{optimizer.__name__}WithMultipliers"
    return WithMultipliers
