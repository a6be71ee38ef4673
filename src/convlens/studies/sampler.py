"""Sampler: draws the values of a trial from the seed, its number and the name of the setting.

Optuna's own samplers keep a random state, which is lost with a killed process. With this one a
resumed search draws what it would have drawn.
"""

import zlib
from typing import Any

import numpy as np
import optuna

from convlens.config import LEARNING_RATES, Config
from convlens.studies.space import Choices, Dimension, Range, Space, setting_value

RATES = (0.1, 5.0)  # ends of the range of learning rates, as multiples of the optimizer's usual one
RATE_OF = "learning_rate_"  # begins the name of a learning rate that belongs to one optimizer


class SeededSampler(optuna.samplers.TPESampler):  # type: ignore[misc]
    """A tree-structured Parzen estimator without a random state of its own.

    Source      Bergstra, Bardenet, Bengio, Kégl, "Algorithms for Hyper-Parameter Optimization",
    2011

    Args:
        seed: The seed of the search.
        startup: The number of trials that are drawn at random before the estimator is used.
    """

    def __init__(self, seed: int, startup: int) -> None:
        super().__init__(
            seed=seed, n_startup_trials=startup, multivariate=False, constant_liar=False
        )
        self.seed = seed
        self.startup = startup

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Return nothing, so that every value is drawn by `sample_independent`."""
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Return a value, drawn by a fresh sampler with a seed of its own."""
        state = np.random.SeedSequence((self.seed, trial.number, zlib.crc32(param_name.encode())))
        fresh = optuna.samplers.TPESampler(
            seed=int(state.generate_state(1)[0]),
            n_startup_trials=self.startup,
            multivariate=False,
            constant_liar=False,
        )
        return fresh.sample_independent(study, trial, param_name, param_distribution)


def rate_follows_optimizer(space: Space) -> bool:
    """Return whether the learning rate is drawn around the usual rate of the drawn optimizer."""
    return "optimizer" in space and "learning_rate" not in space


def suggest(trial: optuna.Trial, space: Space, base: Config) -> Config:
    """Return the configuration of a trial.

    If the space varies the optimizer and not the learning rate, the learning rate is drawn around
    the usual one of the optimizer. It is then a parameter of its own for each optimizer.

    Args:
        trial: The trial, which draws the values.
        space: The settings that are varied.
        base: The configuration with all other settings.
    """
    values = {
        name: setting_value(name, _draw(trial, name, dimension))
        for name, dimension in space.items()
    }
    if rate_follows_optimizer(space):
        optimizer = values["optimizer"]
        low, high = (LEARNING_RATES[optimizer] * factor for factor in RATES)
        rates = Range(low, high, logarithmic=True)
        values["learning_rate"] = _draw(trial, f"{RATE_OF}{optimizer}", rates)
    return base.replace(**values)


def _draw(trial: optuna.Trial, name: str, dimension: Dimension) -> Any:
    """Return the value that a trial draws from a dimension."""
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(name, dimension.values)
    if isinstance(dimension.low, int) and isinstance(dimension.high, int):
        return trial.suggest_int(name, dimension.low, dimension.high)
    return trial.suggest_float(name, dimension.low, dimension.high, log=dimension.logarithmic)


def varied_fields(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """Return the values that a trial has drawn, by the name of the setting."""
    return {
        "learning_rate" if name.startswith(RATE_OF) else name: value
        for name, value in trial.params.items()
    }
