"""Queue: the trainings of a workspace, one at a time, in a file that outlives the studio.

A thread looks twice a second whether the training has ended, and starts the next one. Whatever the
studio is asked for is on the disk before it answers. A studio that starts finds a training that
goes on by the number of its process and the time at which that began.
"""

import shutil
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from convlens.errors import ConvlensError
from convlens.folders import make_folder
from convlens.language import N_, _
from convlens.language_choice import using
from convlens.lock import is_locked
from convlens.run_folder import LIVE, is_begun, is_claimed
from convlens.studio.auditing import stamp_of
from convlens.studio.listing import time_of
from convlens.studio.problem import GONE, Problem
from convlens.studio.training import entry as states
from convlens.studio.training.entry import Entry
from convlens.studio.training.files import text_of
from convlens.studio.training.process import find, interrupt, is_alive, mark_of, start
from convlens.studio.training.training_list import TrainingList
from convlens.studio.training.ways import Choice
from convlens.studio.workspace import Workspace

LOOK_AGAIN = 0.5  # seconds
ALIKE = N_(
    "the same training of the same images waits already, or goes on. One that waits reads the "
    "images when it starts, as they are then. Wait until it ends, or choose other settings."
)


class Queue(TrainingList):
    """The trainings of a workspace, whose lock it shares."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._lock = workspace.lock
        self._process: Popen[bytes] | None = None
        self._seen: object = None
        self._ended = threading.Event()
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
            Problem: If the same training of the same images waits or goes on already.
            StorageError: If the queue cannot be written.
        """
        with self._lock:
            folder = self._free_folder(choice)
            entry = Entry(folder.name, choice.to_dict())
            pending = [one for one in self.entries if one.is_pending]
            if any(one.choice == entry.choice and self._has_these_images(one) for one in pending):
                raise Problem(_(ALIKE), GONE, "way")
            self._change([*self.entries, entry])
            self.look()
            return entry

    def _has_these_images(self, one: Entry) -> bool:
        """Return whether a training has, or will have, the images of the workspace as they are."""
        is_first_start = not self._goes_on_with_its_run(one)
        if one.state == states.WAITING and is_first_start:
            return True
        return one.images == stamp_of(self.workspace)

    def stop(self, identifier: object) -> None:
        """Stop a training as Ctrl-C does. What is done is kept.

        Raises:
            Problem: If it does not go on.
        """
        with self._lock:
            one = self.find(identifier)
            if one.state != states.RUNNING:
                raise Problem(_("this training does not go on now."), GONE, "id")
            if one.stopping:  # a second Ctrl-C would not wait until the state is saved
                return
            if not interrupt(one.pid, one.mark):
                self.look()
                raise Problem(_("this training does not go on now."), GONE, "id")
            one.stopping = True
            self._change(self.entries)

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
            Problem: If somebody works on it, or if it cannot be continued.
        """
        with self._lock:
            one = self.of_run(folder.name) or Entry(folder.name, {})
            is_queued = one.is_pending and one in self.entries
            if is_queued or is_locked(folder) or not is_begun(folder):
                raise Problem(_("this training waits, goes on, or is finished."), GONE, "run")
            self._again(one)

    def _again(self, one: Entry) -> None:
        if (self.folder(one) / "report.json").exists():
            raise Problem(_("this training waits, goes on, or is finished."), GONE, "run")
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

    def busy_with(self) -> str:
        """Return the run that somebody else trains in this workspace, or nothing."""
        known = {one.run for one in self.entries if one.state == states.RUNNING}
        with suppress(OSError):
            for folder in self._places.runs.iterdir():
                if folder.name in known or folder.is_symlink():
                    continue
                # A finished run is locked while its images are predicted, or while it is exported.
                if is_locked(folder) and not (folder / "report.json").exists():
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
        if one.pid == 0 and not self._found_again(one):
            return
        code = None if self._process is None else self._process.poll()
        if self._process is not None and code is None:
            is_over = False
        else:
            is_over = self._process is not None or not is_alive(one.pid, one.mark)
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
            self._tell()

    def _found_again(self, one: Entry) -> bool:
        """Return whether a training runs, or has run, that a studio began when it was killed."""
        one.pid = find(self.logs(one).progress)
        one.mark = mark_of(one.pid)
        if one.pid == 0 and not self.folder(one).exists():
            one.state = states.WAITING
        self._change(self.entries)
        return one.state == states.RUNNING

    def _note_begin(self, one: Entry) -> None:
        """Write that a training begins, so that a studio that is killed now finds its process."""
        one.state = states.RUNNING
        one.pid = 0
        one.mark = ""
        one.began = time.time()
        one.ended = 0.0
        one.stopping = False
        if not self._goes_on_with_its_run(one):
            one.images = stamp_of(self.workspace)
        try:
            self._change(self.entries)
        except ConvlensError:
            one.state = states.WAITING
            raise

    def _begin(self, one: Entry) -> None:
        self._note_begin(one)
        folder = self._places.runs / one.run
        logs = self.logs(one)
        try:
            make_folder(logs.output.parent)
            if one.resumes and one.choice and is_claimed(folder) and not is_locked(folder):
                shutil.rmtree(folder)  # killed before anything was trained
            words = self.words(one)
            if not one.resumes:
                one.words = words
            with using(one.language):  # whichever thread starts it
                self._process = start(words, logs.output, logs.errors, logs.progress)
        except (OSError, ConvlensError) as error:
            one.state = states.FAILED
            one.message = str(error)
        else:
            one.pid = self._process.pid
            one.mark = mark_of(one.pid)
        self._change(self.entries)

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_AGAIN):
            try:
                self.look()
            except ConvlensError:
                continue  # a full disk; it is tried again
            except Exception:  # the queue goes on whatever is wrong with one training
                traceback.print_exc()
