"""Optimizers and the learning rate over time, all of them Keras' own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from convlens.config import LEARNING_RATES, TrainingConfig

RISE = 0.25  # share of a one-cycle run in which the learning rate rises
START = 25  # it starts at the largest divided by this; Smith and Topin 2017, arXiv:1708.07120, as fastai sets it
KINDS: dict[str, tuple[type[keras.optimizers.Optimizer], dict[str, Any]]] = {
    "sgd": (keras.optimizers.SGD, {}),
    "momentum": (keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (keras.optimizers.Adam, {}),
    "adamw": (keras.optimizers.AdamW, {}),
    "rmsprop": (keras.optimizers.RMSprop, {}),
    "adagrad": (keras.optimizers.Adagrad, {}),
    "adadelta": (keras.optimizers.Adadelta, {}),
}
FLOOR = 1e-3  # and ends at this share of the largest


class Pace(NamedTuple):
    """How fast a weight learns: its share of the learning rate, and the share of the training after which it begins."""

    rate: float = 1.0
    begin: float = 0.0


def make_schedule(
    config: TrainingConfig, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate as a number, or as a function of the step.

    "one_cycle" rises in a line over the first quarter and falls in a cosine; "cosine" does the same with a rise of
    `warmup_epochs` from zero (Loshchilov and Hutter 2016, arXiv:1608.03983, without restarts), a quarter at most.
    """
    peak = config.learning_rate or LEARNING_RATES[config.optimizer]
    total = max(config.epochs * steps_per_epoch, 2)
    if config.schedule == "constant":
        return peak
    if config.schedule == "one_cycle":
        rise, first = max(int(RISE * total), 1), peak / START
    else:
        rise, first = min(int(config.warmup_epochs * steps_per_epoch), int(RISE * total)), 0.0
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
    rows: Sequence[Pace] = (),
    steps: int = 0,
) -> keras.optimizers.Optimizer:
    """Return the configured optimizer; "momentum" is SGD with Nesterov momentum 0.9.

    Args:
        config: of the training.
        learning_rate: or its schedule.
        rows: how fast each trainable variable learns, see `thaw.paces`; where not given, all alike.
        steps: of the whole training, where rows are given.
    """
    kind, options = KINDS[config.optimizer]
    if rows:
        kind = paced(kind, rows, steps)
    if config.optimizer == "adamw":
        options = {"weight_decay": config.weight_decay}
    optimizer = kind(learning_rate, **options)
    if config.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def paced(
    optimizer: type[keras.optimizers.Optimizer], rows: Sequence[Pace], steps: int
) -> type[Any]:
    """Return the optimizer's class with a learning rate for each variable.

    Args:
        optimizer: a class of Keras.
        rows: one for each trainable variable, in their order.
        steps: of the whole training.
    """
    table = [Pace(row.rate, round(row.begin * steps)) for row in rows]

    class Paced(optimizer):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate * self._share(variable))

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            """Let each variable decay at its own rate: Keras' own decays those too that have not begun."""
            for variable in variables if self.weight_decay else ():
                if self._use_weight_decay(variable):
                    rate = ops.cast(
                        self.learning_rate * self.weight_decay, variable.dtype
                    ) * self._share(variable)
                    variable.assign_sub(variable * rate)

        def _share(self, variable: Any) -> Any:
            rate, begin = table[self._get_variable_index(variable)]
            return rate * ops.cast(self.iterations >= begin, variable.dtype) if begin else rate

    Paced.__name__ = f"Paced{optimizer.__name__}"
    return Paced
