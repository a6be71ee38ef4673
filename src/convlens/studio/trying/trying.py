"""Trying: the classifiers that pages try, in processes that are started, watched and ended.

A run has one process for all pages. It begins when a page asks for the run, and ends some minutes
after the last question, or when another run needs its place.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.language import _, listed
from convlens.language_choice import language
from convlens.lock import is_locked
from convlens.run_folder import CLASSIFIER
from convlens.studio.listing import short_digest, time_of
from convlens.studio.problem import GONE, Problem
from convlens.studio.telling import Telling
from convlens.studio.worker import ENDED, ENDING, FAILED, Ended, Worker
from convlens.text import printable

MOST = 2  # runs that are tried at a time; with maps, each of them needs half a gigabyte
UNUSED = 5.0  # seconds after the last question, after which another run may take the place
IDLE = 300.0  # seconds after the last question, after which a process ends
LOOK = 5.0  # seconds between two looks whether they are over
NOTHING = "none"


@dataclass(eq=False)
class Tried:
    """A run that is tried.

    Attributes:
        worker: Its process.
        stamp: What changes with its classifier.
        used: When it was asked last.
        crashed: How often processes of this run have ended by themselves, in a row.
        is_over: Whether this one is among them.
    """

    worker: Worker
    stamp: str
    used: float
    crashed: int = 0
    is_over: bool = False

    def is_unused(self, seconds: float) -> bool:
        """Return whether nobody has asked for so long, and nobody waits for an answer."""
        return self.worker.is_idle and time.monotonic() - self.used > seconds


class Trying(Telling):
    """The classifiers that pages try.

    Attributes:
        told: A number that rises whenever a process begins, is ready, makes progress or ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._tried: dict[Path, Tried] = {}  # by the folder of the run
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None

    def open(self, folder: Path, *, again: bool = False, insist: bool = False) -> None:
        """Open the classifier of a run.

        Args:
            folder: The folder of the run.
            again: Whether it is opened anew if it is open already.
            insist: Whether it takes the place of another one if too many are tried.

        Raises:
            Problem: If too many others are tried, and nobody insists, or if the studio ends.
        """
        with self._lock:
            tried = self._tried.get(folder)
            if again or tried is None or not tried.worker.is_alive:
                tried = self._begin(folder, insist=insist)
            tried.crashed = 0

    def ask(self, folder: Path, asked: dict[str, Any], content: bytes) -> dict[str, Any]:
        """Return what the classifier of a run answers to a request.

        Args:
            folder: The folder of the run.
            asked: What is asked; see `answer_process`.
            content: The bytes of the image.

        Raises:
            Problem: If too many others are tried, the request is refused, or the process has ended.
        """
        for is_last in (False, True):
            with self._lock:
                tried = self._at_work(folder)
                worker = tried.worker
                stamp = tried.stamp
                tried.used = time.monotonic()
            try:
                found = worker.ask(asked, content)
                break
            except Ended as error:
                # Another run, or a newer classifier of this one, may have taken the place.
                if is_last or not worker.was_stopped:
                    raise self._ended(tried, worker) from error
        tried.crashed = 0
        tried.used = time.monotonic()
        return {**found, "stamp": stamp}

    def forget(self, word: str) -> None:
        """Let nobody answer the request with this word any more, unless that has begun already."""
        with self._lock:
            workers = [tried.worker for tried in self._tried.values()]
        for worker in workers:
            worker.tell({"do": "forget", "word": word})

    def status(self, folder: Path) -> dict[str, Any]:
        """Return how far the classifier of a run is."""
        with self._lock:
            tried = self._tried.get(folder)
            name = printable(folder.name)
            if tried is None:
                return {"state": NOTHING, "run": name}
            worker = tried.worker
            return {
                "run": name,
                "state": worker.state,
                "message": worker.failure.get(language(), ""),
                "progress": worker.progress,
                "stamp": tried.stamp,
                "is_newer": _stamp(folder) != tried.stamp,
                **worker.facts,
            }

    def close(self) -> None:
        """End all processes."""
        self._closed.set()
        with self._lock:
            for tried in self._tried.values():
                tried.worker.stop()
            self._tried.clear()

    def _at_work(self, folder: Path) -> Tried:
        """Return the process of a run, which begins if it does not run.

        Raises:
            Problem: If too many others are tried, the classifier cannot be opened, or the studio
                ends.
        """
        tried = self._tried.get(folder)
        if tried is None:
            return self._begin(folder)
        # While a training goes on, each of its best epochs is another classifier.
        if tried.stamp != _stamp(folder) and not is_locked(folder):
            return self._begin(folder)
        if tried.worker.state == FAILED:
            raise Problem(tried.worker.failure[language()], field="run")
        return tried if tried.worker.is_alive else self._begin(folder)

    def _begin(self, folder: Path, *, insist: bool = False) -> Tried:
        if self._closed.is_set():
            raise Problem(_(ENDING), ENDED)
        self._make_room(folder, insist)
        before = self._tried.get(folder)
        if before is not None:
            before.worker.stop()
        worker = Worker("convlens.studio.trying.answer_process", folder, self._tell)
        crashed = 0 if before is None else before.crashed
        tried = Tried(worker, _stamp(folder), time.monotonic(), crashed)
        self._tried[folder] = tried
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_when_idle, daemon=True)
            self._watch.start()
        self._tell()
        return tried

    def _make_room(self, folder: Path, insist: bool) -> None:
        """End the process that was used least recently if there are too many.

        Raises:
            Problem: If all are in use, unless somebody insists.
        """
        others = [
            (tried.used, other)
            for other, tried in self._tried.items()
            if other != folder and tried.worker.is_alive
        ]
        if len(others) < MOST:
            return
        _used, oldest = min(others)
        if not insist and not self._tried[oldest].is_unused(UNUSED):
            raise Problem(_full([other for _used, other in others]), GONE, "other")
        self._tried.pop(oldest).worker.stop()

    def _ended(self, tried: Tried, worker: Worker) -> Problem:
        """Return what is said of a process that has ended before it has answered."""
        if worker.state == FAILED:
            return Problem(worker.failure[language()], field="run")
        if worker.was_stopped:
            return Problem(_("another run was chosen meanwhile."), GONE, "other")
        with self._lock:  # several may have waited for it
            if not tried.is_over:
                tried.is_over = True
                tried.crashed += 1
        if tried.crashed > 1:
            said = _(
                "the process that answers has ended {times} times in a row; the memory of this "
                "computer may not be enough. Close other programs, or choose a smaller network."
            ).format(times=tried.crashed)
            return Problem(said, ENDED, "run")
        return Problem(
            _("the process that answers has ended by itself; it is started again."), ENDED
        )

    def _end_when_idle(self) -> None:
        while not self._closed.wait(LOOK):
            with self._lock:
                over = [one for one, tried in self._tried.items() if tried.is_unused(IDLE)]
                for folder in over:
                    self._tried.pop(folder).worker.stop()
                    self._tell()


def _full(folders: list[Path]) -> str:
    names = listed(sorted(printable(folder.name) for folder in folders))
    return _(
        "only {most} runs can be tried at a time, and other pages try these: {names}. This page "
        "goes on by itself as soon as one of them is not tried any more."
    ).format(names=names, most=MOST)


def _stamp(folder: Path) -> str:
    """Return what changes with the classifier of a run."""
    return short_digest(str(time_of(folder / CLASSIFIER)))
