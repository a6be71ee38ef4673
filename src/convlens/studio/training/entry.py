"""Entry: a training of the queue, as `.studio/trainings.json` holds it."""

import re
import secrets
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from convlens.language import N_, _
from convlens.language_choice import TAGS, language, using
from convlens.lock import was_killed
from convlens.memory import why_killed
from convlens.studio.problem import Problem
from convlens.studio.training.ways import Choice
from convlens.text import printable

WAITING = "waiting"
RUNNING = "running"
FINISHED = "finished"
STOPPED = "stopped"
FAILED = "failed"
KILLED = "killed"
STATES = {
    WAITING: N_("waiting"),
    RUNNING: N_("in training"),
    FINISHED: N_("finished"),
    STOPPED: N_("stopped"),
    FAILED: N_("ended with an error"),
    KILLED: N_("ended before it was done"),
}
ENDED = (FINISHED, STOPPED, FAILED, KILLED)
CTRL_C = 130  # the exit code of a command that was stopped
IDENTIFIER = re.compile("[0-9a-f]{16}")
LARGE = 1e11  # seconds and numbers of processes are less
MARK = re.compile(r"^\S+  +")  # the word "error" in front of a message


@dataclass
class Entry:
    """A training that somebody has asked for.

    Attributes:
        run: The name of its folder under `runs/`.
        choice: What was chosen, see `Choice.of`; nothing for a run of the command line.
        asked: When it was asked for.
        id: What it is called in requests.
        state: One of `STATES`.
        resumes: Whether the next start goes on with the run.
        pid: The number of its process; 0 until that is known.
        mark: What tells its process from others of this number; see `process.mark_of`.
        began: When its process began, in seconds since 1970.
        ended: When its end was seen, likewise.
        message: Why it has failed.
        stopping: Whether it was told to stop.
        words: The words after `convlens` with which it was started first, to be shown.
        language: The language of the page that has asked for it, which it speaks.
        images: The digest of the images with which it was started first, see `stamp_of`.
    """

    run: str
    choice: dict[str, Any]
    asked: str = field(default_factory=lambda: datetime.now().astimezone().isoformat())
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: str = WAITING
    resumes: bool = False
    pid: int = 0
    mark: str = ""
    began: float = 0.0
    ended: float = 0.0
    message: str = ""
    stopping: bool = False
    words: list[str] = field(default_factory=list)
    language: str = field(default_factory=language)
    images: str = ""

    @classmethod
    def read(cls, content: dict[str, Any]) -> "Entry":
        """Return what `asdict` has made plain; fields of a later release are left out.

        A choice that this release does not know is left out, too: such a training can only be
        continued.

        Raises:
            TypeError: If a field is missing.
            ValueError: If a field is not what it must be.
        """
        known = {item.name for item in fields(cls)}
        one = cls(**{name: value for name, value in content.items() if name in known})
        if not one.is_sound():
            raise ValueError(one.run)
        try:
            one.choice = Choice.of(one.choice).to_dict()
        except Problem:
            one.choice = {}
        return one

    @property
    def is_pending(self) -> bool:
        """Whether it waits or goes on."""
        return self.state in (WAITING, RUNNING)

    def end(self, folder: Path, code: int | None, said: str) -> None:
        """Note that its process has ended.

        Args:
            folder: The folder of the run.
            code: Its exit code; None if a former studio has started it.
            said: What it has written to the standard error.
        """
        lines = [line for line in said.splitlines() if line.strip()]
        last = MARK.sub("", lines[-1].strip()) if lines else ""
        self.message = ""
        is_failed = bool(lines) and _is_error(lines[-1]) if code is None else code > 0
        is_stopped = code is None and bool(lines) and not is_failed and _has_ended(folder)
        if (folder / "report.json").exists():
            self.state = FINISHED
        elif code == CTRL_C or self.stopping or is_stopped:
            self.state = STOPPED
        elif is_failed:
            self.state = FAILED
            self.message = printable(last) or _(
                "it ended with the code {code}; the output says more."
            ).format(code=code)
        else:
            self.state = KILLED
            self.message = printable(why_killed(folder))
        self.stopping = False

    def is_sound(self) -> bool:
        """Return whether its run and its files lie in the workspace, and all fields can be used."""
        if not (isinstance(self.choice, dict) and isinstance(self.words, list)):
            return False
        texts = (self.run, self.asked, self.id, self.state, self.message, self.mark, self.images)
        if not all(isinstance(one, str) for one in (*texts, *self.words)):
            return False
        is_name = self.run == Path(self.run).name and not self.run.startswith(".")
        numbers = (self.pid, self.began, self.ended)
        return (
            is_name
            and self.run != ""
            and "\0" not in self.run
            and IDENTIFIER.fullmatch(self.id) is not None
            and self.state in STATES
            and self.language in TAGS
            and all(type(one) in (int, float) and 0 <= one < LARGE for one in numbers)
            and all(type(one) is bool for one in (self.resumes, self.stopping))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self)


def _is_error(line: str) -> bool:
    """Return whether a line is that of a command that has failed, in any language."""
    for name in TAGS:
        with using(name):
            if line.startswith(f"{_('error')} "):
                return True
    return False


def _has_ended(folder: Path) -> bool:
    """Return whether the process of a run has ended by itself, and was not killed."""
    return folder.is_dir() and not was_killed(folder)
