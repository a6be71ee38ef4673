"""Found: processes that a studio which was killed has left, by what is written down of them."""

import os
import signal
from contextlib import suppress
from typing import Any

import psutil

from convlens.processes import PATIENCE

CLOSE = 5  # seconds; a process that began later than the one of that number is another one


def facts_of(pid: int) -> dict[str, Any]:
    """Return what is written down of a process, so that it is found again."""
    with suppress(psutil.Error):
        return {"pid": pid, "began": float(psutil.Process(pid).create_time())}
    return {"pid": pid, "began": 0.0}


def find(facts: dict[str, Any], *words: str) -> psutil.Process | None:
    """Return the process that is written down, or None if it has ended.

    Args:
        facts: What `facts_of` has returned.
        words: Words of its command, which a copy of the file with other paths does not have.
    """
    with suppress(psutil.Error, KeyError, TypeError, ValueError):
        process = psutil.Process(int(facts["pid"]))
        is_same = abs(process.create_time() - float(facts["began"])) < CLOSE
        has_words = set(words) <= set(process.cmdline())
        if is_same and has_words and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process goes on."""
    with suppress(psutil.Error):
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    return False


def end_found(process: psutil.Process) -> None:
    """End a process that leads a session of its own, and those that it has started."""
    if os.name != "posix":
        with suppress(psutil.Error):
            process.kill()
        return
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, kind)
        with suppress(psutil.Error):
            process.wait(PATIENCE)
