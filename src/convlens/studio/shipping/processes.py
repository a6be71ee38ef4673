"""Processes: ending one with all that it has started."""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

import psutil

PATIENCE = 10.0  # seconds in which a process may tidy up


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process that leads a session of its own, and those that it has started."""
    if os.name != "posix":
        process.kill()
        process.wait()
        return
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)


def end_found(process: psutil.Process) -> None:
    """End a process that an earlier studio has started."""
    with suppress(psutil.Error):
        process.terminate()
        try:
            process.wait(PATIENCE)
        except psutil.TimeoutExpired:
            process.kill()
