"""Space: the settings that a search varies, and the values that they may take.

A space is a mapping from the name of a setting to a dimension, which is a list of choices or a
range. It is parsed from `--vary` and stored as JSON. `journal` draws values from it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args, get_type_hints

from convlens.config import Config, ModelConfig, TrainingConfig, all_settings
from convlens.errors import ConfigError
from convlens.language import N_, _, listed
from convlens.setting import unknown

LOGARITHMIC = ("learning_rate", "weight_decay")  # their ratio matters, not their difference
SPLIT = "|"  # separates the values of a setting that is itself a list, such as filters
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
SHAPE = ("filters", "convs_per_block", "kernel_size", "dense", "dropout")  # of custom_cnn
# Settings that are never varied.
FIXED = (
    "model", "recipe", "epochs", "steps_per_epoch", "seed", "backend", "threads", "snapshots",
    "workers", "accept",
)  # fmt: skip

NO_NUMBER = {  # by whether it must be a whole number
    True: N_(
        "--vary {name}: the values must be whole numbers, as a,b,c or low..high; found {text!r}."
    ),
    False: N_("--vary {name}: the values must be numbers, as a,b,c or low..high; found {text!r}."),
}


@dataclass(frozen=True)
class Choices:
    """A dimension that takes one of several values.

    Attributes:
        values: The values. A value that is a list is written with commas, as on the command line.
    """

    values: tuple[str | int | float | bool, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values. Each of them must be valid for the setting."""
        return self.values

    def __str__(self) -> str:
        """Return the values in words."""
        return " | ".join(map(str, self.values))


@dataclass(frozen=True)
class Range:
    """A dimension that takes any number between two ends, or any whole number if both ends are int.

    Attributes:
        low: The lowest value.
        high: The highest value.
        logarithmic: Whether the logarithm is drawn uniformly.
    """

    low: float
    high: float
    logarithmic: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """Both ends. If they are valid for the setting, so is everything in between."""
        return self.low, self.high

    def __str__(self) -> str:
        """Return the range in words."""
        return _("{low:g} to {high:g}").format(low=self.low, high=self.high)


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


def choose_space(given: Space | Sequence[str] | None, model: str) -> Space:
    """Return the settings that a search varies: those that are given, or the usual ones."""
    space = given if isinstance(given, Mapping) else parse_vary(given or (), model)
    return space or default_space(model)


def default_space(model: str) -> dict[str, Dimension]:
    """Return the space of a search for which the user names no settings.

    The shape of the network is varied only for `custom_cnn`. The learning rate follows the
    optimizer: it is drawn around the usual rate of that optimizer.

    Args:
        model: The name of the network.
    """
    return {
        name: dimension
        for name, dimension in DEFAULT.items()
        if model == "custom_cnn" or name not in SHAPE
    }


def rate_follows_optimizer(space: Space) -> bool:
    """Return whether the learning rate is drawn around the usual rate of the drawn optimizer."""
    return "optimizer" in space and "learning_rate" not in space


def varied_names(space: Space) -> list[str]:
    """Return the settings that differ from trial to trial, also where they follow others."""
    return [*space, *(["learning_rate"] if rate_follows_optimizer(space) else [])]


def parse_vary(texts: Sequence[str], model: str = "custom_cnn") -> dict[str, Dimension]:
    """Return the space that `--vary FIELD=values` flags describe.

    Args:
        texts: One text per setting: "dropout=0..0.5" is a range, "batch_size=32,64" are values, and
            "filters=16,32|32,64" are lists. The learning rate and the weight decay are drawn by
            their logarithm.
        model: The name of the network. Only `custom_cnn` has a shape that can be varied.

    Raises:
        ConfigError: If a text does not have this form, or names an unknown setting or a value that
            it cannot take.

    >>> parse_vary(["dropout=0..0.5", "batch-size=32,64"])
    {'dropout': Range(low=0.0, high=0.5, logarithmic=False), 'batch_size': Choices(values=(32, 64))}
    """
    space: dict[str, Dimension] = {}
    for text in texts:
        name, _sign, values = text.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        values = values.strip()
        if not values:
            raise ConfigError(
                _(
                    "--vary must be FIELD=values, as dropout=0..0.5 or batch_size=32,64; "
                    "found {text!r}."
                ).format(text=text)
            )
        _check_name(name, model)
        if name in space:
            raise ConfigError(
                _("--vary must name each field once; found {name} twice.").format(name=name)
            )
        space[name] = _parse_dimension(name, values)
        _check_values(name, space[name], values)
    return space


