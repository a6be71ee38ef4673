"""The command line: commands that parse, call and print.

`main` runs a command and turns its errors into one line and an exit code. `run_process` is what a
process starts with that is there for one command.
"""

import atexit
import contextlib
import os
import sys
import warnings
from collections.abc import Sequence

from convlens.language import N_, _, again, known_language
from convlens.language_choice import VARIABLE, language
from convlens.quiet import freeze_imports
from convlens.text import make_output_lenient

FULL = N_(
    "the standard output or a temporary file cannot be written; {reason}. Free some space on the "
    "disk, or write to another place."
)
BROKEN = N_(
    "the standard output or a temporary file cannot be written; {reason}. Write to another place."
)
REFUSED = N_(
    "{path}: the system does not let this be used; {reason}. Give another place, or change who may "
    "use it."
)
FAULT = N_("this is a fault of convlens: {kind}: {text}; --debug shows where")


def run_process() -> None:
    """Run the command of this process, and end the process as soon as everything is done.

    Keras and TensorFlow take more than a second to take themselves down, for which nobody should
    wait. So the process ends after the last function of `atexit`, when nothing is left to be
    written, and the system takes back the memory.
    """
    codes: list[int] = []

    def end() -> None:
        if codes:
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or not there
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(codes[0])

    freeze_imports()
    atexit.register(end)  # before all others, since they are called from the last to the first
    try:
        main()
    except SystemExit as stop:
        if isinstance(stop.code, int):
            codes.append(stop.code)
        raise


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the `convlens` command and exit with its code.

    Args:
        arguments: The words after `convlens`. The default is those of the process.
    """
    make_output_lenient()
    _open_closed_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # damaged images are named anyway
        warnings.showwarning = _show_warning
        code = _run(words, debug=debug)
    sys.exit(code)


def _show_warning(message: Warning | str, *rest: object, **options: object) -> None:
    """Print a warning as a note, without the place in the code that it comes from."""
    from convlens.screen import marked

    _print_message(marked(_("note"), "yellow", str(again(message))))


def _print_message(markup: str) -> None:
    """Print a line on the standard error, which is not wrapped."""
    from rich.console import Console

    Console(emoji=False, stderr=True, highlight=False, soft_wrap=True).print(markup)


def _run(words: list[str], *, debug: bool) -> int:
    """Return the exit code, which is 0 if the command did what it was asked to do."""
    from convlens.errors import Interrupted

    try:
        code = _obey(_choose_language(words))
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        message = str(_("stopped"))
        code = Interrupted.exit_code
    except BrokenPipeError:
        return _end_quietly()
    except SystemExit as stop:
        # A console of rich turns a BrokenPipeError into this.
        if isinstance(stop.__context__, BrokenPipeError):
            return _end_quietly()
        raise
    except Exception as error:
        if isinstance(error, OSError):
            _discard_output()
        if debug:
            raise
        message, code = _explain(error)
    with contextlib.suppress(OSError):  # The standard error may lie on a full disk, too.
        _print_message(message)
    return code


def _obey(words: list[str]) -> object:
    """Do what the words say, and return what the function of the command returns."""
    from convlens.cli.overview import epilogue, print_overview

    if words in ([], ["--help"], ["-h"]):  # without cyclopts, which takes longer than all the rest
        print_overview()
        return 0
    from convlens.cli.app import app
    from convlens.cli.mistakes import refuse_empty

    refuse_empty(words)
    words = [_with_home(word) for word in words]
    app.help_epilogue = epilogue()
    return app(words, exit_on_error=False, print_error=False, result_action="return_value")


def _with_home(word: str) -> str:
    """Return a word whose path leads to the home folder if it begins with ~/.

    No shell replaces ~ behind the = of --out=~/network; a folder called ~ would be made.
    """
    from convlens.files import expanded

    flag, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{flag}{equals}{expanded(value)}" if value.startswith("~/") else word


def _choose_language(words: list[str]) -> list[str]:
    """Choose the language that --language or the environment names; return the other words.

    Raises:
        ConfigError: If the language is none of ours.
    """
    given = os.environ.get(VARIABLE) or language()
    others: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--language":
            given = next(rest, "")
        elif word.startswith("--language="):
            given = word.partition("=")[2]
        else:
            others.append(word)
    # The threads and processes that this one starts see the variable, too.
    os.environ[VARIABLE] = known_language(given)
    return others


def _open_closed_streams() -> None:
    """Open the standard streams that the caller has closed, which Python leaves as None.

    Otherwise the next file that is opened would get the number of the stream, and libraries would
    write their output into it. Writing to the standard output is an error, as in other programs.
    The standard input is empty.
    """
    streams = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))
    for number, (name, mode) in enumerate(streams):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, mode)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            use = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, use, encoding="utf-8", closefd=False))


def _discard_output() -> None:
    """Send what is left of the standard output nowhere, so that Python does not fail at its end."""
    with contextlib.suppress(OSError, ValueError):  # A test may have replaced the stream.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def _end_quietly() -> int:
    """Return the exit code if the reader has gone, as in `convlens models | head`."""
    _discard_output()
    sys.stderr.close()
    return 0


def _explain(error: Exception) -> tuple[str, int]:
    """Return the line that is printed for an error, and the exit code."""
    from cyclopts import CycloptsError
    from rich.markup import escape

    from convlens.cli.mistakes import describe
    from convlens.errors import ConfigError, ConvlensError, Interrupted, StorageError
    from convlens.files import FORBIDDEN, FULL_DISK, UNWRITABLE
    from convlens.reasons import system_reason
    from convlens.screen import marked
    from convlens.text import in_line

    code = 1
    text: str = _(FAULT).format(kind=type(error).__name__, text=str(error)[:300])
    if isinstance(error, ConvlensError):
        code = error.exit_code
        text = again(error.args[0]) if error.args else str(error)
    elif isinstance(error, CycloptsError):
        code = ConfigError.exit_code
        text = describe(error)
    elif isinstance(error, OSError) and error.errno in UNWRITABLE:
        code = StorageError.exit_code
        text = _(FULL if error.errno in FULL_DISK else BROKEN).format(reason=system_reason(error))
    elif isinstance(error, OSError) and error.errno in FORBIDDEN and error.filename:
        code = StorageError.exit_code
        text = _(REFUSED).format(path=error.filename, reason=system_reason(error))
    if isinstance(error, Interrupted):
        return escape(str(text)), code
    return marked(_("error"), "red", in_line(str(text))), code
