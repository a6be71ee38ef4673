"""Queue: the trainings of a workspace, one at a time, in a file that outlives the studio.

A thread looks twice a second whether the training has ended, and starts the next one. Whatever the
studio is asked for is on the disk before it answers. A studio that starts finds a training that
goes on by the number of its process and the time at which that began.

The file says what was chosen. The command is made of it when the training starts, so that a file
which somebody else has written makes nothing start but a training of these images.
"""

import json
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from convlens.errors import ConvlensError
from convlens.files import numbered, write_atomically
from convlens.folders import make_folder
from convlens.language import _
from convlens.lock import is_locked
from convlens.run_folder import LIVE, is_begun, is_claimed
from convlens.studio.listing import time_of
from convlens.studio.problem import GONE, Problem
from convlens.studio.training import entry as states
from convlens.studio.training.entry import Entry
from convlens.studio.training.files import Logs, read_entries, text_of
from convlens.studio.training.process import began_at, interrupt, is_alive, start
from convlens.studio.training.ways import Choice, Images
from convlens.studio.workspace import Workspace
from convlens.text import printable

LOOK_AGAIN = 0.5  # seconds
MOST = 200  # trainings that are remembered


class Queue:
    """The trainings of a workspace, whose lock it shares.

    Attributes:
        told: A number that rises with each piece of progress.
        entries: All trainings that were asked for; those that wait are in their order.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.told = 0
        self._workspace = workspace
        self._places = workspace.places
        self._file = self._places.hidden / "trainings.json"
        self._lock = workspace.lock
        self._process: Popen[bytes] | None = None
        self._seen: object = None
        self._ended = threading.Event()
        self.entries = read_entries(self._file)
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Begin to watch the trainings, and to start those that wait."""
        self._thread.start()

    def close(self) -> None:
        """Watch no longer. A training goes on."""
        self._ended.set()

    def add(self, choice: Choice) -> Entry:
        """Let a training wait for its turn, and start it if nothing else is trained.

        Raises:
            StorageError: If the queue cannot be written.
        """
        with self._lock:
            folder = self._free_folder(choice)
            entry = Entry(folder.name, choice.to_dict())
            self._change([*self.entries, entry])
            self.look()
            return entry

    def find(self, identifier: object) -> Entry:
        """Return a training.

        Raises:
            Problem: If there is none of this name.
        """
        for one in self.entries:
            if one.id == identifier:
                return one
        raise Problem(_("this training is not in the list any more."), 404, "id")

    def of_run(self, name: str) -> Entry | None:
        """Return the training of a run, if the studio has begun it."""
        return next((one for one in self.entries if one.run == name), None)

    @property
    def running(self) -> Entry | None:
        """The training that goes on, if there is one."""
        return next((one for one in self.entries if one.state == states.RUNNING), None)

    def stop(self, identifier: object) -> None:
        """Stop a training as Ctrl-C does. What is done is kept.

        Raises:
            Problem: If it does not go on.
        """
        with self._lock:
            one = self.find(identifier)
            if one.state != states.RUNNING:
                raise Problem(_("this training does not go on now."), GONE, "id")
            one.stopping = True
            self._change(self.entries)
            interrupt(one.pid, one.began)

    def go_on(self, identifier: object) -> None:
        """Let a training that was stopped or killed, or has failed, wait for its turn again.

        Raises:
            Problem: If it is not one of these.
        """
        with self._lock:
            one = self.find(identifier)
            if one.state not in (states.STOPPED, states.KILLED, states.FAILED):
                raise Problem(_("this training waits, goes on, or is finished."), GONE, "id")
            self._again(one)

    def go_on_with(self, folder: Path) -> None:
        """Continue a run that was begun at the command line.

        Raises:
            Problem: If somebody works on it.
        """
        with self._lock:
            if is_locked(folder):
                raise Problem(_("this training waits, goes on, or is finished."), GONE, "run")
            one = self.of_run(folder.name)
            if one is None:
                one = Entry(folder.name, {})
                self.entries.append(one)
            if one.state in (states.WAITING, states.RUNNING) and one.resumes:
                raise Problem(_("this training waits, goes on, or is finished."), GONE, "run")
            self._again(one)

    def _again(self, one: Entry) -> None:
        one.state = states.WAITING
        one.resumes = True
        one.message = ""
        self._change([*(other for other in self.entries if other is not one), one])
        self.look()

    def move(self, identifier: object, step: int) -> None:
        """Let a training that waits come earlier (-1) or later (1).

        Raises:
            Problem: If it does not wait.
        """
        with self._lock:
            one = self._waiting(identifier)
            waiting = [other for other in self.entries if other.state == states.WAITING]
            place = waiting.index(one)
            other = max(0, min(len(waiting) - 1, place + step))
            waiting.insert(other, waiting.pop(place))
            rest = [other for other in self.entries if other.state != states.WAITING]
            self._change([*rest, *waiting])

    def remove(self, identifier: object) -> None:
        """Take a training out of the list. Its run, if it has one, stays.

        Raises:
            Problem: If it goes on.
        """
        with self._lock:
            one = self.find(identifier)
            if one.state == states.RUNNING:
                raise Problem(_("this training goes on; stop it first."), GONE, "id")
            self._change([other for other in self.entries if other is not one])

    def _waiting(self, identifier: object) -> Entry:
        one = self.find(identifier)
        if one.state != states.WAITING:
            raise Problem(_("this training does not wait any more."), GONE, "id")
        return one

    def words(self, one: Entry) -> list[str]:
        """Return the words after `convlens` with which a training starts next.

        Raises:
            Problem: If nobody knows what was chosen.
        """
        folder = self._places.runs / one.run
        if one.resumes and is_begun(folder):
            return ["train", "--run", str(folder), "--resume"]
        if not one.choice:
            gone = _("the workspace has no run {name!r}.").format(name=printable(one.run))
            raise Problem(gone, GONE, "run")
        return self._words(folder, Choice.of(one.choice))

    def planned_words(self, choice: Choice) -> list[str]:
        """Return the words after `convlens` of a training that nobody has asked for yet."""
        return self._words(self._free_folder(choice), choice)

    def _words(self, folder: Path, choice: Choice) -> list[str]:
        images = Images.of(self._workspace)
        return ["train", *images.words, "--run", str(folder), *choice.words]

    def _free_folder(self, choice: Choice) -> Path:
        taken = {one.run for one in self.entries}
        return next(
            one
            for one in numbered(self._places.runs / choice.name)
            if one.name not in taken and not one.exists()
        )

    def folder(self, one: Entry) -> Path:
        """Return the folder of the run of a training."""
        return self._places.runs / one.run

    def logs(self, one: Entry) -> Logs:
        """Return the files that a training writes for the studio."""
        folder = self._places.hidden / "logs"
        return Logs(*(folder / f"{one.id}.{kind}" for kind in ("txt", "errors", "progress")))

    def busy_with(self) -> str:
        """Return the run that somebody else trains in this workspace, or nothing."""
        known = {one.run for one in self.entries if one.state == states.RUNNING}
        with suppress(OSError):
            for folder in self._places.runs.iterdir():
                if folder.name not in known and not folder.is_symlink() and is_locked(folder):
                    return folder.name
        return ""

    def look(self) -> None:
        """Note what has ended, and start what is next."""
        with self._lock:
            one = self.running
            if one is not None:
                self._watch(one)
            waiting = next((one for one in self.entries if one.state == states.WAITING), None)
            if self.running is None and waiting is not None and not self.busy_with():
                self._begin(waiting)

    def _watch(self, one: Entry) -> None:
        code = None if self._process is None else self._process.poll()
        if self._process is not None and code is None:
            is_over = False
        else:
            is_over = self._process is not None or not is_alive(one.pid, one.began)
        folder = self._places.runs / one.run
        logs = self.logs(one)
        if is_over:
            self._process = None
            one.ended = time.time()
            one.end(folder, code, text_of(logs.errors))
            self._change(self.entries)
            return
        seen = [time_of(path) for path in (logs.progress, logs.output, folder / LIVE)]
        if seen != self._seen:
            self._seen = seen
            self.told += 1

    def _begin(self, one: Entry) -> None:
        folder = self._places.runs / one.run
        logs = self.logs(one)
        one.ended = 0.0
        one.stopping = False
        try:
            make_folder(logs.output.parent)
            if is_claimed(folder) and not is_locked(folder):
                shutil.rmtree(folder)  # killed before anything was trained
            words = self.words(one)
            self._process = start(words, logs.output, logs.errors, logs.progress)
        except (OSError, ConvlensError) as error:
            one.state = states.FAILED
            one.message = str(error)
        else:
            one.state = states.RUNNING
            one.pid = self._process.pid
            one.began = began_at(one.pid)
        self._change(self.entries)

    def _change(self, entries: list[Entry]) -> None:
        ended = [one for one in entries if one.state in states.ENDED]
        forgotten = ended[: max(0, len(ended) - MOST)]
        kept = [one for one in entries if one not in forgotten]
        content = {"format": 1, "trainings": [one.to_dict() for one in kept]}
        write_atomically(self._file, json.dumps(content, ensure_ascii=False), _("the queue"))
        self.entries = kept
        self.told += 1

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_AGAIN):
            with suppress(ConvlensError):  # a full disk; it is tried again
                self.look()
