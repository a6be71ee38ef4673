"""Hidden: the folder in which a new folder is written until it gets its name.

A process that is killed leaves this folder. Its name tells which process it was, so that the next
one that writes the same name can remove it, and leaves alone what a process that lives is writing.
"""

import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from convlens.folders import make_folder, sync_folder

FORMER = ".former"  # in a hidden folder: what had the name before
CLOSE = 120  # seconds; a process that began later than the one of that number is another one


@contextmanager
def hidden_folder(out: Path) -> Iterator[Path]:
    """Yield a new folder beside another, and leave nothing if it does not become that one.

    Args:
        out: The folder, which does not exist; the hidden one is renamed to it inside the block.

    Raises:
        OSError: If it cannot be made.
    """
    made = [folder for folder in out.parents if not folder.exists()]
    try:
        hidden = make_hidden_folder(out)
        try:
            yield hidden
        finally:
            _remove(hidden, out)
    finally:
        if not out.exists():
            for folder in made:  # from the innermost on
                with suppress(OSError):  # another process may have put something there
                    folder.rmdir()


def give_name(hidden: Path, out: Path, former: Path | None = None) -> None:
    """Rename a hidden folder after all of its content has been brought to the disk.

    Args:
        hidden: The folder.
        out: Its new name.
        former: Where a folder is moved that has this name now; None if there must be none. It is
            `FORMER` in the folder that `hidden_folder` yields, from which it comes back if this
            fails.

    Raises:
        OSError: If the disk fails, or the name is taken.
    """
    for path in hidden.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(hidden)
    if former is not None and out.exists():
        out.rename(former)
    hidden.rename(out)
    sync_folder(out.parent)


def make_hidden_folder(out: Path) -> Path:
    """Return a new folder beside another, and remove those that dead processes have left there.

    Args:
        out: The folder that the hidden one will become.

    Raises:
        OSError: If it cannot be made.
    """
    make_folder(out.parent)
    remove_leftovers(out)
    process = psutil.Process()
    writer = f"{_computer()}-{process.pid}-{process.create_time():.0f}"
    hidden = Path(tempfile.mkdtemp(prefix=f".{out.name}.{writer}-", dir=out.parent))
    hidden.chmod(0o755)
    return hidden


def remove_leftovers(out: Path) -> None:
    """Remove the hidden folders that dead processes have left beside a folder.

    Args:
        out: The folder that they were to become; its parent may be missing.

    Raises:
        OSError: If a folder that was to be replaced cannot get its name back.
    """
    if not out.parent.is_dir():
        return
    # The random letters of tempfile may contain underscores.
    pattern = re.compile(re.escape(f".{out.name}.{_computer()}-") + r"(\d+)-(\d+)-\w+")
    for folder in out.parent.iterdir():
        found = pattern.fullmatch(folder.name)
        if found and not _lives(int(found[1]), int(found[2])):
            _remove(folder, out)


def _remove(hidden: Path, out: Path) -> None:
    """Remove a hidden folder, after a folder that it did not replace has got its name back."""
    former = hidden / FORMER
    if former.exists() and not out.exists():
        former.rename(out)
    shutil.rmtree(hidden, ignore_errors=True)


def _lives(number: int, began: int) -> bool:
    """Return whether a process lives, given its number and when it began."""
    try:
        process = psutil.Process(number)
        is_dead = process.status() == psutil.STATUS_ZOMBIE
        return not is_dead and abs(process.create_time() - began) < CLOSE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, but of another user
        return True


def _computer() -> str:
    """Return a short name of this computer; the numbers of processes of others mean nothing."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
