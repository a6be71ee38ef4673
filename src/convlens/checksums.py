"""Checksums: the file SHA256SUMS of a run folder, which `sha256sum -c SHA256SUMS` checks as well.

It names files that are complete. Before one of them is written again, its folder is unsealed, so
that a process that is killed in between leaves a file without a checksum, but never a file that
differs from one.
"""

import csv
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from convlens.classifier.archive import read_facts
from convlens.config import Config
from convlens.errors import ConvlensError, RunError
from convlens.files import and_more, storage_errors, write_atomically
from convlens.folders import sync_folder
from convlens.language import N_, _, sentences
from convlens.lock import LOCK
from convlens.run_folder import (
    ASKED,
    CLASSIFIER,
    COMPARISON_FACTS,
    FOLD_DONE,
    NETWORK_DONE,
    SEARCH_FACTS,
    SETTINGS,
    TRIALS,
    continuing,
    is_finished,
    study_of,
)

SUMS = "SHA256SUMS"
UNSEALED = (
    "tensorboard",
    "evaluations",
    "explanations",
    "microscope",
)  # folders that others write to later on
# What decides how a run, a search or a comparison goes on.
FIXED = (SETTINGS, ASKED, "data.json", SEARCH_FACTS, COMPARISON_FACTS)
ALTERED = {  # by whether `convlens train` has written the file
    True: N_(
        "{path}: the settings and the split of a run must stay as it has written them; this file "
        "was changed since. Restore the file. To train with other settings, start a new run with "
        "--config."
    ),
    False: N_(
        "{path}: the settings and the split of a search or a comparison must stay as it has "
        "written them; this file was changed since. Restore the file. For other settings, begin a "
        "new search or comparison under another --run name."
    ),
}
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
    sums = _readable_sums(folder)
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


def _readable_sums(folder: Path) -> dict[Path, str]:
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


def altered(folder: Path) -> list[str]:
    """Return a sentence for each file with the settings or the split of a run that was changed.

    Those of the parts of a study that are left, such as the networks of a comparison, count as its
    own. Parts that are done decide nothing any more.
    """
    parts = [] if is_finished(folder) else sorted(path.parent for path in folder.glob(f"*/{SUMS}"))
    ended = _ended_trials(folder)
    left = [part for part in parts if part.name not in ended and not _is_done(part)]
    message = _(ALTERED[continuing(study_of(folder) or folder) == "train"])
    known = {
        place / name: digits
        for place in (folder, *left)
        for name, digits in _readable_sums(place).items()
        if name.as_posix() in FIXED
    }
    return [
        sentences(message.format(path=path), _changed_settings(path))
        for path, digits in known.items()
        if _is_other(path, digits)
    ]


def _changed_settings(path: Path) -> str:
    """Return which settings of a run differ from those that its classifier has recorded.

    Nothing is said where this is not known: of other files, and before the first epoch has ended.
    """
    classifier = path.parent / CLASSIFIER
    if path.name != SETTINGS or not classifier.is_file():
        return ""
    try:
        before = read_facts(classifier)["provenance"]["config"]
        now = json.loads(json.dumps(Config.from_toml(path).to_dict()))
    except (ConvlensError, LookupError):  # Whoever reads the files says what is wrong with them.
        return ""
    if now["transfer"]["backbone"] is not None:  # The file has what was asked for, not decided.
        del now["training"]["precision"]
    template: str = _("{name} ({before} before, {now} now)")
    changed = [
        template.format(name=name, before=_written(known[name]), now=_written(found))
        for section, known in before.items()
        for name, found in now.get(section, {}).items()
        if name in known and known[name] != found
    ]
    return _("What was changed: {settings}.").format(settings=and_more(changed)) if changed else ""


def _written(value: object) -> str:
    """Return the value of a setting as the file has it, which leaves out those that are None."""
    return _("not set") if value is None else json.dumps(value, ensure_ascii=False)


def _ended_trials(folder: Path) -> set[str]:
    """Return the names of the trials of a search that have ended; none if it has no such table."""
    try:
        with (folder / TRIALS).open(newline="", encoding="utf-8") as file:
            return {f"trial-{int(row['trial']):03d}" for row in csv.DictReader(file)}
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return set()


def _is_done(part: Path) -> bool:
    """Return whether a fold, a draw or a network of a study has its result."""
    return any((part / name).exists() for name in ("report.json", FOLD_DONE, NETWORK_DONE))


def _is_other(path: Path, known: str) -> bool:
    """Return whether a file can be read and does not have the known digest."""
    try:
        return path.is_file() and digest(path) != known
    except OSError:  # Whoever reads the content of the file says why it cannot be read.
        return False


def refuse_altered(folder: Path) -> None:
    """Raise RunError if the settings or the split of a run were changed; see `altered`."""
    if said := altered(folder):
        raise RunError(sentences(*said))


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
