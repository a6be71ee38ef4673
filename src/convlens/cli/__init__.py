"""The command line: commands that parse, call and print.

`main` runs a command and turns its errors into one line and an exit code.
"""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from convlens.text import make_output_lenient

ERROR = "[red]error[/red]  {text}"
WRONG_WORD = "[red]error[/red]  {text} (convlens --help)"
FAULT = "[red]error[/red]  this is a fault of convlens: {kind}: {text}; --debug shows where"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the `convlens` command and exit with its code.

    Args:
        arguments: The words after `convlens`. The default is those of the process.
    """
    make_output_lenient()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    sys.exit(_run([word for word in words if word != "--debug"], debug=debug))


def _run(words: list[str], *, debug: bool) -> int:
    """Return the exit code, which is 0 if the command did what it was asked to do."""
    from convlens.cli.app import app
    from convlens.errors import Interrupted

    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        message = "stopped"
        code = Interrupted.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader is gone, as in `convlens models | head`
        return 0
    except Exception as error:
        if debug:
            raise
        message, code = _explain(error)
    Console(stderr=True, highlight=False, soft_wrap=True).print(message)
    return code


def _explain(error: Exception) -> tuple[str, int]:
    """Return the line that is printed for an error, and the exit code."""
    from cyclopts import CycloptsError

    from convlens.errors import ConfigError, ConvlensError, Interrupted

    text = escape(str(error))
    if isinstance(error, Interrupted):
        return text, error.exit_code
    if isinstance(error, ConvlensError):
        return ERROR.format(text=text), error.exit_code
    if isinstance(error, CycloptsError):
        return WRONG_WORD.format(text=" ".join(text.split())), ConfigError.exit_code
    return FAULT.format(kind=type(error).__name__, text=escape(str(error)[:300])), 1
