"""Process: `convlens train` as a process of its own, which outlives the studio.

It belongs to no terminal (`start_new_session`), so that Ctrl-C and a studio that is killed leave it
alone. A later studio knows it by its number and by when it began, since numbers are used again.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from convlens.language import VARIABLE, language
from convlens.processes import own_command
from convlens.progress import VARIABLE as PROGRESS

SAME = 1.0  # seconds by which two readings of the begin of a process may differ


def start(
    arguments: Sequence[str], output: Path, errors: Path, progress: Path
) -> "subprocess.Popen[bytes]":
    """Start a command of convlens.

    Args:
        arguments: The words after `convlens`.
        output: Where its output goes, after what is there.
        errors: Where its errors go.
        progress: Where it writes how far it is, see `convlens.progress`.

    Raises:
        OSError: If it cannot be started.
    """
    progress.unlink(missing_ok=True)
    more = {VARIABLE: language(), PROGRESS: str(progress), "PYTHONUNBUFFERED": "1"}
    with output.open("ab") as said, errors.open("wb") as wrong:
        return subprocess.Popen(
            own_command("convlens", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=wrong,
            env=os.environ | more,
            start_new_session=True,
        )


def began_at(pid: int) -> float:
    """Return when a process began; 0 if there is none."""
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return 0.0


def is_alive(pid: int, began: float) -> bool:
    """Return whether a process that began then goes on."""
    return pid > 0 and abs(began_at(pid) - began) < SAME


def interrupt(pid: int, began: float) -> None:
    """Do what Ctrl-C does to a training, which keeps what is done."""
    if not is_alive(pid, began):
        return
    if sys.platform == "win32":  # which knows no such signal between sessions
        psutil.Process(pid).terminate()
    else:
        os.kill(pid, signal.SIGINT)
