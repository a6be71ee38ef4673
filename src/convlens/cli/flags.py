"""Flags: the settings of `config.py` as options of the command line."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_type_hints

from cyclopts import Group, Parameter

from convlens import config
from convlens.config import Config, all_settings
from convlens.errors import ConfigError

GROUPS = {
    "data": Group("Images", sort_key=1),
    "training": Group("Training", sort_key=2),
    "transfer": Group("Transfer", sort_key=3),
    "augment": Group("Augmentation", sort_key=4),
    "model": Group("Network", sort_key=5),
}
_SECTIONS = {
    "data": config.DataConfig,
    "model": config.ModelConfig,
    "augment": config.AugmentConfig,
}
_SECTIONS |= {"training": config.TrainingConfig, "transfer": config.TransferConfig}


def _option(
    section: str, item: dataclasses.Field[Any], default: Any = None, *, shown: bool = True
) -> tuple[str, Any, Any]:
    """Return (name, annotated type, field) for `make_dataclass`; None is "not given", so that run.toml can speak.

    The help shows the setting's default, or the command's own where there is one.
    """
    default = item.default if default is None else default
    hint = get_type_hints(_SECTIONS[section])[item.name]
    is_list = hint == tuple[int, ...]
    kind = str if is_list else next(t for t in get_args(hint) or (hint,) if t is not type(None))
    text = item.metadata["help"]
    if item.metadata["choices"]:
        text += f": {', '.join(item.metadata['choices'])}"
    if default is not None and not isinstance(default, bool):
        text += (
            f" [{str(default).strip('()').replace(', ', ',').rstrip(',') if is_list else default}]"
        )
    parameter = Parameter(help=text, group=GROUPS[section], show_default=False, show=shown)
    return item.name, Annotated[kind | None, parameter], dataclasses.field(default=None)


def _flags(
    name: str, defaults: Mapping[str, Any], *, without: Sequence[str] = (), transfer: bool = True
) -> Any:
    """Return the class of a command's flags: the settings, without those it decides itself.

    Where it takes no `transfer` flags, they are hidden, and `configure` says why they are refused.
    """
    made = dataclasses.make_dataclass(
        name,
        [
            _option(section, item, defaults.get(item.name), shown=transfer or section != "transfer")
            for section, item in all_settings()
            if item.name not in without
        ],
        namespace={"takes_transfer": transfer},
    )
    made.__module__ = __name__  # cyclopts takes a class of the module `types` for a built-in one
    return made


SEARCH_DEFAULTS = {"model": "custom_cnn", "epochs": 8}  # of a trial; the flags go first
OF_A_COMPARISON = (
    "model",
    "epochs",
    "steps_per_epoch",
    "patience",
)  # `convlens compare` decides these itself

Flags: Any = _flags("Flags", {})
CompareFlags: Any = _flags("CompareFlags", {}, without=OF_A_COMPARISON, transfer=False)
SearchFlags: Any = _flags("SearchFlags", SEARCH_DEFAULTS, transfer=False)


def configure(flags: Any, base: Config) -> Config:
    """Return `base` with the flags that were given on top.

    Raises:
        ConfigError: a value out of range, or a flag of transfer learning where networks are trained from scratch.
    """
    given = {item.name: getattr(flags, item.name) for item in dataclasses.fields(flags)}
    given = {name: value for name, value in given.items() if value is not None}
    refused = [
        item.name
        for section, item in all_settings()
        if section == "transfer" and item.name in given
    ]
    if refused and not flags.takes_transfer:
        flag = f"--{refused[0].replace('_', '-')}"
        raise ConfigError(
            f"{flag} is for `convlens train`; here every network is trained from scratch. Leave it out."
        )
    for name in ("filters", "dense", "head"):
        if name in given:
            given[name] = _numbers(name, given[name])
    return base.replace(**given)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(
            f"--{name} must be whole numbers with commas between, as 32,64,128; found {text!r}."
        ) from error


def options_page() -> str:
    """Return docs/options.md: every setting with its section of run.toml, its default and what it does."""
    lines = [
        "# Options",
        "",
        "Flags of `convlens train` and fields of `run.toml`; made by `make docs`.",
    ]
    heading = None
    for section, item in all_settings():
        if section != heading:
            lines += ["", f"## [{section}]", "", "| flag | default | what |", "|---|---|---|"]
            heading = section
        default = "" if item.default is None else str(item.default).strip("()").rstrip(",")
        choices = ", ".join(item.metadata["choices"])
        what = item.metadata["help"] + (f": {choices}" if choices else "")
        lines.append(f"| `--{item.name.replace('_', '-')}` | {default} | {what} |")
    return "\n".join(lines) + "\n"
