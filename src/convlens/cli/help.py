"""Help: what `--help` prints, in the chosen language.

`N_` marks each paragraph of the help of a command, and the help of each flag, where it is written.
Both are translated here, when help is printed.
"""

import re

from attrs import define
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel, InlineText
from cyclopts.help.specs import get_default_command_columns, get_default_parameter_columns
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from convlens.language import N_, Message, _, again, listed
from convlens.text import PART, line_starts, wrapped

OF_CYCLOPTS = (
    N_("Commands"),
    N_("Arguments"),
    N_("Parameters"),
    N_("Display this message and exit."),
    N_("Display application version."),
)
# What cyclopts puts into the place of values, and into the line of the usage. The names of
# arguments, as RUN and IMAGE, stay: the help speaks of them.
VALUES = (N_("STR"), N_("PATH"), N_("INT"), N_("FLOAT"), N_("CHOICE"))
OF_USAGE = (N_("[OPTIONS]"), N_("[ARGS]"), N_("[ARGS...]"), N_("COMMAND"))
EPILOGUE = N_(
    "Every command takes --language zh or --language en, and --debug, which shows where an error "
    "comes from."
)
_composed: dict[str, Message] = {}


def composed(text: Message) -> str:
    """Return a help that was put together from several texts, and keep how it is translated."""
    _composed[text] = text
    return text


def translated(text: str) -> str:
    """Return a help, or a heading, in the chosen language."""
    if text in _composed:
        return str(again(_composed[text]))
    return "\n\n".join(_(part) if part else "" for part in text.split("\n\n"))


def placeholder(metavar: str | None) -> str | None:
    """Return what stands in the place of a value, in the chosen language.

    >>> placeholder("STR...")
    'STR...'
    """
    if metavar is None:
        return None
    return re.sub("|".join(VALUES), lambda found: _(found[0]), metavar)


def epilogue() -> str:
    """Return what stands below every help, wrapped to the terminal, as cyclopts cannot do it."""
    return "\n".join(wrapped(_(EPILOGUE), Console().width))


class Wrapped:
    """A text that is wrapped to the width at hand, also between Chinese characters."""

    def __init__(self, text: Text) -> None:
        self.text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines of the text."""
        for paragraph in self.text.split("\n", allow_blank=True):
            for line in paragraph.divide(line_starts(paragraph.plain, options.max_width)):
                line.rstrip()
                yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the least and the largest width."""
        parts = [cell_len(match[0].rstrip()) for match in PART.finditer(self.text.plain)]
        lines = [cell_len(line) for line in self.text.plain.split("\n")]
        return Measurement(max(parts), max(lines)).with_maximum(options.max_width)


@define(kw_only=True)
class HelpFormatter(DefaultFormatter):
    """Prints help as cyclopts does, in the chosen language."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print a panel of commands or of flags."""
        default_columns = get_default_parameter_columns
        if panel.format == "command":
            default_columns = get_default_command_columns
        *names, description = default_columns(console, options, panel.entries)
        columns = (*names, description.copy(renderer=_description))
        formatter = DefaultFormatter(column_specs=columns)
        entries = [one.copy(metavar=placeholder(one.metavar)) for one in panel.entries]
        title = translated(str(panel.title))
        formatter(console, options, panel.copy(title=title, entries=entries))

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Print the line that says which words a command takes."""
        if usage:
            words = [_(word) if word in OF_USAGE else word for word in str(usage).split()]
            text = _("Usage: {usage}").format(usage=" ".join(words))
            console.print(Wrapped(Text(text, "bold")))
            console.print()

    def render_description(
        self, console: Console, options: ConsoleOptions, description: object
    ) -> None:
        """Print what a command does."""
        text = _plain(description)
        if text:
            console.print(Wrapped(Text(translated(text))))
            console.print()


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
