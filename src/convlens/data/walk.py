"""Walk: find the images in a folder, in the same way for training and for prediction.

Names are in natural order. Hidden files, those that systems and programs leave behind, and runs are
left out and counted. Links are followed, but not back to a folder that has been entered.
"""

import os
import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from PIL import Image

from convlens.data.labels import natural_key
from convlens.errors import DataError
from convlens.image_file import IMAGE_SUFFIXES
from convlens.language import N_, _, listed
from convlens.reasons import system_reason
from convlens.run_folder import is_run
from convlens.text import original

# What systems and programs write beside the images of a user, in lower case. Names that begin with
# a dot, such as .git, .AppleDouble and .ipynb_checkpoints, are left out without being listed.
# fmt: off
SYSTEM_NAMES = (
    # not translated: names of folders
    "__macosx", "network trash folder", "temporary items", "ipod photo cache",  # macOS
    "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin",  # Windows
    "system volume information",  # not translated: the name of a folder
    "lost+found", "lost.dir",  # Linux and Android
    "@eadir", "@tmp", "@sharebin", "#recycle", "#snapshot",  # Synology
    "@recycle", "@recently-snapshot", "@__thumb",  # QNAP
    "~snapshot", "_gsdata_", "__pycache__", "node_modules",
)
# fmt: on
SYSTEM_NAME = re.compile(
    r"\..*"  # hidden
    r"|synophoto_(thumb|film)_.*|.*@syno(eastream|resource)"  # Synology
    r"|.*\.(lrdata|lrcat-data|cocatalogdb)"  # previews of Lightroom and Capture One
    r"|found\.\d{3}|.*:zone\.identifier",  # Windows
    re.DOTALL,
)
# What is ignored; the texts are translated where they are shown.
SYSTEM = N_("hidden or of the system")
LOOPS = N_("linked back to a folder around them")
OTHERS = N_("neither files nor folders")
OF_RUNS = N_("made by a training")
NO_SUFFIX = N_("without a suffix")

SUFFIX = re.compile(r"\.[a-z][a-z0-9]{0,6}")  # ".jpg", but neither ".0001" nor ".jpg_large"
# The formats that can be told by the first bytes of a file.
SIGNED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")

_passed: ContextVar[dict[str, str] | None] = ContextVar("passed", default=None)


@dataclass(frozen=True)
class Found:
    """What is inside a folder, in natural order.

    Attributes:
        folders: The folders.
        images: The image files, by their suffix or, without one, by their first bytes.
        ignored: The number of other entries by what they are: a suffix, or words.
    """

    folders: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def counted(files: Counter[str]) -> str:
    """Return how many files there are of each kind, in words.

    >>> counted(Counter({".txt": 2, SYSTEM: 1}))
    '2 .txt, 1 hidden or of the system'
    """
    return listed(
        _("{count:,} {kind}").format(count=count, kind=_(kind))
        for kind, count in files.most_common(6)
    )


def is_system_name(name: str) -> bool:
    """Return whether a file or folder of this name is hidden or was left by a system or program.

    >>> [is_system_name(name) for name in (".git", "@eaDir", "Thumbs.db", "@home")]
    [True, True, True, False]
    """
    plain = name.lower()
    return plain in SYSTEM_NAMES or SYSTEM_NAME.fullmatch(plain) is not None


@contextmanager
def passing_over() -> Iterator[dict[str, str]]:
    """Pass over folders that cannot be read, and yield a dict that gets the reason for each."""
    passed: dict[str, str] = {}
    token = _passed.set(passed)
    try:
        yield passed
    finally:
        _passed.reset(token)


