"""Recorder: runs jobs whose calls that change files are recorded, fail, or are cut short by a kill.

The calls are recorded from outside by a library that is preloaded (recorder.c), so that what other
libraries write is seen, too.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crashes.disk import Recording, read_calls, read_folder, read_inodes

SOURCE = Path(__file__).with_name("recorder.c")


@dataclass(frozen=True)
class Done:
    """How a job ended.

    Attributes:
        code: Its exit code; the negative number of the signal if it was killed.
        output: What it has printed.
    """

    code: int
    output: str


class Recorder:
    """A server for jobs of `tests.crashes.jobs`, with the recorder preloaded.

    Args:
        place: A folder for the library, the logs and the output.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        library = place / "recorder.so"
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"recorder.c cannot be compiled: {done.stderr.strip()[:200]}")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"LD_PRELOAD": str(library)},
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "ready\n"

    def close(self) -> None:
        """End the server."""
        self._server.communicate()

    def run(
        self,
        name: str,
        *arguments: object,
        kill_after: float | None = None,
        environment: dict[str, str] | None = None,
    ) -> Done:
        """Run a job.

        Args:
            name: The name of the function.
            *arguments: Its arguments.
            kill_after: The seconds after which it is killed.
            environment: Variables of the environment.
        """
        output = self.place / "output.txt"
        job = {
            "name": name,
            "arguments": [str(one) for one in arguments],
            "kill_after": kill_after,
            "output": str(output),
            "environment": {"RECORDER_ROOT": ""} | (environment or {}),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return Done(code, output.read_text(encoding="utf-8"))

    def record(self, folder: Path, name: str, *arguments: object) -> Recording:
        """Run a job, and return the calls with which it changes a folder.

        The calls, repeated, give what is on the disk afterwards: none was missed.
        """
        log = self.place / "calls.log"
        log.unlink(missing_ok=True)
        folder = folder.resolve()
        before = read_folder(folder)
        inodes = read_inodes(folder)
        watched = {"RECORDER_ROOT": str(folder), "RECORDER_LOG": str(log)}
        done = self.run(name, *arguments, environment=watched)
        assert done.code == 0, done.output
        return Recording(before, inodes, read_calls(log, folder))

    def fail(self, folder: Path, number: int, error: int, name: str, *arguments: object) -> Done:
        """Run a job while a call that changes a folder fails.

        Args:
            folder: The folder.
            number: The number of the call.
            error: Its error. A disk that is full stays so.
            name: The name of the function.
            *arguments: Its arguments.
        """
        watched = {
            "RECORDER_ROOT": str(folder.resolve()),
            "RECORDER_LOG": os.devnull,
            "RECORDER_FAIL": str(number),
            "RECORDER_ERRNO": str(error),
        }
        return self.run(name, *arguments, environment=watched)


def reason_to_skip() -> str:
    """Return why nothing can be recorded here, or ""."""
    if not sys.platform.startswith("linux"):
        return "calls are recorded with LD_PRELOAD on Linux"
    return "" if shutil.which("cc") else "there is no compiler of C (cc)"


ERRORS = {"full": errno.ENOSPC, "broken": errno.EIO}
