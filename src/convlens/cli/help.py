"""Help: what the `--help` of a command prints, in the chosen language.

cyclopts gathers what there is to say, see `HelpFormatter`. The list of all commands is printed
without it, see `convlens.cli.overview`.
"""

import re

from attrs import define
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel, InlineText
from cyclopts.help.specs import get_default_parameter_columns
from rich.console import Console, ConsoleOptions
from rich.text import Text

from convlens.cli.overview import (
    COMMAND,
    Wrapped,
    print_commands,
    print_description,
    print_usage,
    translated,
)
from convlens.language import N_, _, listed

OF_CYCLOPTS = (N_("Arguments"), N_("Parameters"))
# What cyclopts puts into the place of values, and into the line of the usage. The names of
# arguments, as RUN and IMAGE, stay: the help speaks of them.
VALUES = (N_("STR"), N_("PATH"), N_("INT"), N_("FLOAT"), N_("CHOICE"))
OF_USAGE = (N_("[OPTIONS]"), N_("[ARGS]"), N_("[ARGS...]"), COMMAND)


def placeholder(metavar: str | None) -> str | None:
    """Return what stands in the place of a value, in the chosen language.

    >>> placeholder("STR...")
    'STR...'
    """
    if metavar is None:
        return None
    return re.sub("|".join(VALUES), lambda found: _(found[0]), metavar)


@define(kw_only=True)
class HelpFormatter(DefaultFormatter):
    """Prints help as cyclopts does, in the chosen language."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print a panel of commands or of flags."""
        if panel.format == "command":
            rows = [(_names(entry), _plain(entry.description)) for entry in panel.entries]
            if rows:
                print_commands(console, str(panel.title), rows)
            return
        *names, description = get_default_parameter_columns(console, options, panel.entries)
        columns = (*names, description.copy(renderer=_description))
        formatter = DefaultFormatter(column_specs=columns)
        entries = [one.copy(metavar=placeholder(one.metavar)) for one in panel.entries]
        title = translated(str(panel.title))
        formatter(console, options, panel.copy(title=title, entries=entries))

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Print the line that says which words a command takes."""
        if usage:
            words = [_(word) if word in OF_USAGE else word for word in str(usage).split()]
            print_usage(console, " ".join(words))

    def render_description(
        self, console: Console, options: ConsoleOptions, description: object
    ) -> None:
        """Print what a command does."""
        text = _plain(description)
        if text:
            print_description(console, text)


def _names(entry: HelpEntry) -> str:
    """Return the name of a command, with its short names in parentheses."""
    name, *others = entry.all_options
    return "{name} ({others})".format(name=name, others=", ".join(others)) if others else name


def _plain(description: object) -> str:
    """Return the text of a description, which cyclopts has wrapped for rich."""
    if isinstance(description, InlineText):
        description = description.primary_renderable
    return str(description or "").rstrip()


def _description(entry: HelpEntry) -> Wrapped:
    """Return what a command or a flag does, with its choices and its default."""
    parts = [Text(translated(_plain(entry.description)))]
    if entry.choices:
        choices = _("[choices: {choices}]").format(choices=listed(entry.choices))
        parts.append(Text(choices, "cyclopts.choices"))
    if entry.default not in (None, "False"):  # a switch is off unless it is given
        default = _("[default: {default}]").format(default=entry.default)
        parts.append(Text(default, "cyclopts.default"))
    if entry.required:
        parts.append(Text(_("[required]"), "cyclopts.required"))
    return Wrapped(Text(" ").join(part for part in parts if part))