def _scanned(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the entries of a folder.

    scandir tells folders from files without asking the disk for each entry.

    Raises:
        OSError: If the folder cannot be read, except within `passing_over`.
    """
    try:
        with os.scandir(folder) as scanned:
            yield from scanned
    except OSError as error:
        passed = _passed.get()
        if passed is None:
            raise
        passed[str(folder)] = system_reason(error)


def _holds(question: Callable[[], bool]) -> bool:
    """Return what is answered of an entry; no where it is a link that the system cannot follow.

    Such a link leads back to itself, or into a folder that cannot be entered.
    """
    try:
        return question()
    except OSError:
        return False


def entries(folder: Path) -> Found:
    """Return what is directly inside a folder.

    Raises:
        OSError: If the folder cannot be read.
    """
    found = Found()
    by_name = {entry.name: entry for entry in _scanned(folder)}
    for name in sorted(by_name, key=natural_key):
        path = folder / name
        suffix = suffix_of(name)
        if is_system_name(name):
            found.ignored[SYSTEM] += 1
        elif _holds(by_name[name].is_dir):
            # The charts and thumbnails of a run are no images to learn from.
            if is_run(path):
                found.ignored[OF_RUNS] += 1
            else:
                found.folders.append(path)
        # A link that leads nowhere is kept, so that it is named like a damaged image.
        elif not (_holds(by_name[name].is_file) or by_name[name].is_symlink()):
            found.ignored[OTHERS] += 1
        elif suffix in IMAGE_SUFFIXES or (not suffix and _has_image_bytes(path)):
            found.images.append(path)
        else:
            found.ignored[suffix or NO_SUFFIX] += 1
    return found


def walk(folder: Path) -> Found:
    """Return what is inside a folder and in the folders inside it, the nearest first.

    Raises:
        OSError: If a folder cannot be read.
    """
    found = Found()
    for here in _each(folder):
        found.folders.extend(here.folders)
        found.images.extend(here.images)
        found.ignored.update(here.ignored)
    return found


def refuse_run(folder: Path) -> None:
    """Raise DataError for a run, whose charts and thumbnails would be taken as images."""
    if is_run(folder):
        raise DataError(
            _(
                "{folder}: images are needed here, but this folder is a run. Name images, such as "
                "those that it was trained on, or see what it holds: {command}"
            ).format(folder=folder, command=shlex.join(["convlens", "run", "show", str(folder)]))
        )


def holds_images(folder: Path) -> bool:
    """Return whether there is an image in a folder or in the folders inside it."""
    # The first image answers in most folders, without listing the others.
    for entry in _scanned(folder):
        is_image = suffix_of(entry.name) in IMAGE_SUFFIXES and not is_system_name(entry.name)
        if is_image and _holds(entry.is_file):
            return True
    return any(here.images for here in _each(folder))


def _each(folder: Path) -> Iterator[Found]:
    """Yield what is directly inside a folder, and inside each folder in it; each is entered once.

    A link to a folder around this one is not followed: it would make everything beside this folder
    a part of it.
    """
    around = {os.path.realpath(above) for above in folder.absolute().parents}
    around.update(map(str, Path(os.path.realpath(folder)).parents))
    entered: set[str] = set()
    waiting = [folder]
    while waiting:
        inside = waiting.pop(0)
        real = os.path.realpath(inside)
        if real in around:
            yield Found(ignored=Counter([LOOPS]))
        elif real not in entered:
            entered.add(real)
            here = entries(inside)
            waiting += here.folders
            yield here


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case, or nothing if it has none.

    >>> suffix_of("a.PNG"), suffix_of("a.0001"), suffix_of("a")
    ('.png', '', '')
    """
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ten times as fast as Path
    return suffix if SUFFIX.fullmatch(suffix) else ""


def _has_image_bytes(path: Path) -> bool:
    """Return whether a file begins as an image does."""
    # Pillow raises almost anything on files that only look like an image.
    with suppress(Exception), Image.open(path, formats=SIGNED):
        return True
    return False


def as_spelled(path: Path) -> Path:
    """Return a path that exists, if it differs from this one in Unicode's composition only.

    macOS writes an accented letter of a file name as two characters, other systems as one. Both
    look the same to the user.
    """
    # Unlike Path.exists(), this is false for names that are too long or hold a zero byte.
    exists = os.path.exists
    if exists(path):
        return path
    here = Path(path.anchor)
    for part in path.parts[len(here.parts) :]:
        if exists(here / part):
            here /= part
        else:
            here /= _composed_names(here).get(unicodedata.normalize("NFC", part), part)
    return here


def located(base: Path, name: str, encoding: str) -> Path | None:
    """Return the file that a table names, also if it was written on another system; None if none.

    Windows separates folders by backslashes, macOS decomposes accented letters, and archives of
    other systems may have file names in the encoding of the table. `convlens predict` escapes bytes
    that are not UTF-8.
    """
    slashed = name.replace("\\", "/")
    spellings = [base / name, base / slashed, base / original(name)]
    if not name.isascii():
        spellings += [as_spelled(base / name), as_spelled(base / slashed)]
        if not encoding.startswith("utf"):
            spellings.append(base / os.fsdecode(slashed.encode(encoding)))
    # Unlike Path.is_file(), this is false for names that are too long or hold a zero byte.
    return next(filter(os.path.isfile, spellings), None)


def _composed_names(folder: Path) -> dict[str, str]:
    """Return the names of the entries of a folder by their composed form."""
    with suppress(OSError, ValueError):
        return _names_at(folder, folder.stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=64)
def _names_at(folder: Path, _time: int) -> dict[str, str]:
    return {unicodedata.normalize("NFC", name): name for name in os.listdir(folder)}  # noqa: PTH208
