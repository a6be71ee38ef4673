"""Unzip: unpack the images of an archive that somebody else has made.

Nothing is written outside its folder, no link is made, and an archive that would fill the disk is
refused before anything is unpacked.
"""

import os
import stat
import struct
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from convlens.data.walk import NO_SUFFIX, suffix_of
from convlens.files import DAMAGE, numbered, storage_errors
from convlens.language import _
from convlens.studio.content import MOST_BYTES, MOST_IMAGES
from convlens.studio.problem import TOO_LARGE, Problem
from convlens.studio.staged import inside, is_hidden_image, is_wanted

MOST_ZIP = 4_000_000_000  # bytes of an archive
MOST_UNPACKED = 20_000_000_000  # bytes of its images
# Images hardly get smaller in an archive; one that grows much more was made to fill disks.
MOST_GROWTH = 50
SPARE = 100_000_000  # bytes that even a small archive may have
MOST_ENTRIES = 2 * MOST_IMAGES
MOST_DIRECTORY = 200_000_000  # bytes of the list of its files, which is read into memory
END = b"PK\x05\x06"
END_SIZE = 22
LARGE_LOCATOR = b"PK\x06\x07"
LARGE_END = b"PK\x06\x06"
CHUNK = 2**20
LINK = "->"


@dataclass
class Unpacked:
    """What was unpacked.

    Attributes:
        files: The number of files.
        bytes: Their size.
        left_out: The number of other files by their suffix.
        hidden: The names of images that are hidden or of the system, which are left out.
    """

    files: int = 0
    bytes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    hidden: list[str] = field(default_factory=list)


def unpack(archive: Path, folder: Path, name: str) -> Unpacked:
    """Unpack the images and tables of an archive into a folder.

    Args:
        archive: The file.
        folder: The folder, which exists.
        name: The name of the archive, for messages.

    Raises:
        Problem: If it is damaged, encrypted, too large, or has a path that leads elsewhere.
        StorageError: If the disk is full.
    """
    require_short_directory(archive, name)
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _wanted(opened, name)
            done = Unpacked(left_out=entries.left_out, hidden=entries.hidden)
            for path, info in entries.chosen:
                done.bytes += _write(opened, info, folder / path)
                done.files += 1
    except DAMAGE as error:
        raise Problem(
            _("{name}: this is no zip archive, or it is damaged; pack it anew.").format(name=name)
        ) from error
    return done


def require_short_directory(archive: Path, name: str) -> None:
    """Raise Problem if the list of the files of an archive would fill the memory."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - END_SIZE - 2**16))
        tail = file.read()
        place = tail.rfind(END)
        length = 0
        if place >= 0 and len(tail) - place >= END_SIZE:
            (length,) = struct.unpack_from("<I", tail, place + 12)
        if place >= 20 and tail[place - 20 : place - 16] == LARGE_LOCATOR:
            (start,) = struct.unpack_from("<Q", tail, place - 12)
            file.seek(min(start, size))
            record = file.read(56)
            if record.startswith(LARGE_END) and len(record) == 56:
                (length,) = struct.unpack_from("<Q", record, 40)
    if length > MOST_DIRECTORY:
        raise _too_many(name)


@dataclass
class _Entries:
    chosen: list[tuple[PurePosixPath, zipfile.ZipInfo]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    hidden: list[str] = field(default_factory=list)


def _wanted(opened: zipfile.ZipFile, name: str) -> _Entries:
    """Return what is unpacked of an archive, and where.

    Raises:
        Problem: If something in it is not allowed.
    """
    entries = _Entries()
    infos = opened.infolist()
    if len(infos) > MOST_ENTRIES:
        raise _too_many(name)
    for info in infos:
        path = inside(decoded(info)) if not info.is_dir() else None
        if path is None:
            continue
        if is_hidden_image(path):
            entries.hidden.append(path.as_posix())
            continue
        mode = info.external_attr >> 16
        is_link = mode and not (stat.S_ISREG(mode) or stat.S_IFMT(mode) == 0)
        if is_link or not is_wanted(path) or info.file_size > MOST_BYTES:
            entries.left_out[LINK if is_link else suffix_of(path.name) or NO_SUFFIX] += 1
            continue
        if info.flag_bits & 1:
            raise Problem(
                _("{name}: an archive must not be encrypted; pack it without a password.").format(
                    name=name
                )
            )
        entries.chosen.append((path, info))
    total = sum(info.file_size for _path, info in entries.chosen)
    size = sum(info.compress_size for info in infos)
    if total > min(MOST_UNPACKED, MOST_GROWTH * size + SPARE):
        raise Problem(
            _(
                "{name}: an archive may unpack to {most:g} GB at most, and to {growth} times its "
                "size; this one of {size:.3g} MB would be {total:.3g} GB."
            ).format(
                name=name,
                most=MOST_UNPACKED / 1e9,
                growth=MOST_GROWTH,
                size=size / 1e6,
                total=total / 1e9,
            ),
            TOO_LARGE,
        )
    if len(entries.chosen) > MOST_IMAGES:
        raise _too_many(name)
    return entries


def _too_many(name: str) -> Problem:
    return Problem(
        _("{name}: an archive may have {most:,} images; this one has more.").format(
            name=name, most=MOST_IMAGES
        ),
        TOO_LARGE,
    )


def decoded(info: zipfile.ZipInfo) -> str:
    """Return the name of a file; older programs of Taiwan write Big5 without saying so."""
    name = info.orig_filename
    if info.flag_bits & 0x800:  # it is UTF-8
        return name
    for encoding in ("utf-8", "cp950"):
        try:
            return name.encode("cp437").decode(encoding)
        except UnicodeError:
            continue
    return name


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> int:
    """Write a file of an archive, and return its size."""
    size = 0
    with opened.open(info) as source, storage_errors(target, _("the image")):
        target.parent.mkdir(parents=True, exist_ok=True)
        path = next(one for one in numbered(target, target.suffix) if not os.path.lexists(one))
        with path.open("xb") as file:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    return size
