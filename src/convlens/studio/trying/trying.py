"""Trying: the classifier that pages try, in a process that is started, watched and ended.

One process answers for all pages, since an engine takes half a gigabyte. It begins when a page asks
for a run, and ends when another run is chosen, or some minutes after the last question.
"""

import threading
import time
from pathlib import Path
from typing import Any

from convlens.language import _, language
from convlens.lock import is_locked
from convlens.run_folder import CLASSIFIER
from convlens.studio.listing import short_digest, time_of
from convlens.studio.problem import GONE, Problem
from convlens.studio.trying.process import ENDED, FAILED, AnswerProcess, Ended
from convlens.text import printable

IDLE = 300.0  # seconds after the last question
LOOK = 5.0  # seconds between two looks whether they are over
NOTHING = "none"


class Trying:
    """The classifier that pages try.

    Attributes:
        told: A number that rises whenever its process begins, is ready, makes progress or ends.
    """

    def __init__(self) -> None:
        self.told = 0
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._stamp = ""
        self._process: AnswerProcess | None = None
        self._crashed = 0  # times in a row
        self._used = 0.0
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None

    def open(self, folder: Path, *, again: bool = False) -> None:
        """Open the classifier of a run, in place of any other one.

        Args:
            folder: The folder of the run.
            again: Whether it is opened anew if it is open already.
        """
        with self._lock:
            self._crashed = 0
            is_open = self._folder == folder and self._process and self._process.is_alive
            if again or not is_open:
                self._begin(folder)

    def ask(self, folder: Path, asked: dict[str, Any], content: bytes) -> dict[str, Any]:
        """Return what the classifier of a run answers to a request.

        Args:
            folder: The folder of the run.
            asked: What is asked; see `answer_process`.
            content: The bytes of the image.

        Raises:
            Problem: If another run is tried, the request is refused, or the process has ended.
        """
        for is_last in (False, True):
            with self._lock:
                process = self._at_work(folder)
                stamp = self._stamp
            self._used = time.monotonic()
            try:
                found = process.ask(asked, content)
                break
            except Ended as error:
                # Another question may have found a newer classifier of this run.
                is_renewed = self._folder == folder and process is not self._process
                if is_last or not is_renewed:
                    raise self._ended(process) from error
        self._crashed = 0
        self._used = time.monotonic()
        return {**found, "stamp": stamp}

    def status(self) -> dict[str, Any]:
        """Return which run is open, and how far it is."""
        with self._lock:
            process, folder = self._process, self._folder
            if process is None or folder is None:
                return {"state": NOTHING, "run": None}
            return {
                "run": printable(folder.name),
                "state": process.state,
                "message": process.failure.get(language(), ""),
                "progress": process.progress,
                "stamp": self._stamp,
                "is_newer": _stamp(folder) != self._stamp,
                **process.facts,
            }

    def close(self) -> None:
        """End the process."""
        self._closed.set()
        with self._lock:
            self._stop()

    def _at_work(self, folder: Path) -> AnswerProcess:
        """Return the process of a run, which begins if it does not run.

        Raises:
            Problem: If another run is tried, or if the classifier cannot be opened.
        """
        process = self._process
        if process is not None and self._folder != folder and process.is_alive:
            assert self._folder is not None
            raise Problem(
                _("another page tries the run {name} now.").format(
                    name=printable(self._folder.name)
                ),
                GONE,
                "other",
            )
        # While a training goes on, each of its best epochs is another classifier.
        is_old = self._stamp != _stamp(folder) and not is_locked(folder)
        is_same = process is not None and self._folder == folder
        if process is None or not is_same or is_old:
            return self._begin(folder)
        if process.state == FAILED:
            raise Problem(process.failure[language()], field="run")
        return process if process.is_alive else self._begin(folder)

    def _begin(self, folder: Path) -> AnswerProcess:
        self._stop()
        self._folder = folder
        self._stamp = _stamp(folder)
        self._used = time.monotonic()
        self._process = AnswerProcess(folder, self._tell)
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_when_idle, daemon=True)
            self._watch.start()
        self._tell()
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _tell(self) -> None:
        self.told += 1

    def _ended(self, process: AnswerProcess) -> Problem:
        """Return what is said of a process that has ended before it has answered."""
        if process is not self._process:
            return Problem(_("another run was chosen meanwhile."), GONE, "other")
        if process.state == FAILED:
            return Problem(process.failure[language()], field="run")
        self._crashed += 1
        if self._crashed > 1:
            said = _(
                "the process that answers has ended {times} times in a row; the memory of this "
                "computer may not be enough. See what `convlens predict` says."
            ).format(times=self._crashed)
            return Problem(said, ENDED, "run")
        return Problem(
            _("the process that answers has ended by itself; it is started again."), ENDED
        )

    def _end_when_idle(self) -> None:
        while not self._closed.wait(LOOK):
            with self._lock:
                process = self._process
                is_over = time.monotonic() - self._used > IDLE
                if process is not None and process.is_idle and is_over:
                    self._stop()
                    self._tell()


def _stamp(folder: Path) -> str:
    """Return what changes with the classifier of a run."""
    return short_digest(str(time_of(folder / CLASSIFIER)))