def _check_name(name: str, model: str) -> None:
    """Raise ConfigError if a setting cannot be varied for this network."""
    settings = {item.name: section for section, item in all_settings()}
    varied = [
        known
        for known, section in settings.items()
        if section in ("model", "training") and known not in FIXED
    ]
    if name not in settings:
        raise ConfigError(_("--vary: {error}").format(error=unknown(name, varied)))
    if name not in varied:
        raise ConfigError(
            _(
                "--vary must name a field of the network or its training, as {allowed}; "
                "found {name!r}."
            ).format(
                allowed=listed((*SHAPE, "optimizer", "learning_rate", "batch_size")), name=name
            )
        )
    if name in get_type_hints(ModelConfig) and name != "stem" and model != "custom_cnn":
        raise ConfigError(
            _("--vary {name} shapes custom_cnn only; found --model {model}.").format(
                name=name, model=model
            )
        )


def _check_values(name: str, dimension: Dimension, text: str) -> None:
    """Raise ConfigError before the first trial if a setting cannot take these values."""
    for value in dimension.ends:
        Config().replace(**{name: setting_value(name, value)})
    different = set(map(str, dimension.ends))
    if len(different) < len(dimension.ends) or len(different) < 2:
        raise ConfigError(
            _("--vary {name} must give two values or more, each once; found {text!r}.").format(
                name=name, text=text
            )
        )


def _parse_dimension(name: str, text: str) -> Dimension:
    """Return the dimension of a setting from the text after "="."""
    hint = _hint(name)
    kinds = get_args(hint) or (hint,)
    if hint == tuple[int, ...]:
        return Choices(tuple(part.strip() for part in text.split(SPLIT)))
    if match := re.fullmatch(rf"({NUMBER})\s*\.\.\s*({NUMBER})", text):
        return _parse_range(name, match[1], match[2], text, whole=int in kinds)
    parts = [part.strip() for part in text.split(",")]
    if str in kinds:
        return Choices(tuple(parts))
    if bool in kinds:
        raise ConfigError(
            _(
                "--vary {name}: a field that is on or off is not varied; run the search twice."
            ).format(name=name)
        )
    return Choices(tuple(_parse_number(name, part, whole=int in kinds) for part in parts))


def _parse_range(name: str, first: str, last: str, text: str, *, whole: bool) -> Range:
    """Return the range between two numbers."""
    low = _parse_number(name, first, whole=whole)
    high = _parse_number(name, last, whole=whole)
    if not low < high:
        raise ConfigError(
            _("--vary {name}: a range must go up, as 0.1..0.5; found {text!r}.").format(
                name=name, text=text
            )
        )
    if name in LOGARITHMIC and low <= 0:
        raise ConfigError(
            _("--vary {name}: this range must begin above 0; found {text!r}.").format(
                name=name, text=text
            )
        )
    return Range(low, high, name in LOGARITHMIC)


def _parse_number(name: str, text: str, *, whole: bool) -> int | float:
    """Return a finite number, a whole one if asked for."""
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    raise ConfigError(_(NO_NUMBER[whole]).format(name=name, text=text))


def _hint(name: str) -> Any:
    """Return the type of a setting."""
    return (get_type_hints(ModelConfig) | get_type_hints(TrainingConfig))[name]


def setting_value(name: str, value: Any) -> Any:
    """Return a value of a dimension as the configuration takes it.

    Args:
        name: The name of the setting.
        value: The value. Only a list, which is written with commas, is converted.

    Raises:
        ConfigError: If a list holds something else than whole numbers.

    >>> setting_value("filters", "16,32"), setting_value("dropout", 0.5)
    ((16, 32), 0.5)
    """
    if _hint(name) != tuple[int, ...]:
        return value
    try:
        return tuple(int(part) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(
            _(
                "--vary {name}: lists of whole numbers must be given, with {split} between lists, "
                "as 16,32{split}32,64; found {value!r}."
            ).format(name=name, split=SPLIT, value=value)
        ) from error


def to_dict(space: Space) -> dict[str, Any]:
    """Return a space as plain data, ready for JSON."""
    return {name: asdict(dimension) for name, dimension in space.items()}


def from_dict(facts: Mapping[str, Any]) -> dict[str, Dimension]:
    """Return the space that `to_dict` turned into plain data."""
    return {
        name: Choices(tuple(one["values"])) if "values" in one else Range(**one)
        for name, one in facts.items()
    }
