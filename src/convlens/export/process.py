"""Process: programs of the proof, which run an exported network where nothing else is loaded."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ExportError
from convlens.language import _


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
            [sys.executable, "-c", program, *given, answers],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not answers.exists():
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise ExportError(
                _("the exported network cannot be run: {reason}. Nothing was exported.").format(
                    reason=lines[-1].rstrip(".") if lines else _("the program was stopped")
                )
            )
        with np.load(answers) as arrays:
            return dict(arrays)
