"""Checksums: the file SHA256SUMS of a run folder, which `sha256sum -c SHA256SUMS` checks as well.

It names files that are complete. Before one of them is written again, its folder is unsealed, so
that a process that is killed in between leaves a file without a checksum, but never a file that
differs from one.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from convlens.files import storage_errors, write_atomically
from convlens.folders import sync_folder
from convlens.language import _
from convlens.lock import LOCK
from convlens.run_folder import ASKED, COMPARISON_FACTS, SEARCH_FACTS, SETTINGS

SUMS = "SHA256SUMS"
UNSEALED = (
    "tensorboard",
    "evaluations",
    "explanations",
    "microscope",
)  # folders that others write to later on
# What decides how a run, a search or a comparison goes on.
FIXED = (SETTINGS, ASKED, "data.json", SEARCH_FACTS, COMPARISON_FACTS)
LINE = re.compile(r"(\\?)([0-9a-f]{64})  (.+)")


def seal(
    folder: Path, files: Iterable[Path] | None = None, known: Mapping[Path, str] | None = None
) -> None:
    """Write the checksums of files of a folder, instead of those that are there.

    Args:
        folder: The folder of a run.
        files: The files that do not change any more; None stands for all of a finished run.
        known: Checksums that stay as they are, by the paths of the files inside the folder.

    Raises:
        StorageError: If the checksums cannot be written.
    """
    files = complete_files(folder) if files is None else files
    sums = dict(known or {})
    with storage_errors(folder / SUMS, _("the list of checksums")):
        for path in files:
            name = path.relative_to(folder)
            sums[name] = sums.get(name) or digest(path)
    lines = [_line(sums[name], name) for name in sorted(sums)]
    # The bytes of a name that is not UTF-8 stay as they are.
    content = "".join(lines).encode(errors="surrogateescape")
    write_atomically(folder / SUMS, content, _("the list of checksums"))


def seal_begun(folder: Path, others: Iterable[Path] = ()) -> None:
    """Write the checksums of what decides how a run goes on, which begins now.

    Args:
        folder: The folder of a run, a search or a comparison.
        others: Further files that do not change any more, as far as they are there.

    Raises:
        StorageError: If the checksums cannot be written.
    """
    written = [*(folder / name for name in FIXED), *others]
    seal(folder, [path for path in written if path.exists()])


def seal_parts(folder: Path) -> None:
    """Write the checksums of the runs in the folder of a study that has nothing left to train.

    Those that have a report were sealed after it was written, unless the process was killed in
    between. The others have none, such as the folds, or the trials of a search that were not the
    best.

    Raises:
        StorageError: If the checksums cannot be written.
    """
    for settings in sorted(folder.glob(f"*/{SETTINGS}")):
        part = settings.parent
        if not ((part / "report.json").exists() and (part / SUMS).exists()):
            seal(part)


def unseal(folder: Path) -> None:
    """Remove the checksums of a folder, whose files are about to change.

    Raises:
        StorageError: If they cannot be removed.
    """
    with storage_errors(folder / SUMS, _("the list of checksums")):
        (folder / SUMS).unlink(missing_ok=True)
        sync_folder(folder)  # or a power cut could bring it back beside a file that is newer


@contextmanager
def resealed(folder: Path) -> Iterator[None]:
    """Unseal a folder for a block that writes into it, and seal it again afterwards.

    A file that the block does not write keeps its checksum, so that `convlens run verify` still
    reports a file that was changed or removed before.

    Raises:
        StorageError: If the checksums cannot be removed or written.
    """
    sums = readable_sums(folder)
    before = {name: _stamp(folder / name) for name in sums}
    unseal(folder)
    yield
    same = {name: sums[name] for name, stamp in before.items() if _stamp(folder / name) == stamp}
    seal(folder, known=same)


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written, or None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def readable_sums(folder: Path) -> dict[Path, str]:
    """Return the checksums of a folder; none if the list is damaged, as `run verify` says."""
    try:
        return read_sums(folder)
    except (OSError, ValueError):
        return {}


def read_sums(folder: Path) -> dict[Path, str]:
    """Return the checksums of a folder, by the paths of the files inside it; none if there is none.

    Raises:
        ValueError: If the list of checksums is damaged.
        OSError: If it cannot be read.
    """
    path = folder / SUMS
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(line)
        escaped, digits, name = match.groups()
        if escaped:
            name = re.sub(r"\\(.)", lambda sign: {"n": "\n"}.get(sign[1], sign[1]), name)
        found[Path(name)] = digits
    return found


def complete_files(folder: Path) -> list[Path]:
    """Return the files of a finished run that do not change any more.

    Those of the parts that are runs themselves have their own checksums. What TensorBoard reads,
    the lock, and hidden files that a killed process has left, have none.
    """
    found = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [
            name
            for name in folders
            if name not in UNSEALED and not (here / name / SETTINGS).exists()
        ]
        found += [here / name for name in names if not is_passing(here / name)]
    return found


def is_passing(path: Path) -> bool:
    """Return whether a file of a run is neither a result nor a state, so that nobody checks it."""
    return path.name in (SUMS, LOCK.name) or path.name.startswith(".")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _line(digits: str, name: Path) -> str:
    """Return a line as sha256sum writes it, which marks names with a backslash or a line break."""
    text = name.as_posix()
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    mark = "" if escaped == text else "\\"
    return f"{mark}{digits}  {escaped}\n"
