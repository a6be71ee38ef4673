"""Looking: the studio's side of the process that looks into a network; see `look_process`.

The network has one set of weights at a time, so that one request is answered after the other. What
was computed is kept in the workspace: a slider that goes back asks for nothing.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convlens.files import write_atomically
from convlens.language import _
from convlens.language_choice import language
from convlens.run_folder import CLASSIFIER
from convlens.studio.listing import short_digest, time_of
from convlens.studio.microscope.pictures import Pictures
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, Problem
from convlens.studio.run_list import STATES_INDEX
from convlens.studio.telling import Telling
from convlens.studio.worker import ENDED, ENDING, Ended, Worker
from convlens.text import printable

IDLE = 300.0  # seconds after the last request, after which the process ends
MOST_KEPT = 300  # pages, and answers, in the workspace; the oldest go
MOST_BYTES = 300_000_000  # of the pages, and of the answers

Content = dict[str, Any]


class Looking(Telling):
    """The process that looks into the network of a run, and what it has found.

    Attributes:
        told: A number that rises with each piece of progress.
        pictures: The images under the microscope.
    """

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._folder = places.hidden / "microscope"
        self.pictures = Pictures(self._folder / "images")
        self._asking = threading.Lock()  # held while a request is answered
        self._worker: Worker | None = None
        self._run = ("", "")  # the folder and the stamp of what it has opened
        self._asked: Content | None = None  # what is being computed
        self._timer: threading.Timer | None = None
        self._closed = False
        self._permit = object()  # another one after each stop

    def status(self) -> Content:
        """Return what is being computed, and how far it is."""
        asked, worker = self._asked, self._worker
        if asked is None:
            return {"state": "idle"}
        progress = None if worker is None else worker.progress
        return {"state": "running", **asked, **(progress or {"stage": "starting"})}

    def page(self, run: Path, image: object) -> Content:
        """Return the page of the product's microscope for a run and an image.

        Raises:
            Problem: If the image is not there, or if the network cannot be opened.
        """
        picture = self.pictures.find(image)
        key = short_digest(f"page {run.name} {_stamp(run)} {picture.name}")
        path = self._folder / "pages" / f"{key}.html"
        if not path.exists():
            asked = {"do": "page", "image": str(picture), "out": str(path)}
            name = self.pictures.name_of(picture)
            with self._turn() as permit:
                if not path.exists():  # another tab may have asked for the same meanwhile
                    self._ask(run, {**asked, "name": name}, permit)
                    _forget_oldest(path.parent)
        return {"page": key}

    def page_file(self, key: str) -> Path:
        """Return the file of a page.

        Raises:
            Problem: If there is none.
        """
        path = self._folder / "pages" / f"{key}.html"
        if not key.isalnum() or not path.is_file():
            raise Problem(_("there is nothing at this path; / is the page."), 404)
        return path

    def time(self, run: Path, image: object, asked: Content) -> Content:
        """Return what the states of a training say of an image.

        Raises:
            Problem: If the run has kept no states, or if what is asked for is not there.
        """
        picture = self.pictures.find(image)
        what = json.dumps(asked, sort_keys=True)
        key = short_digest(f"{run.name} {_stamp(run)} {picture.name} {language()} {what}")
        path = self._folder / "answers" / f"{key}.json"
        found = _kept(path)
        if found is None:
            with self._turn() as permit:
                found = _kept(path)  # another tab may have asked for the same meanwhile
                if found is None:
                    found = self._ask(run, {**asked, "image": str(picture)}, permit)
                    write_atomically(path, json.dumps(found), _("the answer"))
                    _forget_oldest(path.parent)
        return found

    def stop(self) -> None:
        """End what goes on, and what waits for its turn; who waits for an answer is told."""
        self._permit = object()
        self._end()

    def _end(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()

    def close(self) -> None:
        """End the process together with the studio; none begins any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.stop()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[object]:
        """Wait for the turn of a request; yield its permit, which is another one after a stop.

        Raises:
            Problem: If it was stopped while it waited.
        """
        permit = self._permit
        with self._asking:
            if permit is not self._permit:
                raise _stopped()
            yield permit

    def _ask(self, run: Path, asked: Content, permit: object) -> Content:
        """Return the answer of the process to a request, whose turn it is; see `_turn`."""
        self._asked = {"run": printable(run.name), "since": time.time()}
        self._tell()
        try:
            worker = self._at_work(run)
            if permit is not self._permit:  # while it began
                worker.stop()
            return worker.ask(asked)
        except Ended as error:
            if worker.was_stopped:
                raise _stopped() from error
            raise Problem(
                _(
                    "the process that looks into the network has ended by itself; the memory "
                    "of this computer may not be enough. Close other programs, and look again."
                ),
                ENDED,
            ) from error
        finally:
            self._asked = None
            self._tell()
            self._end_later()

    def _at_work(self, run: Path) -> Worker:
        """Return the process of a run, which begins if another one or none is there.

        Raises:
            Problem: If the studio ends.
        """
        if self._closed:
            raise Problem(_(ENDING), ENDED)
        if self._timer is not None:
            self._timer.cancel()
        opened = (str(run), _stamp(run))
        worker = self._worker
        if worker is None or not worker.is_alive or self._run != opened:
            self._end()
            worker = Worker("convlens.studio.microscope.look_process", run, self._tell)
            self._worker = worker
            self._run = opened
        return worker

    def _end_later(self) -> None:
        self._timer = threading.Timer(IDLE, self._end_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _end_if_idle(self) -> None:
        if self._asking.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._asking.release()


def _stopped() -> Problem:
    return Problem(_("this was stopped."), GONE)


def _stamp(run: Path) -> str:
    """Return what changes with the classifier of a run and with its states."""
    return f"{time_of(run / CLASSIFIER)} {time_of(run / STATES_INDEX)}"


def _kept(path: Path) -> Content | None:
    """Return an answer that was kept; None if there is none."""
    with contextlib.suppress(OSError, ValueError):
        kept: Content = json.loads(path.read_text(encoding="utf-8"))
        return kept
    return None


def _forget_oldest(folder: Path) -> None:
    """Remove the oldest files; the newest one always stays."""
    newest = sorted(folder.iterdir(), key=time_of, reverse=True)
    size = 0
    for place, path in enumerate(newest):
        with contextlib.suppress(FileNotFoundError):  # another request may remove it
            size += path.stat().st_size
        if place >= MOST_KEPT or (place and size > MOST_BYTES):
            path.unlink(missing_ok=True)
