"""Telling: pages are told of progress, also of that of a module in a process of its own.

Such a module prints a line of JSON for each piece of progress. Its process has a session of its
own, since Ctrl-C at the terminal is for the studio, and speaks the language of the request.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from convlens.language_choice import VARIABLE, language
from convlens.processes import own_command


class Telling:
    """What goes on in the background, and what pages are told of from whichever thread.

    Attributes:
        told: A number that rises with each piece of progress.
    """

    def __init__(self) -> None:
        self.told = 0
        self._telling = threading.Lock()

    def _tell(self) -> None:
        """Let pages look again. If two threads do so at once, both are counted."""
        with self._telling:
            self.told += 1


def start_telling(module: str, request: Path) -> subprocess.Popen[bytes]:
    """Start a module of convlens, and return its process.

    Args:
        module: Such as "convlens.studio.audit_process".
        request: The JSON file that says what it shall do.
    """
    return subprocess.Popen(
        own_command(module, request),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {VARIABLE: language()},
        start_new_session=True,
    )


def told_by(process: subprocess.Popen[bytes], field: str) -> Iterator[dict[str, Any]]:
    """Yield what a process tells until it ends; lines without the field are passed over."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            with suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict) and field in told:
                    yield told
