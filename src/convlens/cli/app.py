"""The program that runs a command, made with cyclopts.

A command is imported when it is used. Its module imports what is heavy in the functions that need
it, so that every `--help` answers at once.
"""

from collections.abc import Sequence
from typing import Any

from cyclopts import App, CoercionError, Parameter, Token, convert

from convlens.cli.commands import COMMANDS, HELP
from convlens.cli.help import HelpFormatter


def read_value(kind: Any, tokens: Sequence[Token]) -> Any:
    """Convert the words of an option, and refuse a fraction where a whole number is required.

    Cyclopts itself would round 1.5 to 2.

    Raises:
        CoercionError: If a whole number is required and the word is a fraction.
    """
    value = convert(kind, tokens)
    if type(value) is int and "." in tokens[0].value and float(tokens[0].value) != value:
        raise CoercionError(token=tokens[0], target_type=int)
    return value


app = App(
    name="convlens",
    help=HELP,
    help_formatter=HelpFormatter(),
    version_flags=["--version"],
    help_format="plaintext",
    default_parameter=Parameter(converter=read_value),
    suppress_keyboard_interrupt=False,  # `main` handles Ctrl-C
)

for _name, (_function, _help) in COMMANDS.items():
    app.command(_function, name=_name, help=_help)
