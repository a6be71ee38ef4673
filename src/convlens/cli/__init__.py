"""The command line: thin commands that parse, call and print; `main` turns errors into one line and an exit code."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the `convlens` command and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    sys.exit(_run([word for word in words if word != "--debug"], debug=debug))


def _run(words: list[str], *, debug: bool) -> int:
    """Return the exit code; 0 where the command did what it was asked."""
    from cyclopts import CycloptsError

    from convlens.cli.app import app
    from convlens.errors import ConfigError, ConvlensError, Interrupted

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        if debug:
            raise
        errors.print(f"[red]error[/red]  {escape(' '.join(str(error).split()))} (convlens --help)")
        return ConfigError.exit_code
    except ConvlensError as error:
        if debug:
            raise
        word = "" if error.exit_code == Interrupted.exit_code else "[red]error[/red]  "
        errors.print(f"{word}{escape(str(error))}")
        return error.exit_code
    except KeyboardInterrupt:
        errors.print("stopped")
        return Interrupted.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone, as in `convlens models | head`
        return 0
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        errors.print(
            f"[red]error[/red]  this is a fault of convlens: {kind}: {escape(str(error)[:300])}; --debug shows where"
        )
        return 1
