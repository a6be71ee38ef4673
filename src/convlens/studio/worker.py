"""Worker: the studio's side of a process that has opened a run and answers; see `working`."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from convlens.language import N_, _
from convlens.language_choice import VARIABLE, language
from convlens.processes import end, own_command
from convlens.studio.problem import Problem

PATIENCE = 3.0  # seconds in which the process may end
MOST_WAITING = 8  # requests of all pages; each page waits for its answer before it asks again
BUSY = 429
ENDED = 503
ENDING = N_("the studio is being ended. Start it again with `convlens studio`, and ask again.")

LOADING = "loading"
READY = "ready"
FAILED = "failed"
GONE = "ended"


class Worker:
    """A process that has opened a run, or does so.

    Attributes:
        state: "loading", "ready", "failed" (the run cannot be opened) or "ended".
        facts: What it has told of the run.
        failure: Why the run cannot be opened, by language.
        progress: How far the work of a request is: stage, done and total; None if nothing is told.
        was_stopped: Whether the studio has ended it.

    Args:
        module: The module that the process runs.
        folder: The folder of the run.
        tell: Called at each piece of progress.
    """

    def __init__(self, module: str, folder: Path, tell: Callable[[], None]) -> None:
        self.state = LOADING
        self.facts: dict[str, Any] = {}
        self.failure: dict[str, str] = {}
        self.progress: dict[str, Any] | None = None
        self.was_stopped = False
        self._tell = tell
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()  # of what waits
        self._writing = threading.Lock()
        self._process = subprocess.Popen(
            own_command(module, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {VARIABLE: language()},
            start_new_session=True,  # Ctrl-C is for the studio
        )
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def number(self) -> int:
        """The number of the process in the system."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self.state in (LOADING, READY)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return not self._waiting

    def ask(self, asked: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        """Return the answer to a request, as soon as the run is open.

        Args:
            asked: What is asked, with the word `do`.
            content: The bytes of an image that belongs to it.

        Raises:
            Problem: If it is refused, or if too many wait.
            Ended: If the process ends meanwhile.
        """
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise Problem(_("too many images wait for an answer; try again soon."), BUSY)
            number = next(self._numbers)
            self._waiting[number] = future
        if not self.is_alive:
            self._end_all()
        self._write({**asked, "number": number}, content)
        return future.result()

    def tell(self, said: dict[str, Any]) -> None:
        """Tell the process something that it does not answer, with the word `do`."""
        self._write(said, b"")

    def _write(self, said: dict[str, Any], content: bytes) -> None:
        head = {**said, "language": language(), "bytes": len(content)}
        # A process that has ended hears nothing; whoever follows it says so.
        with contextlib.suppress(OSError, ValueError), self._writing:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(head).encode() + b"\n" + content)
            self._process.stdin.flush()

    def stop(self) -> None:
        """End the process; those who wait are told."""
        self.was_stopped = True
        end(self._process, patience=PATIENCE)

    def _follow(self) -> None:
        """Read what the process tells until it ends."""
        assert self._process.stdout is not None
        try:
            with self._process.stdout as lines:
                for line in lines:
                    if line.endswith(b"\n"):  # or else it was killed in the middle of it
                        self._hear(json.loads(line))
        finally:
            end(self._process, patience=PATIENCE)
            if self.state != FAILED:
                self.state = GONE
            self._end_all()
            self._tell()

    def _hear(self, said: dict[str, Any]) -> None:
        if "ready" in said:
            self.facts = said["ready"]
            self.state = READY
        elif "failed" in said:
            self.failure = said["failed"]
            self.state = FAILED
        elif "stage" in said:
            self.progress = {name: said[name] for name in ("stage", "done", "total")}
        else:
            self._finish(said)
            return
        self._tell()

    def _finish(self, said: dict[str, Any]) -> None:
        with self._lock:
            future = self._waiting.pop(said["number"])
        if self.progress is not None and not self._waiting:
            self.progress = None
            self._tell()
        if "answer" in said:
            future.set_result(said["answer"])
        elif "refused" in said:
            future.set_exception(Problem(said["refused"]))
        else:
            print(said["fault"], file=sys.stderr)  # noqa: T201 - for the terminal, as of the studio
            future.set_exception(
                Problem(_("the studio has made a mistake; the terminal says which."), 500)
            )

    def _end_all(self) -> None:
        """Tell those who wait that no answer comes."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        self.progress = None
        for future in waiting.values():
            future.set_exception(Ended())


class Ended(Exception):  # noqa: N818 - of no user
    """The process has ended before it has answered."""
