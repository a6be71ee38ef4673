"""Imports: folders and archives of labelled images, which are looked at before they are added.

Their files wait in a folder of the workspace. `train` would find the same classes in it.
"""

import re
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlens.files import numbered, storage_errors, write_atomically
from convlens.folders import make_folder, sync_folder
from convlens.language import _
from convlens.studio.content import MOST_BYTES, MOST_IMAGES, checked_name, holds, too_large
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, TOO_LARGE, Problem
from convlens.studio.staged import TABLES, inside, is_wanted
from convlens.studio.unzip import MOST_UNPACKED, Unpacked, unpack

MOST = 20  # imports that wait at a time
ID = re.compile("[0-9a-f]{16}")


@dataclass
class Waiting:
    """What waits to be added.

    Attributes:
        folder: Its folder.
        files: The number of files that it has.
        bytes: Their size.
        gone: Whether it was added or dropped.
        lock: What whoever changes it holds. Whoever holds that of the workspace must not wait for
            it.
    """

    folder: Path
    files: int = 0
    bytes: int = 0
    gone: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def content(self) -> Path:
        """The folder of its files; what is being received lies beside it."""
        return self.folder / "files"

    def require_there(self) -> None:
        """Raise Problem if it was added or dropped already."""
        if self.gone:
            raise _is_gone()

    def require_room(self, files: int, size: int) -> None:
        """Raise Problem if some files more, of a size in bytes, would be too many."""
        if self.files + files > MOST_IMAGES or self.bytes + size > MOST_UNPACKED:
            raise Problem(
                _("an import may have {most:,} images and {gigabytes:g} GB.").format(
                    most=MOST_IMAGES, gigabytes=MOST_UNPACKED / 1e9
                ),
                TOO_LARGE,
            )


def _is_gone() -> Problem:
    return Problem(_("this import is not there any more."), GONE)


class Imports:
    """The imports of a workspace."""

    def __init__(self, places: Places) -> None:
        self._folder = places.imports
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        for path in self._folder.iterdir():
            is_import = ID.fullmatch(path.name) is not None and path.is_dir()
            found = _left(path) if is_import else None
            if found is None:
                _remove(path)
            else:
                self._waiting[path.name] = found

    def waiting(self) -> list[dict[str, Any]]:
        """Return the imports that have files, for a page."""
        return [
            {"id": name, "files": one.files, "bytes": one.bytes}
            for name, one in list(self._waiting.items())  # one may be dropped meanwhile
            if one.files
        ]

    def begin(self) -> str:
        """Return the name of a new import."""
        with self._lock:
            if len(self._waiting) >= MOST:
                self._drop_empty()
            if len(self._waiting) >= MOST:
                raise Problem(
                    _("{most} imports wait already; add or drop one of them first.").format(
                        most=MOST
                    ),
                    GONE,
                )
            name = secrets.token_hex(8)
            one = Waiting(self._folder / name)
            with storage_errors(one.content, _("the images")):
                make_folder(one.content)
            self._waiting[name] = one
        return name

    def _drop_empty(self) -> None:
        """Drop the imports that have no files, unless they are just getting some."""
        for name, one in list(self._waiting.items()):
            if one.lock.acquire(blocking=False):
                try:
                    if not one.files:
                        self.drop(name)
                finally:
                    one.lock.release()

    def of(self, name: str) -> Waiting:
        """Return an import.

        Raises:
            Problem: If it was added or dropped already.
        """
        found = self._waiting.get(name)
        if found is None:
            raise _is_gone()
        return found

    def drop(self, name: str) -> None:
        """Remove an import with its files, once nobody adds to it."""
        one = self.of(name)
        with one.lock:
            one.require_there()
            # A folder that is half removed is none of ours any more.
            gone = one.folder.with_name(f"{name}.gone")
            with storage_errors(one.folder, _("the images")):
                one.folder.rename(gone)
            one.gone = True
            del self._waiting[name]
        shutil.rmtree(gone, ignore_errors=True)


def _left(folder: Path) -> Waiting | None:
    """Return an import that a former studio has left; None without files.

    What was being received or unpacked when it was killed is removed.
    """
    found = Waiting(folder)
    for path in folder.iterdir():
        if path != found.content:
            _remove(path)
    files = [path for path in found.content.rglob("*") if path.is_file()]
    found.files = len(files)
    found.bytes = sum(path.stat().st_size for path in files)
    return found if files else None


def _remove(path: Path) -> None:
    """Remove a file, or a folder with its files, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


def keep_file(one: Waiting, given: str, content: bytes) -> bool:
    """Keep a file of a folder, and return whether it is an image or a table of labels.

    Two files whose names become the same, as a?.jpg and a_.jpg, are both kept.

    Raises:
        Problem: If its path leads elsewhere, or if it is no image that can be read.
        StorageError: If the disk is full.
    """
    path = inside(given)
    if not is_wanted(path):
        return False
    if len(content) > MOST_BYTES:
        raise too_large(path.name)
    if path.suffix.lower() not in TABLES:
        checked_name(path.name, content)
    with one.lock:
        one.require_there()
        target = next(
            place
            for place in numbered(one.content / path, path.suffix)
            if not place.exists() or holds(place, content)
        )
        if not target.exists():  # otherwise it was sent again
            one.require_room(1, len(content))
            write_atomically(target, content, _("the image"))
            one.files += 1
            one.bytes += len(content)
    return True


def keep_archive(one: Waiting, archive: Path, name: str) -> Unpacked:
    """Unpack an archive into an import, all of it or nothing; see `unpack`."""
    with one.lock:
        one.require_there()
        place = one.folder / f"unpacked-{secrets.token_hex(4)}"
        with storage_errors(place, _("the images")):
            place.mkdir()
        try:
            done = unpack(archive, place, name)
            one.require_room(done.files, done.bytes)
            with storage_errors(place, _("the images")):
                _merge(place, one.content)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        one.files += done.files
        one.bytes += done.bytes
    return done


def _merge(place: Path, content: Path) -> None:
    """Move what was unpacked among the files of an import."""
    if not any(content.iterdir()):
        content.rmdir()
        place.rename(content)
        sync_folder(content.parent)
        return
    for path in [path for path in place.rglob("*") if path.is_file()]:
        target = content / path.relative_to(place)
        make_folder(target.parent)
        path.rename(next(one for one in numbered(target, target.suffix) if not one.exists()))
