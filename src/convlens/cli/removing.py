"""Removing: how the folder of a run is removed, so that a kill leaves a run or nothing."""

import secrets
import shutil
from pathlib import Path

from convlens import run_folder
from convlens.files import storage_errors
from convlens.folders import TEMPORARY
from convlens.language import _

# What makes a folder a run; it goes last.
LAST = {run_folder.SETTINGS, run_folder.COMPARISON_FACTS, "data.json"}


def remove(folder: Path) -> None:
    """Remove a run, and what earlier removals that were killed have left beside it.

    What makes the folder a run goes last, so that a rest can be removed again.

    Raises:
        StorageError: If it cannot be removed.
    """
    place = folder.resolve()
    unnamed = place.with_name(f".{secrets.token_hex(4)}.{place.name}")
    with storage_errors(folder, _("the run folder"), _("Make it writable, and try again.")):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in LAST:
                path.unlink()
        place.rename(unnamed)
        shutil.rmtree(unnamed)
    for rest in filter(_is_rest, place.parent.iterdir()):
        shutil.rmtree(rest, ignore_errors=True)


def _is_rest(path: Path) -> bool:
    """Return whether a folder lost its name in a removal, which then did not come to its end."""
    if not TEMPORARY.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    return {inside.name for inside in path.iterdir()} <= LAST
