"""Entry: a training of the queue, as `.studio/trainings.json` holds it."""

import re
import secrets
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from convlens.language import N_, _
from convlens.memory import why_killed
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
        pid: The number of its process.
        began: When its process began, in seconds since 1970.
        ended: When its end was seen, likewise.
        message: Why it has failed.
        stopping: Whether it was told to stop.
    """

    run: str
    choice: dict[str, Any]
    asked: str = field(default_factory=lambda: datetime.now().astimezone().isoformat())
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: str = WAITING
    resumes: bool = False
    pid: int = 0
    began: float = 0.0
    ended: float = 0.0
    message: str = ""
    stopping: bool = False

    @classmethod
    def read(cls, content: dict[str, Any]) -> "Entry":
        """Return what `asdict` has made plain; fields of a later release are left out.

        Raises:
            TypeError: If a field is missing.
        """
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})

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
        if (folder / "report.json").exists():
            self.state = FINISHED
        elif code == CTRL_C or self.stopping:
            self.state = STOPPED
        elif (code is not None and code > 0) or (code is None and last):
            self.state = FAILED
            self.message = printable(last) or _(
                "it ended with the code {code}; the output says more."
            ).format(code=code)
        else:
            self.state = KILLED
            self.message = printable(why_killed(folder))
        self.stopping = False

    def is_sound(self) -> bool:
        """Return whether the run is one of the workspace, and the fields are what they must be."""
        is_name = isinstance(self.run, str) and self.run == Path(self.run).name and self.run != ".."
        numbers = all(isinstance(one, int | float) for one in (self.pid, self.began, self.ended))
        is_known = isinstance(self.choice, dict) and self.state in STATES
        return is_name and numbers and is_known and not self.run.startswith(".")

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self)
