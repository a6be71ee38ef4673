"""Files: writing that leaves a whole file or none, and reading what earlier releases wrote.

A file that is written as a whole goes through `write_atomically`. A file that grows row by row, and
a folder that is created, go through `storage_errors`. Both report a full disk or a missing
permission in the same way. `explained_stops` adds to that message what was kept and how to go on,
and says the same after Ctrl-C.
"""

import errno
import lzma
import os
import secrets
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from convlens.errors import Interrupted, StorageError
from convlens.folders import make_folder, sync_folder
from convlens.language import N_, _, listed, sentences
from convlens.reasons import system_reason
from convlens.text import ESCAPE


class Remedy(NamedTuple):
    """What the user can do about a file that cannot be written, which depends on the reason.

    Attributes:
        full: What helps where the disk is full; it is translated where it is said.
        refused: What helps where the system refuses it, as in a folder that is read-only.
        other: What helps otherwise, as where the disk is damaged or takes no file of this size.
    """

    full: str
    refused: str
    other: str

    def against(self, error: OSError) -> str:
        """Return what helps against an error, in the chosen language."""
        # NumPy, whose errors have no number, does not say more of a full disk.
        if error.errno is None or error.errno in FULL_DISK:
            return _(self.full)
        return _(self.refused if error.errno in FORBIDDEN else self.other)


REMEDY = Remedy(
    N_("Free some space on the disk, or choose a folder on another disk."),
    N_("Choose a folder that can be written to."),
    N_("Choose another folder, if possible on another disk."),
)
# What a full disk and a quota raise. Windows does not know the number of the second.
FULL_DISK = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# The same, and what a file that is too large, a damaged disk and a closed stream raise.
UNWRITABLE = FULL_DISK | {errno.EFBIG, errno.EIO, errno.EBADF}
# What a file or a folder raises that may not be used, or not be written to.
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}

# What a damaged or truncated file makes zipfile and its decompressors, gzip, NumPy, h5py and json
# raise. RuntimeError stands for an encrypted archive or a compression that Python does not know.
DAMAGE = (
    OSError,
    EOFError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)

# Keys of JSON files up to format 1 of the classifier, see docs/decisions/names.md.
FORMER_NAMES = {
    "picture": "image",
    "pictures": "images",
    "pictures_seen": "images_seen",
}


def write_atomically(
    path: str | Path,
    content: bytes | str | Callable[[Path], object],
    what: str | None = None,
    remedy: str | Remedy = REMEDY,
) -> None:
    """Write a file so that it is replaced as a whole or stays as it was.

    The content goes to a temporary file in the same folder, which then takes the name of the file.
    A process that is killed meanwhile, a full disk or a power cut therefore leaves the previous
    file untouched. Missing parent folders are created. When the function returns, the new file is
    on the disk under its name, so that what is written later is never there without it.

    Args:
        path: The file to write. A device, such as /dev/stdout, is written directly.
        content: The bytes or the text (written as UTF-8 with its line endings unchanged; see
            `convlens.text` for names that are not UTF-8), or a function that writes the file whose
            path it is given, which has the suffix of `path`.
        what: What the file is, for the message, in the chosen language: "the classifier".
        remedy: What the user can do, for the message.

    Raises:
        StorageError: If the file cannot be written.

    Example:
        >>> write_atomically("figure.png", figure.savefig, "the figure")  # doctest: +SKIP
    """
    path = Path(path)
    with storage_errors(path, what, remedy):
        make_folder(path.parent)
        if path.exists() and not path.is_file():
            _write(path, content)
            return
        temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
        try:
            _write(temporary, content)
            # Without this, a power cut could leave the new name without its content.
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _write(path: Path, content: bytes | str | Callable[[Path], object]) -> None:
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode(errors=ESCAPE) if isinstance(content, str) else content)


