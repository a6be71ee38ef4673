"""What the tests of commands share: a way to run one, and flags of a quick training."""

import pytest
from rich.console import Console, ConsoleDimensions

from convlens.cli import main

QUICK = (
    "--model",
    "custom_cnn",
    "--filters",
    "8,16",
    "--dense",
    "16",
    "--batch-size",
    "16",
    "--learning-rate",
    "0.01",
)


def run(*words: object) -> int:
    """Run `convlens` with these words and return its exit code."""
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    return int(stopped.value.code or 0)


def terminal(width: int, patch: pytest.MonkeyPatch) -> None:
    """Set the width of the terminal, also for the help.

    The console of cyclopts reads the variable COLUMNS once in a process, for the first help.
    """
    patch.setattr(Console, "width", width)
    patch.setattr(Console, "size", ConsoleDimensions(width, 25))


def show(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run `convlens show` and return its exit code, what it printed, and its messages."""
    code = run("show", *words)
    out, err = capsys.readouterr()
    return code, out, err
