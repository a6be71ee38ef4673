"""Setting: a field of the configuration that knows its help and its range, and checks its values."""

import dataclasses
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

from convlens.errors import ConfigError


def setting(
    default: Any,
    help: str,  # noqa: A002 - the word that command-line libraries use
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Return a dataclass field with its help and range (`low` and `high` are allowed values, `above` is not)."""
    return dataclasses.field(
        default=default,
        metadata={"help": help, "low": low, "high": high, "above": above, "choices": choices},
    )


@dataclass(frozen=True)
class Section:
    """A group of settings; every value is checked when the section is made."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            for one in value if isinstance(value, tuple) else (value,):
                _check(item, one)


def _check(item: dataclasses.Field[Any], value: Any) -> None:
    flag, rule = f"--{item.name.replace('_', '-')}", item.metadata
    if value is None:
        return
    if rule["choices"] and value not in rule["choices"]:
        raise ConfigError(f"{flag} must be one of {', '.join(rule['choices'])}; found {value!r}.")
    if isinstance(value, str | bool):
        return
    if rule["low"] is not None and not value >= rule["low"]:
        raise ConfigError(f"{flag} must be at least {rule['low']:g}; found {value:g}.")
    if rule["above"] is not None and not value > rule["above"]:
        raise ConfigError(f"{flag} must be more than {rule['above']:g}; found {value:g}.")
    if rule["high"] is not None and not value <= rule["high"]:
        raise ConfigError(f"{flag} must be at most {rule['high']:g}; found {value:g}.")


def unknown(name: str, known: list[str], what: str = "setting") -> str:
    """Return what is wrong with a name that is not among the known ones, with near names or all."""
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}."
    return f"there is no {what} {name!r}; {hint}"


def typed(name: str, value: Any, section: type[Section]) -> Any:
    """Return a value as its setting's type; TOML has no tuples and writes 1 for 1.0. Raises ConfigError."""
    hint = get_type_hints(section)[name]
    wanted = get_args(hint) or (hint,)
    if hint == tuple[int, ...]:
        if isinstance(value, list | tuple) and all(type(v) is int for v in value):
            return tuple(value)
    elif float in wanted and type(value) in (int, float):
        return float(value)
    elif type(value) in wanted:
        return value
    kind = hint.__name__ if isinstance(hint, type) else str(hint)
    raise ConfigError(f"--{name.replace('_', '-')} must be {kind}; found {value!r}.")
