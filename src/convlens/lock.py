"""Lock: one process at a time works on a folder, and a process that was killed blocks nobody.

The system holds the lock and gives it back when the process ends, however it ends. The file that is
locked tells who holds it. It is emptied at the end, so that one with content and without a holder
tells of a process that was killed.
"""

import errno
import json
import os
import platform
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from convlens.errors import RunError
from convlens.files import storage_errors
from convlens.language import N_, _

LOCK = Path("state") / "lock"
WAIT = 1.0  # seconds; whoever only asks whether a folder is locked holds it for a moment
PAUSE = 0.05  # seconds between two tries
# File systems on which nothing can be locked; there, a folder is not protected.
UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
HELD = N_(
    "{folder}: one process at a time works on a run; process {pid} ({command}) has done so since "
    "{since}. Wait until it ends, or stop it with Ctrl-C."
)
HELD_ELSEWHERE = N_(
    "{folder}: one process at a time works on a run; process {pid} ({command}) of the computer "
    "{host} has done so since {since}. Wait until it ends, or stop it with Ctrl-C."
)
HELD_BY_SOMEBODY = N_(
    "{folder}: one process at a time works on a run; another process does so now. Wait until it "
    "ends, or stop it with Ctrl-C."
)
# The folders that are locked, and the process and the thread that did so.
_held: dict[Path, tuple[int, int]] = {}

if sys.platform == "win32":
    import msvcrt

    FAR = 2**30  # a byte beyond the content, since nobody can read a byte that is locked

    def _try(stream: IO[bytes]) -> bool:
        stream.seek(FAR)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return _answer(error)
        return True

else:
    import fcntl

    def _try(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return _answer(error)
        return True


def _answer(error: OSError) -> bool:
    """Return whether work may go on after an attempt to lock a file has failed.

    Raises:
        OSError: If it failed for another reason than that somebody has locked the file.
    """
    if error.errno in UNSUPPORTED:
        return True
    if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
        return False
    raise error


@contextmanager
def tried(path: Path) -> Iterator[bool]:
    """Lock a file for the block, and yield whether that succeeded, or another process holds it.

    Raises:
        OSError: If the file cannot be written.
    """
    with path.open("ab") as stream:
        yield _try(stream)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder for the block. A block inside that locks it again in the same thread may do so.

    Raises:
        RunError: If another process, or another thread, has locked it.
        StorageError: If the folder cannot be written to.
    """
    key = folder.resolve()
    here = (os.getpid(), threading.get_ident())
    if _held.get(key) == here:
        yield
        return
    with storage_errors(folder, _("the run folder")):
        (folder / LOCK).parent.mkdir(parents=True, exist_ok=True)
        # Without a buffer, which would be written once more at the end where the disk is full.
        stream = (folder / LOCK).open("ab+", buffering=0)
    with stream:
        with storage_errors(folder, _("the run folder")):
            if not _acquired(stream):
                raise RunError(_describe(folder))
            stream.truncate(0)
            stream.write(json.dumps(_owner()).encode())
        _held[key] = here
        try:
            yield
        finally:
            del _held[key]
            with suppress(OSError):  # The disk may be full; what was done is not to fail for it.
                stream.truncate(0)


def is_locked(folder: Path) -> bool:
    """Return whether a process works on a folder now."""
    if folder.resolve() in _held:
        return True
    try:
        with (folder / LOCK).open("rb") as stream:
            return not _try(stream)
    except OSError:
        return False


def was_killed(folder: Path) -> bool:
    """Return whether the last process that worked on a folder was killed."""
    return bool(owner(folder)) and not is_locked(folder)


def owner(folder: Path) -> dict[str, Any]:
    """Return pid, host, command and since of the process that has, or had, locked a folder."""
    try:
        found = json.loads((folder / LOCK).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def refuse_locked(folder: Path) -> None:
    """Raise RunError if a process works on a folder now."""
    if is_locked(folder):
        raise RunError(_describe(folder))


def _acquired(stream: IO[bytes]) -> bool:
    end = time.monotonic() + WAIT
    while not _try(stream):
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def _owner() -> dict[str, Any]:
    """Return who this process is."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    words = [name, *sys.argv[1:2]]
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "command": shlex.join(words),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _describe(folder: Path) -> str:
    """Return the message that names the process that has locked a folder."""
    found = owner(folder)
    try:
        since = "{:%Y-%m-%d %H:%M}".format(datetime.fromisoformat(found["since"]))
        named = {name: found[name] for name in ("pid", "host", "command")}
    except (LookupError, TypeError, ValueError):  # The content is cut or damaged.
        return _(HELD_BY_SOMEBODY).format(folder=folder)
    template = HELD if named["host"] == platform.node() else HELD_ELSEWHERE
    return _(template).format(folder=folder, since=since, **named)
