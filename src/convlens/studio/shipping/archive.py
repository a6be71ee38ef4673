"""Archive: folders of a workspace as a zip that is made while it is sent.

Nothing is compressed: images, networks and arrays hardly get smaller. So the size is known before
the first byte is sent, and a download that was broken off is told from a whole one.
"""

import os
import stat
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from convlens.errors import DataError
from convlens.language import _
from convlens.lock import is_locked
from convlens.studio.listing import time_of
from convlens.studio.opening import HIDDEN, Places
from convlens.text import printable

CHUNK = 2**20
LARGE = zipfile.ZIP64_LIMIT  # bytes; what is larger needs wider fields
MANY = zipfile.ZIP_FILECOUNT_LIMIT
FACTS = "studio.json"  # what a workspace says of itself
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can name
LATEST = (2107, 12, 31, 23, 59, 58)
# Bytes of the parts of a zip besides names and contents, as zipfile writes them to a stream.
LOCAL, CENTRAL, DESCRIPTOR, END = 30, 46, 16, 22
WIDE_LOCAL, WIDE_DESCRIPTOR, WIDE_END = 20, 24, 56 + 20


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its name there, where it lies, its bytes, its time in nanoseconds."""

    name: str
    path: Path
    size: int
    time: int


@dataclass
class Plan:
    """What an archive will hold.

    Attributes:
        name: The name of the archive.
        entries: Its files.
        left_out: What it will not hold, and why, in lines.
    """

    name: str
    entries: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of the archive."""
        return zip_size(self.entries)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "name": printable(self.name),
            "files": len(self.entries),
            "bytes": self.size,
            "left_out": [printable(line) for line in self.left_out],
        }


def plan_folder(folder: Path) -> Plan:
    """Return the plan of an archive of one folder."""
    name = printable(folder.name)
    plan = Plan(f"{name}.zip")
    _collect(plan, folder, name, skipped=frozenset())
    return plan


def plan_workspace(places: Places) -> Plan:
    """Return the plan of an archive of a workspace.

    Secrets, undo and small images stay here. A training that is under way is left out, since its
    files change while they are read; so are links, which may lead anywhere.
    """
    root = places.root
    name = printable(root.name)
    plan = Plan(f"{name}.zip")
    busy = [path for path in _children(places.runs) if path.is_dir() and is_locked(path)]
    plan.left_out += [
        _("the run {name}, which is being trained").format(name=path.name) for path in busy
    ]
    if places.source is not None:
        plan.left_out.append(
            _("the images, which lie in {source}; copy them yourself").format(source=places.source)
        )
    _add(plan, places.hidden / FACTS, f"{name}/{HIDDEN}/{FACTS}")
    _collect(plan, root, name, skipped=frozenset([*busy, root / "open.html"]))
    return plan


def _collect(plan: Plan, folder: Path, name: str, skipped: frozenset[Path]) -> None:
    """Add the files of a folder, and of the folders in it, in the order of their names.

    A folder that has nothing of its own, such as a class without images, is an entry, too.
    """
    before = len(plan.entries)
    for path in _children(folder):
        if path.name.startswith(".") or path in skipped:
            continue
        inside = f"{name}/{path.name}"
        if path.is_symlink():
            plan.left_out.append(_("{name}, which is a link").format(name=inside))
        elif path.is_dir():
            _collect(plan, path, inside, skipped)
        else:
            _add(plan, path, inside)
    if len(plan.entries) == before and _can_be_named(name):
        plan.entries.append(Entry(f"{name}/", folder, 0, time_of(folder)))


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError:
        return []


def _add(plan: Plan, path: Path, name: str) -> None:
    try:
        found = path.stat()
    except OSError:
        plan.left_out.append(_("{name}, which cannot be read").format(name=name))
        return
    can_be_read = stat.S_ISREG(found.st_mode) and os.access(path, os.R_OK)
    if not (can_be_read and _can_be_named(name)):
        plan.left_out.append(_("{name}, which cannot be read").format(name=name))
        return
    plan.entries.append(Entry(name, path, found.st_size, found.st_mtime_ns))


def _can_be_named(name: str) -> bool:
    """Return whether a zip can hold a name, which must be UTF-8."""
    return printable(name) == name


def zip_size(entries: Sequence[Entry]) -> int:
    """Return the bytes of the archive that `parts` makes of some files."""
    place = 0
    directory = 0
    for entry in entries:
        name = len(entry.name.encode())
        wide = _is_wide(entry)
        fields = 8 * (2 * (entry.size > LARGE) + (place > LARGE))
        directory += CENTRAL + name + fields + 4 * (fields > 0)
        place += LOCAL + name
        if not entry.name.endswith("/"):
            place += entry.size + (WIDE_LOCAL + WIDE_DESCRIPTOR if wide else DESCRIPTOR)
    is_wide = len(entries) > MANY or place > LARGE or directory > LARGE
    return place + directory + END + (WIDE_END if is_wide else 0)


def _is_wide(entry: Entry) -> bool:
    """Return whether zipfile writes wider fields for a file of a stream."""
    return entry.size * 1.05 > LARGE


class _Sink:
    """What an archive is written to: parts that are taken away again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing, as nothing is held back."""

    def take(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content


def parts(entries: Sequence[Entry]) -> Iterator[bytes]:
    """Yield the bytes of an archive of some files.

    Raises:
        DataError: If a file was changed or removed since it was listed.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for entry in entries:
            if entry.name.endswith("/"):
                archive.mkdir(entry.name, 0o755)
                yield sink.take()
                continue
            info = zipfile.ZipInfo(entry.name, _date(entry.time))
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.file_size = entry.size
            with archive.open(info, "w") as target:
                for part in _read(entry):
                    target.write(part)
                    yield sink.take()
    yield sink.take()


def _date(nanoseconds: int) -> tuple[int, int, int, int, int, int]:
    try:
        found = time.localtime(nanoseconds // 10**9)[:6]
    except (OverflowError, ValueError, OSError):  # no calendar of the system goes so far
        return EARLIEST
    return min(max(found, EARLIEST), LATEST)


def _read(entry: Entry) -> Iterator[bytes]:
    """Yield the content of a file as it was when it was listed.

    Raises:
        DataError: If it is another one when it is opened, or after it has been read.
    """
    left = entry.size
    try:
        with entry.path.open("rb") as source:
            _require_same(entry, source)
            while left and (part := source.read(min(CHUNK, left))):
                left -= len(part)
                yield part
            _require_same(entry, source)
    except OSError as error:
        raise _changed(entry) from error
    if left:
        raise _changed(entry)


def _require_same(entry: Entry, source: BinaryIO) -> None:
    found = os.fstat(source.fileno())
    if (found.st_size, found.st_mtime_ns) != (entry.size, entry.time):
        raise _changed(entry)


def _changed(entry: Entry) -> DataError:
    return DataError(
        _("{name} has changed while the archive was made; download it again.").format(
            name=printable(entry.name)
        )
    )
