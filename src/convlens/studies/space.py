"""Space: what a search varies, and over which values."""

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args, get_type_hints

import numpy as np
import optuna

from convlens.config import LEARNING_RATES, Config, ModelConfig, TrainingConfig, all_settings
from convlens.errors import ConfigError

LOGARITHMIC = ("learning_rate", "weight_decay")  # their size matters, not their difference
RATES = (0.1, 5.0)  # learning rates tried, as multiples of the optimizer's usual one
SPLIT = "|"  # between the values of a field that is itself a list, as filters
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
OF_A_NETWORK = ("filters", "convs_per_block", "kernel_size", "dense", "dropout")  # of custom_cnn


@dataclass(frozen=True)
class Choices:
    """A field that takes one of some values; lists are written with commas, as on the command line."""

    values: tuple[str | int | float | bool, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values: each must be one that the field can have."""
        return self.values

    def __str__(self) -> str:
        """Return the values in words."""
        return " | ".join(map(str, self.values))


@dataclass(frozen=True)
class Range:
    """A field that takes any number from `low` to `high`; whole ones where both are int."""

    low: float
    high: float
    logarithmic: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """Both ends: where the field can have these, it can have what lies between."""
        return self.low, self.high

    def __str__(self) -> str:
        """Return the range in words."""
        return f"{self.low:g} to {self.high:g}"


Dimension = Choices | Range
Space = Mapping[str, Dimension]

DEFAULT: dict[str, Dimension] = {
    "filters": Choices(("16,32", "32,64", "32,64,128", "64,128", "64,128,256")),
    "convs_per_block": Choices((1, 2)),
    "kernel_size": Choices((3, 5)),
    "dense": Choices(("64", "128", "256")),
    "dropout": Range(0.0, 0.5),
    "optimizer": Choices(("adamw", "adam", "momentum")),
    "batch_size": Choices((32, 64, 128)),
}


def default_space(model: str) -> dict[str, Dimension]:
    """Return what is varied where the user does not say: of `custom_cnn` its shape too, else the training alone.

    The learning rate goes with the optimizer: `suggest` varies it around that one's usual rate.
    """
    return {
        name: one
        for name, one in DEFAULT.items()
        if model == "custom_cnn" or name not in OF_A_NETWORK
    }


def parse_vary(texts: Sequence[str], model: str = "custom_cnn") -> dict[str, Dimension]:
    """Return the space of `--vary FIELD=values` flags.

    Args:
        texts: "dropout=0..0.5" a range, "batch_size=32,64" values, "filters=16,32|32,64" lists. The learning rate and
            the weight decay are drawn by their logarithm.
        model: the network; only `custom_cnn` has a shape to vary.

    Raises:
        ConfigError: not of that form, an unknown field, or a value that the field cannot have.

    >>> parse_vary(["dropout=0..0.5", "batch-size=32,64"])
    {'dropout': Range(low=0.0, high=0.5, logarithmic=False), 'batch_size': Choices(values=(32, 64))}
    """
    known = {item.name for section, item in all_settings() if section in ("model", "training")}
    space: dict[str, Dimension] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not equals or not values.strip():
            raise ConfigError(
                f"--vary must be FIELD=values, as dropout=0..0.5 or batch_size=32,64; found {text!r}."
            )
        if name not in known or name in (
            "model",
            "epochs",
            "steps_per_epoch",
            "seed",
            "backend",
            "threads",
        ):
            allowed = ", ".join((*OF_A_NETWORK, "optimizer", "learning_rate", "batch_size"))
            raise ConfigError(
                f"--vary must name a field of the network or its training, as {allowed}; found {name!r}."
            )
        if name in get_type_hints(ModelConfig) and name != "stem" and model != "custom_cnn":
            raise ConfigError(f"--vary {name} shapes custom_cnn only; found --model {model}.")
        if name in space:
            raise ConfigError(f"--vary must name each field once; found {name} twice.")
        space[name] = _dimension(name, values.strip())
        for value in space[name].ends:  # what a field cannot be is refused before the first trial
            Config().replace(**{name: _value(name, value)})
        if (
            len(set(map(str, space[name].ends))) < len(space[name].ends)
            or len(space[name].ends) < 2
        ):
            raise ConfigError(
                f"--vary {name} must give two values or more, each once; found {values.strip()!r}."
            )
    return space


def _dimension(name: str, text: str) -> Dimension:
    hint = _hint(name)
    kinds = get_args(hint) or (hint,)
    if hint == tuple[int, ...]:
        return Choices(tuple(part.strip() for part in text.split(SPLIT)))
    if match := re.fullmatch(rf"({NUMBER})\s*\.\.\s*({NUMBER})", text):
        whole = int in kinds
        low, high = (_number(name, part, whole=whole) for part in match.groups())
        if not low < high:
            raise ConfigError(f"--vary {name}: a range must go up, as 0.1..0.5; found {text!r}.")
        if name in LOGARITHMIC and low <= 0:
            raise ConfigError(f"--vary {name}: this range must begin above 0; found {text!r}.")
        return Range(low, high, name in LOGARITHMIC)
    parts = [part.strip() for part in text.split(",")]
    if str in kinds:
        return Choices(tuple(parts))
    if bool in kinds:
        raise ConfigError(
            f"--vary {name}: a field that is on or off is not varied; run the search twice."
        )
    return Choices(tuple(_number(name, part, whole=int in kinds) for part in parts))


def _hint(name: str) -> Any:
    return (get_type_hints(ModelConfig) | get_type_hints(TrainingConfig))[name]


def _number(name: str, text: str, *, whole: bool) -> int | float:
    try:
        number = int(text) if whole else float(text)
        if not math.isfinite(number):
            raise ValueError("not finite")
        return number
    except ValueError as error:
        kind = "whole numbers" if whole else "numbers"
        raise ConfigError(
            f"--vary {name}: the values must be {kind}, as a,b,c or low..high; found {text!r}."
        ) from error


def _value(name: str, value: Any) -> Any:
    """Return a suggested value as the configuration takes it."""
    if _hint(name) != tuple[int, ...]:
        return value
    try:
        return tuple(int(part) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(
            f"--vary {name}: lists of whole numbers must be given, with {SPLIT} between lists, as 16,32{SPLIT}32,64; "
            f"found {value!r}."
        ) from error


def to_dict(space: Space) -> dict[str, Any]:
    """Return a space as plain data."""
    return {name: asdict(one) for name, one in space.items()}


def from_dict(facts: Mapping[str, Any]) -> dict[str, Dimension]:
    """Return the space that `to_dict` made plain."""
    return {
        name: Choices(tuple(one["values"])) if "values" in one else Range(**one)
        for name, one in facts.items()
    }


def suggest(trial: optuna.Trial, space: Space, base: Config) -> Config:
    """Return the configuration of a trial.

    Args:
        trial: draws the values.
        space: what is varied. Where it varies the optimizer and not the learning rate, that is drawn around the
            optimizer's usual one, as a parameter of its own for each.
        base: everything else.
    """
    values = {name: _value(name, _draw(trial, name, one)) for name, one in space.items()}
    if "optimizer" in values and "learning_rate" not in values:
        usual = LEARNING_RATES[values["optimizer"]]
        low, high = (usual * factor for factor in RATES)
        values["learning_rate"] = _draw(
            trial, f"learning_rate_{values['optimizer']}", Range(low, high, True)
        )
    return base.replace(**values)


def _draw(trial: optuna.Trial, name: str, dimension: Dimension) -> Any:
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(name, dimension.values)
    if isinstance(dimension.low, int) and isinstance(dimension.high, int):
        return trial.suggest_int(name, dimension.low, dimension.high)
    return trial.suggest_float(name, dimension.low, dimension.high, log=dimension.logarithmic)


def varied_fields(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """Return what a trial varied, by the name of the field."""
    own = {
        name: "learning_rate" if name.startswith("learning_rate_") else name
        for name in trial.params
    }
    return {own[name]: value for name, value in trial.params.items()}


class Seeded(optuna.samplers.TPESampler):  # type: ignore[misc]
    """Tree-structured Parzen estimator whose draw follows from seed, trial and name alone, so that a search resumes.

    Source      Bergstra, Bardenet, Bengio, Kégl, "Algorithms for Hyper-Parameter Optimization", 2011
    """

    def __init__(self, seed: int, startup: int) -> None:
        super().__init__(
            seed=seed, n_startup_trials=startup, multivariate=False, constant_liar=False
        )
        self.seed, self.startup = seed, startup

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Return nothing: every value is drawn by `sample_independent`."""
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Return a value; a fresh sampler draws each, since a killed process takes its random state with it."""
        state = np.random.SeedSequence((self.seed, trial.number, zlib.crc32(param_name.encode())))
        fresh = optuna.samplers.TPESampler(
            seed=int(state.generate_state(1)[0]),
            n_startup_trials=self.startup,
            multivariate=False,
            constant_liar=False,
        )
        return fresh.sample_independent(study, trial, param_name, param_distribution)
