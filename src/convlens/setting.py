"""Settings: fields of a configuration that know their help and range, and check their values."""

import dataclasses
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

from convlens.errors import ConfigError
from convlens.language import N_, _, listed

LIMITS = (  # of numbers; NaN satisfies none of them
    ("low", operator.ge, N_("{flag} must be at least {limit}; found {value}.")),
    ("above", operator.gt, N_("{flag} must be more than {limit}; found {value}.")),
    ("high", operator.le, N_("{flag} must be at most {limit}; found {value}.")),
)

# By the type that a value must have. A tuple comes first, as its items have a type, too.
WRONG_TYPES: dict[Any, str] = {
    tuple[int, ...]: N_(
        "{name} must be a list of whole numbers, such as [32, 64, 128]; found {value!r}."
    ),
    bool: N_("{name} must be true or false; found {value!r}."),
    int: N_("{name} must be a whole number; found {value!r}."),
    float: N_("{name} must be a number; found {value!r}."),
    str: N_("{name} must be a text in quotation marks; found {value!r}."),
}


def setting(
    default: Any,
    help: str,  # noqa: A002 - the word that command-line libraries use
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Return a dataclass field that carries its help and its range.

    Args:
        default: The value where none is given.
        help: What the setting does, for the command line and the options page, marked by `N_`.
        low: The lowest value that is allowed.
        high: The highest value that is allowed.
        above: A limit that the value must exceed.
        choices: The words that are allowed; empty for any.
    """
    return dataclasses.field(
        default=default,
        metadata={"help": help, "low": low, "high": high, "above": above, "choices": choices},
    )


@dataclass(frozen=True)
class Section:
    """A group of settings. Every value is checked when the section is made."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            for one in value if isinstance(value, tuple) else (value,):
                _check(item, one)

    def changed(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, by name."""
        return {
            item.name: getattr(self, item.name)
            for item in dataclasses.fields(self)
            if getattr(self, item.name) != item.default
        }


def flag_of(name: str) -> str:
    """Return the flag of a setting.

    >>> flag_of("batch_size")
    '--batch-size'
    """
    return "--{name}".format(name=name.replace("_", "-"))


def refuse_outside(
    flag: str,
    value: float | None,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
) -> None:
    """Raise ConfigError for a number out of range; None is a flag that is not given.

    >>> refuse_outside("--classes", 1, low=2)
    Traceback (most recent call last):
    convlens.errors.ConfigError: --classes must be at least 2; found 1.
    """
    if value is None:
        return
    limits = {"low": low, "high": high, "above": above}
    found = _digits(value)
    for name, holds, message in LIMITS:
        limit = limits[name]
        if limit is not None and not holds(value, limit):
            raise ConfigError(_(message).format(flag=flag, limit=_digits(limit), value=found))
    if abs(value) == math.inf:  # math.isinf would turn a long whole number into a float
        message = _("{flag} must be a finite number; found {value}.")
        raise ConfigError(message.format(flag=flag, value=found))


def _digits(number: float) -> str:
    """Return a number with all its digits, and whole ones without a point."""
    return str(number).removesuffix(".0")


def _check(item: dataclasses.Field[Any], value: Any) -> None:
    """Raise ConfigError for a value that is none of the choices or out of range; None is unset."""
    rule = item.metadata
    if value is None:
        return
    if rule["choices"] and value not in rule["choices"]:
        raise ConfigError(
            _("{flag} must be one of {choices}; found {value!r}.").format(
                flag=flag_of(item.name), choices=listed(rule["choices"]), value=value
            )
        )
    if isinstance(value, str | bool):
        return
    limits = {name: rule[name] for name, _holds, _message in LIMITS}
    refuse_outside(flag_of(item.name), value, **limits)


def either(names: Sequence[str]) -> str:
    """Return names as alternatives.

    >>> either(["--run", "--notebook"])
    '--run or --notebook'
    """
    text, *others = names
    for other in others:
        text = _("{first} or {second}").format(first=text, second=other)
    return text


def unknown(name: str, known: list[str], what: str = N_("setting")) -> str:
    """Return the message for a name that is not among the known ones, with near names or all.

    >>> unknown("epoch", ["epochs", "seed"])
    "there is no setting 'epoch'; did you mean epochs?"
    """
    near = get_close_matches(name, known, n=3)
    if near:
        return _("there is no {what} {name!r}; did you mean {names}?").format(
            what=_(what), name=name, names=either(near)
        )
    return _("there is no {what} {name!r}; known: {names}.").format(
        what=_(what), name=name, names=listed(known)
    )


def typed(name: str, value: Any, section: type[Section]) -> Any:
    """Return a value as its setting's type: TOML has no tuples and may write 1 for 1.0.

    Args:
        name: The name of the setting.
        value: The value as it was read.
        section: The section that has the setting.

    Raises:
        ConfigError: If the value has another type.
    """
    hint = get_type_hints(section)[name]
    wanted = get_args(hint) or (hint,)
    if hint == tuple[int, ...]:
        if isinstance(value, list | tuple) and all(type(v) is int for v in value):
            return tuple(value)
    elif float in wanted and type(value) in (int, float):
        return float(value)
    elif type(value) in wanted:
        return value
    kind = next(kind for kind in WRONG_TYPES if kind in (hint, *wanted))
    raise ConfigError(_(WRONG_TYPES[kind]).format(name=flag_of(name), value=value))
