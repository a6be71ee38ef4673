"""Process: programs in processes of their own, such as those of the proof, and how they fail."""

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ExportError
from convlens.language import _
from convlens.processes import PYTHON


def run_program(program: str, *given: Path | str) -> dict[str, NDArray[Any]]:
    """Run a program in a new process and return the arrays that it has written.

    Args:
        program: The program.
        given: Its arguments. The file that it has to write with `np.savez` follows them.

    Raises:
        ExportError: If it fails.
    """
    with tempfile.TemporaryDirectory() as place:
        answers = Path(place) / "found.npz"
        done = subprocess.run(
            [*PYTHON, "-c", program, *given, answers],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not answers.exists():
            raise ExportError(
                _("the exported network cannot be run: {reason}. Nothing was exported.").format(
                    reason=reason_of(done)
                )
            )
        with np.load(answers) as arrays:
            return dict(arrays)


def reason_of(done: "subprocess.CompletedProcess[str]", told: str = "", smaller: str = "") -> str:
    """Return why a program has failed, without the full stop.

    What a program printed before a signal stopped it has nothing to do with the reason.

    Args:
        done: The program that has ended.
        told: The line of its errors that tells the reason, if it is not the last one.
        smaller: What takes less memory, such as "--to openvino", or nothing.
    """
    if done.returncode >= 0:
        return told or last_line(done.stderr) or _("the program was stopped")
    reason: str = _(
        "the program was stopped by signal {number}, which mostly means that the memory did not "
        "suffice. Close other programs"
    )
    if smaller:
        reason = _(
            "the program was stopped by signal {number}, which mostly means that the memory did "
            "not suffice. Close other programs, or choose {smaller}, which takes less"
        )
    return reason.format(number=-done.returncode, smaller=smaller)


def last_line(errors: str) -> str:
    """Return the last line of what a program has written, which names the reason as a rule."""
    lines = [line.strip().rstrip(".") for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def check_room(folder: Path, network: Path) -> None:
    """Check whether a program that has failed had room for its network.

    Not every program says so when the disk is full.

    Args:
        folder: The folder into which it wrote.
        network: A file of about the same size.

    Raises:
        OSError: If the disk is full.
    """
    if shutil.disk_usage(folder).free < network.stat().st_size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
