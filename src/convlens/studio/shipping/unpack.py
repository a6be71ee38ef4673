"""Unpack: open a workspace that was saved as one zip, which somebody else may have made.

It appears under its name when all of it is there. Nothing is written elsewhere, and no link is
made.
"""

import json
import os
import re
import shutil
import stat
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convlens.files import DAMAGE, numbered, storage_errors
from convlens.hidden import give_name, hidden_folder
from convlens.language import _
from convlens.studio.opening import FORMAT, HIDDEN
from convlens.studio.problem import TOO_LARGE, Problem
from convlens.studio.shipping.archive import FACTS
from convlens.studio.unzip import (
    CHUNK,
    MOST_ENTRIES,
    MOST_GROWTH,
    SPARE,
    decoded,
    require_short_directory,
)

MOST_FACTS = 100_000  # bytes of what a workspace says of itself
OWN = PurePosixPath(HIDDEN, FACTS)
MOST_PARTS = 30  # folders in folders


@dataclass(frozen=True)
class Wanted:
    """A file or an empty folder of an archive, and where it goes."""

    path: PurePosixPath
    info: zipfile.ZipInfo


def holds_workspace(archive: Path) -> bool:
    """Return whether a file is an archive with a workspace of the studio."""
    with suppress(*DAMAGE, Problem):
        require_short_directory(archive, archive.name)  # before all of it is read into the memory
        with zipfile.ZipFile(archive) as opened:
            return any(_is_facts(PurePosixPath(info.filename)) for info in opened.infolist())
    return False


def _is_facts(path: PurePosixPath) -> bool:
    return path.parts[-2:] == (HIDDEN, FACTS) and len(path.parts) <= 3


def stem_of(name: str) -> str:
    """Return the name of the folder into which an archive is unpacked.

    >>> stem_of("pets.ZIP"), stem_of(".zip")
    ('pets', 'studio')
    """
    return re.sub(r"\.zip$", "", name, flags=re.IGNORECASE).strip(" .") or "studio"


def unpack_workspace(archive: Path, beside: Path, name: str) -> Path:
    """Unpack a workspace into a new folder, and return the folder.

    Args:
        archive: The file.
        beside: The folder in which the new one is made.
        name: The name of the archive, after which the new folder is called.

    Raises:
        Problem: If it has no workspace, is damaged, encrypted or too large, or if something in it
            leads elsewhere.
        StorageError: If it cannot be written.
    """
    require_short_directory(archive, name)
    out = next(one for one in numbered(beside / stem_of(name)) if not os.path.lexists(one))
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = _wanted(opened, name, beside)
            with storage_errors(out, _("the workspace")), hidden_folder(out) as hidden:
                for one in wanted:
                    _write(opened, one, hidden)
                give_name(hidden, out)
    except DAMAGE as error:
        raise Problem(
            _("{name}: this is no zip archive, or it is damaged; pack it anew.").format(name=name)
        ) from error
    return out


def _wanted(opened: zipfile.ZipFile, name: str, beside: Path) -> list[Wanted]:
    """Return what is unpacked of an archive.

    Raises:
        Problem: If something in it is not allowed.
    """
    infos = opened.infolist()
    if len(infos) > MOST_ENTRIES:
        raise Problem(_("{name}: this archive has too many files.").format(name=name), TOO_LARGE)
    paths = [(_inside(info, name), info) for info in infos]
    root = next((path.parts[:-2] for path, _info in paths if _is_facts(path)), None)
    if root is None:
        raise Problem(
            _(
                "{name}: this archive has no workspace of the studio. Images in an archive are "
                "dropped on the room Images."
            ).format(name=name)
        )
    found = [
        Wanted(PurePosixPath(*path.parts[len(root) :]), info)
        for path, info in paths
        if path.parts[: len(root)] == root and len(path.parts) > len(root)
    ]
    wanted = [one for one in found if _is_public(one.path) or one.path == OWN]
    _require_apart(wanted, name)
    _require_room(wanted, name, beside)
    _require_facts(opened, wanted, name)
    return wanted


def _is_public(path: PurePosixPath) -> bool:
    """Return whether no part of a path is hidden, as tokens and the history are."""
    return not any(part.startswith(".") for part in path.parts)


def _inside(info: zipfile.ZipInfo, name: str) -> PurePosixPath:
    """Return the path of a file of an archive, spelled as it is there.

    Raises:
        Problem: If it leads out, or if the entry is a link, a device or encrypted.
    """
    given = decoded(info)
    parts = [part for part in given.split("/") if part not in ("", ".")]
    is_absolute = given.startswith(("/", "\\")) or re.match("[A-Za-z]:", given) is not None
    leads_out = is_absolute or ".." in re.split(r"[/\\]", given)
    if os.name != "posix":  # where these signs lead somewhere, too
        leads_out = leads_out or "\\" in given or ":" in given
    mode = info.external_attr >> 16
    is_odd = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
    if leads_out or "\0" in given or not parts or len(parts) > MOST_PARTS or is_odd:
        raise Problem(
            _(
                "{name}: every file of the archive must lie inside its folder; found {path!r}. "
                "Nothing was unpacked."
            ).format(name=name, path=given[:100])
        )
    if info.flag_bits & 1:
        raise Problem(
            _("{name}: an archive must not be encrypted; pack it without a password.").format(
                name=name
            )
        )
    return PurePosixPath(*parts)


def _require_apart(wanted: list[Wanted], name: str) -> None:
    """Raise Problem if two files have one path, or if one is in the place of a folder."""
    files = [one.path for one in wanted if not one.info.is_dir()]
    known = set(files)
    folders = {parent for path in files for parent in path.parents}
    if len(known) < len(files) or known & folders:
        raise Problem(_("{name}: two files of the archive have the same path.").format(name=name))


def _require_room(wanted: list[Wanted], name: str, beside: Path) -> None:
    """Raise Problem if an archive was made to fill the disk, or the disk has no room for it."""
    total = sum(one.info.file_size for one in wanted)
    size = sum(one.info.compress_size for one in wanted)
    if total > MOST_GROWTH * size + SPARE:
        raise Problem(
            _(
                "{name}: an archive may unpack to {growth} times its size; this one of "
                "{size:.3g} MB would be {total:.3g} GB."
            ).format(name=name, growth=MOST_GROWTH, size=size / 1e6, total=total / 1e9),
            TOO_LARGE,
        )
    free = shutil.disk_usage(beside).free
    if total > free:
        raise Problem(
            _("{name}: this needs {total:.3g} GB; the disk has {free:.3g} GB free.").format(
                name=name, total=total / 1e9, free=free / 1e9
            ),
            507,
        )


def _require_facts(opened: zipfile.ZipFile, wanted: list[Wanted], name: str) -> None:
    """Raise Problem if this release does not know what the workspace says of itself."""
    info = next(one.info for one in wanted if one.path == OWN)
    facts = None
    if info.file_size <= MOST_FACTS:
        facts = json.loads(opened.read(info))
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise Problem(
            _(
                "{name}: a later convlens has saved this workspace, or it is damaged; install the "
                "newest convlens to open it."
            ).format(name=name)
        )


def _write(opened: zipfile.ZipFile, one: Wanted, folder: Path) -> None:
    target = folder / one.path
    if one.info.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(one.info) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, CHUNK)
    with suppress(ValueError, OverflowError, OSError):  # the order "newest first" stays
        seconds = time.mktime((*one.info.date_time, 0, 0, -1))
        os.utime(target, (seconds, seconds))
