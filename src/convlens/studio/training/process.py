"""Process: `convlens train` as a process of its own, which outlives the studio.

It belongs to no terminal (`start_new_session`), so that Ctrl-C and a studio that is killed leave it
alone. A later studio knows it by its number and by when it began, since numbers are used again. On
Linux that is counted from the start of the system, since the clock of the wall may be set.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from convlens.classifier.kept import VARIABLE as KEEP
from convlens.language_choice import VARIABLE, language
from convlens.processes import own_command
from convlens.progress import VARIABLE as PROGRESS

BOOT = Path("/proc/sys/kernel/random/boot_id")


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
    # The classifier is tried next.
    more = {VARIABLE: language(), PROGRESS: str(progress), KEEP: "1", "PYTHONUNBUFFERED": "1"}
    with output.open("ab") as said, errors.open("wb") as wrong:
        return subprocess.Popen(
            own_command("convlens", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=wrong,
            env=os.environ | more,
            start_new_session=True,
        )


def mark_of(pid: int) -> str:
    """Return what tells a process from a later one of the same number; nothing if it has ended."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        if not BOOT.exists():
            return repr(process.create_time())
        # The name of the program, in parentheses, may have blanks. The 22nd field is the time.
        after_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
        return f"{BOOT.read_text().strip()} {after_name.split()[19]}"
    except (psutil.Error, OSError, OverflowError):
        return ""


def is_alive(pid: int, mark: str) -> bool:
    """Return whether the process of this mark goes on."""
    return pid > 0 and mark != "" and mark_of(pid) == mark


def find(progress: Path) -> int:
    """Return the number of the process that writes its progress to a file; 0 if there is none."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(PROGRESS) == str(progress):
                return int(process.pid)
    return 0


def interrupt(pid: int, mark: str) -> bool:
    """Do what Ctrl-C does to a training, which keeps what is done.

    Returns:
        Whether it was still there to hear it.
    """
    if not is_alive(pid, mark):
        return False
    try:
        if sys.platform == "win32":  # which knows no such signal between sessions
            psutil.Process(pid).terminate()
        else:
            os.kill(pid, signal.SIGINT)
    except (psutil.Error, OSError):
        return False
    return True
