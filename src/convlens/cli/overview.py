"""Overview: what `convlens --help` prints, and the parts that the help of a command has, too.

`N_` marks each paragraph of the help of a command, and the help of each flag, where it is written.
Both are translated here, when help is printed. Nothing here imports cyclopts, which takes longer
than all that the overview needs.
"""

import math
from collections.abc import Iterable

from rich.box import ROUNDED
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from convlens.cli.commands import COMMANDS, HELP
from convlens.language import N_, Message, _, again
from convlens.text import PART, line_starts, wrapped

COMMANDS_TITLE = N_("Commands")
FLAGS = (
    ("--help (-h)", N_("Display this message and exit.")),
    ("--version", N_("Display application version.")),
)
COMMAND = N_("COMMAND")
EPILOGUE = N_(
    "Every command takes --language zh or --language en, and --debug, which shows where an error "
    "comes from."
)
NAMES = 0.35  # the largest share of the width that names take
_composed: dict[str, Message] = {}


def print_overview() -> None:
    """Print what `convlens` is for, and its commands."""
    console = Console(emoji=False)
    print_usage(console, "convlens {command}".format(command=_(COMMAND)))
    print_description(console, HELP)
    commands = [(name, text) for name, (_function, text) in sorted(COMMANDS.items())]
    print_commands(console, COMMANDS_TITLE, [*commands, *FLAGS])
    console.print()
    console.print(Text(epilogue()))


def composed(text: Message) -> str:
    """Return a help that was put together from several texts, and keep how it is translated."""
    _composed[text] = text
    return text


def translated(text: str) -> str:
    """Return a help, or a heading, in the chosen language."""
    if text in _composed:
        return str(again(_composed[text]))
    return "\n\n".join(_(part) if part else "" for part in text.split("\n\n"))


def epilogue() -> str:
    """Return what stands below every help, wrapped to the terminal, as cyclopts cannot do it."""
    return "\n".join(wrapped(_(EPILOGUE), Console(emoji=False).width))


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


def print_usage(console: Console, usage: str) -> None:
    """Print the line that says which words a command takes."""
    console.print(Wrapped(Text(_("Usage: {usage}").format(usage=usage), "bold")))
    console.print()


def print_description(console: Console, text: str) -> None:
    """Print what a command does, in the chosen language."""
    console.print(Wrapped(Text(translated(text))))
    console.print()


def print_commands(console: Console, title: str, rows: Iterable[tuple[str, str]]) -> None:
    """Print a panel of names, each with the first paragraph of its help."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", max_width=math.ceil(console.width * NAMES))
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, Wrapped(Text(translated(text.partition("\n\n")[0]))))
    console.print(Panel(table, box=ROUNDED, title=translated(title), title_align="left"))
