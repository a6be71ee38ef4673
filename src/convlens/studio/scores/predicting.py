"""Predicting: predictions.csv of an older run is written in the background."""

import contextlib
import json
import subprocess
import threading
from pathlib import Path
from typing import Any

from convlens.files import write_atomically
from convlens.language import N_, _, again
from convlens.processes import end
from convlens.studio.problem import GONE, Problem
from convlens.studio.telling import Telling, start_telling, told_by

PATIENCE = 5.0  # seconds in which the process may end
ENDED = N_("the predictions ended before they were done; begin them again.")


class Predicting(Telling):
    """The process that writes predictions of a run.

    Attributes:
        told: A number that rises with each piece of progress.
    """

    def __init__(self, hidden: Path) -> None:
        super().__init__()
        self._request = hidden / "predict_request.json"
        self._failure = hidden / "predict_failure.txt"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._run = ""
        self._progress: dict[str, Any] = {}
        self._failures: dict[str, str] = {}

    def start(self, folder: Path, source: str) -> None:
        """Begin to predict the test images of a run.

        Args:
            folder: The folder of the run.
            source: Where its images lie now.

        Raises:
            Problem: If another run is under way.
        """
        with self._lock:
            if self._is_running():
                raise Problem(
                    _("the predictions of {run} are under way; wait until they are done.").format(
                        run=self._run
                    ),
                    GONE,
                )
            self._run = folder.name
            self._failures.pop(folder.name, None)
            self._failure.unlink(missing_ok=True)
            self._progress = {"stage_text": "", "done": 0, "total": 0}
            asked = {"run": str(folder), "source": source, "failure": str(self._failure)}
            write_atomically(self._request, json.dumps(asked), _("the request"))
            module = "convlens.studio.scores.predict_process"
            self._process = start_telling(module, self._request)
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
            self._tell()

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Read what the process tells until it ends."""
        for told in told_by(process, "stage_text"):
            if process is self._process:  # and not one that was stopped
                self._progress = told
                self._tell()
        code = process.wait()
        with self._lock:  # or another one could begin between the question and the answer
            if process is self._process:
                self._note_failure(code)
        self._tell()

    def _note_failure(self, code: int) -> None:
        """Note why the predictions have failed, if they have."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            self._failures[self._run] = self._failure.read_text(encoding="utf-8")
        if code != 0:  # a signal, as from a system without memory, is a code below 0
            self._failures[self._run] = ENDED

    def _is_running(self) -> bool:
        process = self._process  # which another thread may end meanwhile
        return process is not None and process.poll() is None

    def status(self, name: str) -> dict[str, Any]:
        """Return how far the predictions of a run are; nothing if nobody has asked for them."""
        if self._run == name and self._is_running():
            return {"state": "running", **self._progress}
        if name in self._failures:
            said = self._failures[name]
            return {"state": "failed", "message": _(said) if said == ENDED else str(again(said))}
        return {}

    def stop(self) -> None:
        """Stop the process, if there is one."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        self._process = None  # so that its end is no failure
        end(process, patience=PATIENCE)
        self._tell()
