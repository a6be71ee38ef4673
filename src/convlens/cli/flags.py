"""Flags: the settings of `convlens.sections` as options of the command line, and their values."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from cyclopts import Group, Parameter

from convlens.cli.overview import composed
from convlens.config import Config
from convlens.errors import ConfigError
from convlens.language import N_, Message, _, listed
from convlens.presets import FAST, RECIPES
from convlens.screen import Screen
from convlens.sections import SECTIONS, all_settings
from convlens.setting import flag_of

GROUPS = {
    "data": Group(N_("Images"), sort_key=1),
    "training": Group(N_("Training"), sort_key=2),
    "transfer": Group(N_("Transfer"), sort_key=3),
    "augment": Group(N_("Augmentation"), sort_key=4),
    "model": Group(N_("Network"), sort_key=5),
}
BY_IMAGES = ("size", "fit", "channels", "class_weights")  # settings that "auto" leaves to them
NUMBERS = N_("{flag} must be whole numbers with commas, as 32,64,128; found {text!r}.")
NUMBER_LISTS = ("filters", "dense", "head")  # settings that a flag writes with commas

Resume = Annotated[
    bool, Parameter(negative=(), help=N_("continue --run, which was stopped or killed"))
]

Using = Annotated[
    list[Path] | None,
    Parameter(
        negative=(),
        help=N_("list of corrections, which `convlens audit --fix` writes; may be repeated"),
    ),
]

Pattern = Annotated[
    str | None,
    Parameter(
        help=N_("regular expression that finds the label in a file name, with (?P<label>...)")
    ),
]
Layout = Annotated[
    Literal["auto", "classes", "splits"] | None,
    Parameter(help=N_("what folders called train, val or test are [auto]")),
]

USUAL_RECIPE = N_("fast, or standard where a network or a part of its training is named")
USUAL_EPOCHS = N_("10 to 60, the more the fewer images there are")
# Of `convlens train` where nobody names a training, see `recipe_choice`.
TRAIN_DEFAULTS = {**RECIPES[FAST], "recipe": USUAL_RECIPE, "epochs": USUAL_EPOCHS}
SEARCH_DEFAULTS = {"model": "custom_cnn", "epochs": 8}  # of a trial, where no flag is given
COMPARE_DECIDES = ("model", "epochs", "steps_per_epoch", "patience")
OF_ONE_TRAINING = ("snapshots", "workers")  # settings that only a single training has

OPTIONS_PAGE = N_("""# Options

English · [繁體中文](options.zh-TW.md)

These are the flags of `convlens train` and the fields of `run.toml`. `make docs` writes this page.
""")
OPTIONS_STANDARD = N_("""
The defaults are those of `--recipe fast`. Where a network or a part of its training is named, they
are those of `--recipe standard`: {flags}.
""")
OPTIONS_SECTION = N_("""
## [{section}]

| flag | default | what it does |
|---|---|---|
""")


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
        help_text = _("{text} [{default}]").format(text=help_text, default=_written(default))
    parameter = Parameter(
        help=composed(help_text), group=GROUPS[section], show_default=False, show=shown
    )
    return item.name, Annotated[kind | None, parameter], dataclasses.field(default=None)


def _description(item: dataclasses.Field[Any]) -> Message:
    """Return the help of a setting with its choices."""
    choices = listed(item.metadata["choices"])
    help_text = str(item.metadata["help"])
    text = _(help_text)
    return _("{text}: {choices}").format(text=text, choices=choices) if choices else text


def _written(value: Any) -> str:
    """Return a default value as it is written on the command line."""
    if value is None:
        return ""
    if value in (USUAL_RECIPE, USUAL_EPOCHS):
        return _(value)
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


Flags: Any = _make_flags("Flags", TRAIN_DEFAULTS)
CompareFlags: Any = _make_flags(
    "CompareFlags", {}, without=(*COMPARE_DECIDES, *OF_ONE_TRAINING), transfer=False
)
SearchFlags: Any = _make_flags(
    "SearchFlags", SEARCH_DEFAULTS, without=OF_ONE_TRAINING, transfer=False
)


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
            given[name] = read_whole_numbers(given[name], NUMBERS, flag=flag_of(name))
    return base.replace(**given)


def say_what_a_file_sets(path: Path | None, base: Config, given: Collection[str]) -> None:
    """Note which settings come from a run.toml whose run has decided them by its own images.

    All of them but `flip` can be decided anew, so that for `flip` the note has the other value.

    Args:
        path: The file, or None if there is none.
        base: Its settings.
        given: The settings that flags give, by name.
    """
    if path is None:
        return
    values = {name: value for part in base.to_dict().values() for name, value in part.items()}
    named = [name for name in BY_IMAGES if name not in given and values[name] != "auto"]
    said = ["{} {}".format(flag_of(name), values[name]) for name in named]
    anew = ["{} auto".format(flag_of(name)) for name in named]
    flip = base.augment.flip
    is_decided = flip is not None and base.augment.augment != "none"
    if is_decided and not {"augment", "flip"} & {*given}:
        said.append("--flip" if flip else "--no-flip")
        anew.append("--no-flip" if flip else "--flip")
    if said:
        note = _("{path} sets {settings}; where this does not suit the images, give {anew}")
        Screen().note(note.format(path=path, settings=listed(said), anew=" ".join(anew)))


def read_whole_numbers(
    text: str, rule: str, counts: Sequence[int] = (), **fields: object
) -> tuple[int, ...]:
    """Return the whole numbers of a text with commas or blanks between them.

    Args:
        text: The text, as "0,3".
        rule: The message if the text is wrong, a template that `N_` has marked. Its field `text` is
            the text.
        counts: How many numbers are allowed; any number of them if empty.
        fields: The other fields of the message.

    Raises:
        ConfigError: If a word is not a whole number, or there are too few or too many.

    >>> read_whole_numbers("0,3", "--at must be ROW,COL; found {text!r}.", (2,))
    (0, 3)
    """
    try:
        found = tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError:
        found = None
    if found is None or (counts and len(found) not in counts):
        raise ConfigError(_(rule).format(text=text, **fields))
    return found


def options_page() -> str:
    """Return docs/options.md: every setting with its section, its default and what it does.

    In Chinese, the page is docs/options.zh-TW.md.
    """
    standard = [
        f"`{flag_of(item.name)} {item.default}`"
        for _section, item in all_settings()
        if item.name in RECIPES[FAST]
    ]
    page: str = _(OPTIONS_PAGE) + _(OPTIONS_STANDARD).format(flags=listed(standard))
    for section, settings in SECTIONS.items():
        page += _(OPTIONS_SECTION).format(section=section)
        for item in dataclasses.fields(settings):
            default = TRAIN_DEFAULTS.get(item.name, item.default)
            page += "| `{flag}` | {default} | {what} |\n".format(
                flag=flag_of(item.name), default=_written(default), what=_description(item)
            )
    return page
