"""The program that runs a command, made with cyclopts.

A command is imported when it is used. Its module imports what is heavy in the functions that need
it, so that every `--help` answers at once.
"""

from cyclopts import App

from convlens.cli.commands import COMMANDS, HELP
from convlens.cli.help import HelpFormatter

app = App(
    name="convlens",
    help=HELP,
    help_formatter=HelpFormatter(),
    version_flags=["--version"],
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` handles Ctrl-C
)

for _name, (_function, _help) in COMMANDS.items():
    app.command(_function, name=_name, help=_help)
