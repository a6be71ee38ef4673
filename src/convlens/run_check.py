"""Run check: whether the files of a run are whole.

A file that has a checksum is compared with it. Others, which are those of a run that is not
finished or that an earlier version made, are checked by their content where it tells.
"""

import json
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens import backend
from convlens.checksums import SUMS, UNSEALED, digest, is_passing, read_sums
from convlens.errors import ClassifierError, RunError
from convlens.files import DAMAGE
from convlens.history import read_history
from convlens.language import N_, _
from convlens.run_folder import HISTORY, files_of

WHOLE = N_("whole, by its checksum")
SOUND = N_("whole, by its content")
UNKNOWN = N_("no checksum")
MISSING = N_("missing")
CHANGED = N_("differs from its checksum")
DAMAGED = N_("damaged")
WRONG = (MISSING, CHANGED, DAMAGED)


@dataclass(frozen=True)
class Verdict:
    """What is known of a file of a run.

    Attributes:
        name: Its path in the folder of the run.
        size: Its bytes, or 0 where it is missing.
        verdict: WHOLE, SOUND, UNKNOWN, MISSING, CHANGED or DAMAGED.
    """

    name: str
    size: int
    verdict: str

    @property
    def is_wrong(self) -> bool:
        """Whether the file is not what was written."""
        return self.verdict in WRONG


def check_files(folder: Path) -> list[Verdict]:
    """Return a verdict on each file of a run, those of its parts included.

    Raises:
        RunError: If the checksums themselves cannot be read.
    """
    sums = _all_sums(folder)
    files = {
        path
        for path in files_of(folder)
        if not is_passing(path) and not set(path.relative_to(folder).parts) & set(UNSEALED)
    }
    return [
        Verdict(
            path.relative_to(folder).as_posix(),
            path.stat().st_size if path.exists() else 0,
            _judge(path, sums.get(path)),
        )
        for path in sorted(files | set(sums))
    ]


def _all_sums(folder: Path) -> Mapping[Path, str]:
    """Return the checksums of a run and of its parts, by the paths of the files."""
    found: dict[Path, str] = {}
    for path in folder.rglob(SUMS):
        try:
            found |= {path.parent / name: sum_ for name, sum_ in read_sums(path.parent).items()}
        except (OSError, ValueError) as error:
            message = _("{path}: the list of checksums is damaged. Remove it, and check again.")
            raise RunError(message.format(path=path)) from error
    return found


def _judge(path: Path, recorded: str | None) -> str:
    try:
        if recorded is not None:
            return WHOLE if digest(path) == recorded else CHANGED
        check = CHECKS.get(HISTORY if path.name == HISTORY else path.suffix)
        if check is None:
            return UNKNOWN
        check(path)
    except FileNotFoundError:
        return MISSING
    except (RunError, ClassifierError, *DAMAGE):
        return DAMAGED
    return SOUND


def _check_classifier(path: Path) -> None:
    backend.start()
    from convlens.classifier.archive import read_facts

    read_facts(path)


def _check_arrays(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(damaged)


CHECKS: dict[str, Callable[[Path], Any]] = {
    HISTORY: read_history,
    ".keras": _check_classifier,
    ".npz": _check_arrays,
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".toml": lambda path: tomllib.loads(path.read_text(encoding="utf-8")),
}
