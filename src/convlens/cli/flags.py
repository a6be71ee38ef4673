"""Flags: the settings of `convlens.sections` as options of the command line."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_type_hints

from cyclopts import Group, Parameter

from convlens.config import Config
from convlens.errors import ConfigError
from convlens.sections import SECTIONS, all_settings
from convlens.setting import flag_of

GROUPS = {
    "data": Group("Images", sort_key=1),
    "training": Group("Training", sort_key=2),
    "transfer": Group("Transfer", sort_key=3),
    "augment": Group("Augmentation", sort_key=4),
    "model": Group("Network", sort_key=5),
}
NUMBER_LISTS = ("filters", "dense", "head")  # settings that a flag writes with commas

SEARCH_DEFAULTS = {"model": "custom_cnn", "epochs": 8}  # of a trial, where no flag is given
COMPARE_DECIDES = ("model", "epochs", "steps_per_epoch", "patience")


def _option(
    section: str, item: dataclasses.Field[Any], default: Any, *, shown: bool
) -> tuple[str, Any, Any]:
    """Return (name, annotated type, field) for `make_dataclass`.

    The field's default is None, which means that the flag was not given, so that run.toml counts.

    Args:
        section: The name of the setting's section.
        item: The setting.
        default: The default value that the help shows.
        shown: Whether the help lists the flag.
    """
    hint = get_type_hints(SECTIONS[section])[item.name]
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    kind = str if item.name in NUMBER_LISTS else kinds[0]
    help_text = _description(item)
    if _written(default) and not isinstance(default, bool):
        help_text = "{text} [{default}]".format(text=help_text, default=_written(default))
    parameter = Parameter(help=help_text, group=GROUPS[section], show_default=False, show=shown)
    return item.name, Annotated[kind | None, parameter], dataclasses.field(default=None)


def _description(item: dataclasses.Field[Any]) -> str:
    """Return the help of a setting with its choices."""
    choices = ", ".join(item.metadata["choices"])
    template = "{help}: {choices}" if choices else "{help}"
    return template.format(help=item.metadata["help"], choices=choices)


def _written(value: Any) -> str:
    """Return a default value as it is written on the command line."""
    if value is None:
        return ""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _make_flags(
    name: str, defaults: Mapping[str, Any], *, without: Sequence[str] = (), transfer: bool = True
) -> Any:
    """Return the dataclass of a command's flags.

    Args:
        name: The name of the class.
        defaults: The command's own defaults.
        without: Settings that the command decides itself.
        transfer: Whether the help lists the flags of transfer learning.
    """
    options = [
        _option(
            section,
            item,
            defaults.get(item.name, item.default),
            shown=transfer or section != "transfer",
        )
        for section, item in all_settings()
        if item.name not in without
    ]
    made = dataclasses.make_dataclass(name, options)
    made.__module__ = __name__  # cyclopts takes a class of the module `types` for a built-in one
    return made


Flags: Any = _make_flags("Flags", {})
CompareFlags: Any = _make_flags("CompareFlags", {}, without=COMPARE_DECIDES, transfer=False)
SearchFlags: Any = _make_flags("SearchFlags", SEARCH_DEFAULTS, transfer=False)


def given_flags(flags: Any) -> dict[str, Any]:
    """Return the flags that were given, with their values, by the names of settings."""
    return {name: value for name, value in vars(flags).items() if value is not None}


def configure(flags: Any, base: Config) -> Config:
    """Return `base` with the flags that were given on top.

    Raises:
        ConfigError: If a value is out of range.
    """
    given = given_flags(flags)
    for name in NUMBER_LISTS:
        if name in given:
            given[name] = _numbers(name, given[name])
    return base.replace(**given)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(
            "{flag} must be whole numbers with commas, as 32,64,128; found {text!r}.".format(
                flag=flag_of(name), text=text
            )
        ) from error


def options_page() -> str:
    """Return docs/options.md: every setting with its section, its default and what it does."""
    lines = [
        "# Options",
        "",
        "These are the flags of `convlens train` and the fields of `run.toml`. `make docs` writes "
        "this page.",
    ]
    heading = None
    for section, item in all_settings():
        if section != heading:
            title = "## [{section}]".format(section=section)
            lines += ["", title, "", "| flag | default | what it does |", "|---|---|---|"]
            heading = section
        cells = [
            "`{flag}`".format(flag=flag_of(item.name)),
            _written(item.default),
            _description(item),
        ]
        lines.append("| {cells} |".format(cells=" | ".join(cells)))
    return "\n".join(lines) + "\n"
