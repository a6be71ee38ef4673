"""Files: what the queue keeps on the disk, besides the runs."""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convlens.language import _
from convlens.studio.training.entry import Entry
from convlens.text import printable

DAMAGED = "trainings.damaged.json"
UNSOUND = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # of a damaged file


@dataclass(frozen=True)
class Logs:
    """The files that a training writes for the studio."""

    output: Path
    errors: Path
    progress: Path

    def remove(self) -> None:
        """Remove them, as far as they are there and can be removed."""
        for path in (self.output, self.errors, self.progress):
            with suppress(OSError):
                path.unlink()


def read_entries(file: Path) -> list[Entry]:
    """Return the trainings of a file; none if it is missing.

    What cannot be read is left out, and a copy of the file is kept beside it.
    """
    if not file.exists():
        return []
    found: list[Entry] = []
    try:
        for row in json.loads(file.read_text(encoding="utf-8"))["trainings"]:
            with suppress(*UNSOUND):
                found.append(Entry.read(row))
                continue
            _keep_damaged(file)
    except (OSError, *UNSOUND):
        _keep_damaged(file)
    return found


def _keep_damaged(file: Path) -> None:
    with suppress(OSError):
        shutil.copyfile(file, file.with_name(DAMAGED))


def damage_of(file: Path) -> str:
    """Return what is said of a file that was damaged when a studio read it, or nothing."""
    damaged = file.with_name(DAMAGED)
    if not damaged.exists():
        return ""
    return _(
        "the list of trainings was damaged, and what could not be read is left out; {path} is what "
        "it was. The runs are unharmed. Remove that file when you have seen this."
    ).format(path=printable(damaged))


def text_of(file: Path) -> str:
    """Return the text of a file; nothing if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
