"""Progress: how far a command is, in a file, for a program that has started it.

The studio starts trainings as processes of their own, which go on when it is killed. It names a
file in the environment variable `CONVLENS_PROGRESS`; every bar that a `Screen` shows is then also
written there, twice a second at most, as {"stage", "done", "total", "left", "time"}. If a time
budget is too short, {"needed": {"used", "more", "seconds"}} says at the end what it must be. The
file is replaced as a whole and not brought to the disk, so that it costs next to nothing. Without
the variable nothing is written.
"""

import contextlib
import json
import os
import time
from pathlib import Path

VARIABLE = "CONVLENS_PROGRESS"
PAUSE = 0.5  # seconds between two writes


class ProgressFile:
    """Writes how far the work is, where somebody asked for it.

    Args:
        path: The file, or None for nobody.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._stage = ""
        self._written = 0.0

    @classmethod
    def asked_for(cls) -> "ProgressFile":
        """Return the file that the environment names."""
        name = os.environ.get(VARIABLE)
        return cls(Path(name) if name else None)

    def tell(self, stage: str, done: float, total: float, left: float | None = None) -> None:
        """Write how far a stage is.

        Args:
            stage: What is done, in the language of the process.
            done: How much of it is done.
            total: How much there is; 0 if that is not known.
            left: The seconds that the stage still takes, where that is known.
        """
        now = time.monotonic()
        is_end = total > 0 and done >= total
        is_same = stage == self._stage and not is_end
        if self.path is None or (is_same and now - self._written < PAUSE):
            return
        self._stage = stage
        self._written = now
        content = {"stage": stage, "done": done, "total": total, "left": left, "time": time.time()}
        self._write(self.path, content)

    def tell_needed(self, needed: dict[str, float]) -> None:
        """Write what a time budget must be, which was too short.

        Args:
            needed: The seconds for starting and measuring ("used"), from there ("more"), and of
                the whole ("seconds").
        """
        if self.path is not None:
            self._write(self.path, {"needed": needed})

    def _write(self, path: Path, content: dict[str, object]) -> None:
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a full disk does not end the work for it
            beside.write_text(json.dumps(content), encoding="utf-8")
            beside.replace(path)
