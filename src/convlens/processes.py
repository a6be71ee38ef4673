"""Processes: how convlens starts Python in processes of their own, and how it ends them."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

PATIENCE = 10.0  # seconds in which a process may tidy up
# `python -m` and `python -c` would look for modules in the current folder first. A file of the
# user's there that is called random.py or keras.py would be run in the place of the module.
PYTHON = (sys.executable, "-P")


def own_command(module: str, *words: object) -> list[str]:
    """Return the command that runs a module of convlens with the Python of this process.

    Args:
        module: Such as "convlens", which is the command line.
        words: Its arguments.
    """
    return [*PYTHON, "-m", module, *map(str, words)]


def end(
    process: "subprocess.Popen[Any]", kind: int = signal.SIGTERM, patience: float = PATIENCE
) -> None:
    """End a process that leads a session of its own, and those that it has started.

    Args:
        process: The process.
        kind: The signal after which it may tidy up.
        patience: Seconds that it has for that; then it is killed, and has PATIENCE to end.
    """
    if sys.platform == "win32":  # which knows no sessions
        process.kill()
        process.wait()
        return
    for one, seconds in ((kind, patience), (signal.SIGKILL, PATIENCE)):
        # macOS refuses signals to a session whose processes have all ended.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, one)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