@contextmanager
def storage_errors(
    path: str | Path, what: str | None = None, remedy: str | Remedy = REMEDY
) -> Iterator[None]:
    """Raise StorageError for an OSError that is raised inside.

    Args:
        path: The file or folder that is written, for the message.
        what: What it is, for the message, in the chosen language: "the run folder".
        remedy: What the user can do, for the message.

    Raises:
        StorageError: If an OSError is raised inside.

    Example:
        >>> with storage_errors("a", "the run", "Take another."):
        ...     raise PermissionError(13, "Permission denied")
        Traceback (most recent call last):
        convlens.errors.StorageError: a: the run cannot be written; Permission denied. Take another.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            _("{path}: {what} cannot be written; {reason}. {remedy}").format(
                path=path,
                what=what or _("the file"),
                reason=system_reason(error),
                remedy=remedy if isinstance(remedy, str) else remedy.against(error),
            )
        ) from error


@contextmanager
def explained_stops(
    how_to_go_on: Callable[[], str],
    stopped: str | Callable[[], str] | None = None,
    *,
    several: bool = False,
) -> Iterator[None]:
    """Turn Ctrl-C and a full disk inside the block into a message that says how to go on.

    Args:
        how_to_go_on: Returns what was kept and what to type, as a sentence.
        stopped: The sentence before it, in the chosen language, or what returns it when it stops.
        several: Whether the block runs several trainings. Then the message of the one that was
            stopped is replaced, since it would continue that one only.

    Raises:
        Interrupted: If Ctrl-C was pressed.
        StorageError: If a file could not be written.
    """
    try:
        yield
    except (KeyboardInterrupt, Interrupted) as stop:
        if isinstance(stop, Interrupted) and not several:
            raise
        said = stopped() if callable(stopped) else stopped
        raise Interrupted(sentences(said or _("stopped before the end."), how_to_go_on())) from None
    except StorageError as error:
        raise StorageError(sentences(*error.args, how_to_go_on())) from error


def expanded(path: str | Path, otherwise: Path | None = None) -> Path:
    """Return a path whose ~ is replaced by the home folder.

    Args:
        path: A path such as "~/photos".
        otherwise: What is returned if there is no such home, as for an unknown user in a container.
            None stands for the path as it is, since a folder may be called "~old".

    >>> expanded("~no such user/a.png").name, expanded("~no such user", Path("b")).name
    ('a.png', 'b')
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path) if otherwise is None else otherwise


def keras_home() -> Path:
    """Return the folder in which Keras keeps what it has downloaded."""
    temporary = Path(tempfile.gettempdir()) / ".keras"
    return expanded(os.environ.get("KERAS_HOME") or "~/.keras", temporary)


def numbered(path: Path, suffix: str = "") -> Iterator[Path]:
    """Yield a path, and then the same with -2, -3, ... added to its name before the suffix.

    >>> first = numbered(Path("runs/hospital.A"))
    >>> next(first).name, next(first).name
    ('hospital.A', 'hospital.A-2')
    """
    yield path
    for number in count(2):
        yield path.with_name(f"{path.name.removesuffix(suffix)}-{number}{suffix}")


def claim_folder(folder: Path, what: str | None = None, remedy: str | Remedy = REMEDY) -> bool:
    """Create a folder, and return whether this call did so; among several processes, one does.

    Raises:
        StorageError: If the folder cannot be created for another reason than that it exists.
    """
    with storage_errors(folder, what or _("the folder"), remedy):
        try:
            make_folder(folder.parent)
            folder.mkdir()
            sync_folder(folder.parent)
        except FileExistsError:
            if not os.path.lexists(folder):
                raise  # Something else is in the place of one of its parents.
            return False
    return True


def and_more(names: Sequence[object], most: int = 5, total: int | None = None) -> str:
    """Return the first names as a list, and how many others there are.

    Args:
        names: The names.
        most: The number of names that are shown.
        total: How many there are, where `names` are only the first of them.

    >>> and_more(["a", "b", "c"], most=3)
    'a, b, c'
    >>> and_more(range(1, 2003), most=2)
    '1, 2 and 2,000 more'
    """
    shown = names[:most]
    text = listed(name if isinstance(name, str) else str(name) for name in shown)
    more = (len(names) if total is None else total) - len(shown)
    if not more:
        return text
    return _("{shown} and {number:,} more").format(shown=text, number=more)


def with_present_names(content: Any) -> Any:
    """Return the content of a JSON file with the keys of earlier releases renamed.

    >>> with_present_names({"pictures_seen": "test", "per_class": [{"pictures": 4}]})
    {'images_seen': 'test', 'per_class': [{'images': 4}]}
    """
    if isinstance(content, dict):
        return {
            FORMER_NAMES.get(name, name): with_present_names(value)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [with_present_names(value) for value in content]
    return content
