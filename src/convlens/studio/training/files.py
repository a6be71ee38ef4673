"""Files: what the queue keeps on the disk, besides the runs."""

import json
from dataclasses import dataclass
from pathlib import Path

from convlens.studio.training.entry import Entry


@dataclass(frozen=True)
class Logs:
    """The files that a training writes for the studio."""

    output: Path
    errors: Path
    progress: Path


def read_entries(file: Path) -> list[Entry]:
    """Return the trainings of a file; none if it is missing or damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = [Entry.read(one) for one in content["trainings"]]
        return [one for one in found if one.is_sound()]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def text_of(file: Path) -> str:
    """Return the text of a file; nothing if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
