"""Optimizers and the learning rate over time, all of them Keras' own."""

import keras

from convlens.config import LEARNING_RATES, TrainingConfig

__all__ = ["make_optimizer", "make_schedule"]

RISE = 0.25  # share of a one-cycle run in which the learning rate rises
START = 25  # it starts at the largest divided by this; Smith and Topin 2017, arXiv:1708.07120, as fastai sets it
FLOOR = 1e-3  # and ends at this share of the largest


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
    config: TrainingConfig, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
) -> keras.optimizers.Optimizer:
    """Return the configured optimizer; "momentum" is SGD with Nesterov momentum 0.9."""
    match config.optimizer:
        case "sgd":
            return keras.optimizers.SGD(learning_rate)
        case "momentum":
            return keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True)
        case "adamw":
            optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=config.weight_decay)
            optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
            return optimizer
        case name:
            return keras.optimizers.get(name).__class__(learning_rate)
