"""Folders: creating them so that a power cut keeps them, and removing what a killed process left.

A file system may keep a new name in memory for a while. What is written later, in another folder or
under another name, can then be on the disk without it.
"""

import errno
import os
import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

# The name of a file or folder that is being written, or that a killed process has left.
TEMPORARY = re.compile(r"\.[0-9a-f]{8}\..+")
# What file systems answer that cannot bring a folder to the disk, or let nobody open it.
NO_SYNC = {errno.EACCES, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


def make_folder(folder: Path) -> None:
    """Create a folder and its parents where they are missing, so that a power cut keeps them.

    Raises:
        OSError: If it cannot be created.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names of the files in a folder to the disk, where the system can do that.

    Without this, a power cut could take the name of a new file but leave one that was written
    later.

    Raises:
        OSError: If the disk fails.
    """
    if os.name != "posix":
        return
    try:
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise


def remove_temporaries(folder: Path, apart_from: Collection[str] = ()) -> None:
    """Remove what killed processes have left in a folder of `write_atomically`.

    No other process may be writing there, except into hidden folders, see `convlens.hidden`.

    Args:
        folder: The folder.
        apart_from: The names of folders inside that others may be writing into.
    """
    for place, folders, names in os.walk(folder):
        for name in filter(TEMPORARY.fullmatch, (*folders, *names)):
            path = Path(place, name)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):  # It does no harm.
                    path.unlink()
        folders[:] = [one for one in folders if not one.startswith(".") and one not in apart_from]
