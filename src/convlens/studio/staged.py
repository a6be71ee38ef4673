"""Staged: the names of files that come with folders and archives, as paths inside one folder."""

import re
from pathlib import PurePosixPath

from convlens.audit.cleaned import FORBIDDEN, RESERVED
from convlens.data.walk import is_system_name, suffix_of
from convlens.image_file import IMAGE_SUFFIXES
from convlens.language import _
from convlens.studio.problem import Problem

TABLES = (".csv", ".tsv")
MOST_PARTS = 12  # folders in folders
MOST_BYTES = 200  # of the name of a file or folder


def is_wanted(path: PurePosixPath) -> bool:
    """Return whether a file may be an image or a table of labels, and no file of the system."""
    suffix = suffix_of(path.name)
    return suffix in (*IMAGE_SUFFIXES, *TABLES) and not any(map(is_system_name, path.parts))


def is_hidden_image(path: PurePosixPath) -> bool:
    """Return whether a file is left out for its name or folder only, as hidden or of the system.

    What macOS writes beside each file of an archive is no image.
    """
    is_beside = path.name.startswith("._") or "__MACOSX" in path.parts
    is_image = suffix_of(path.name) in IMAGE_SUFFIXES
    return is_image and not is_beside and any(map(is_system_name, path.parts))


def inside(given: str) -> PurePosixPath:
    r"""Return the path that a file gets inside a folder.

    Args:
        given: Its path as a browser or an archive has it.

    Raises:
        Problem: If it would lead out of the folder, or if it is none.

    >>> str(inside("photos\\cat/./a?.jpg")), str(inside("貓/1.jpg")), str(inside("con/aux.jpg"))
    ('photos/cat/a_.jpg', '貓/1.jpg', 'con_/aux_.jpg')
    """
    parts = [part for part in re.split(r"[/\\]", given) if part not in ("", ".")]
    leads_out = given.startswith(("/", "\\")) or ".." in parts or re.match("[A-Za-z]:", given)
    if leads_out or "\0" in given or not parts or len(parts) > MOST_PARTS:
        raise Problem(
            _(
                "the path of a file must stay inside its folder; found {path!r}, of which nothing "
                "was kept."
            ).format(path=given[:100]),
            field="path",
        )
    return PurePosixPath(*map(_allowed, parts))


def _allowed(part: str) -> str:
    """Return the name of a file or folder that all systems allow."""
    plain = part.encode(errors="replace").decode()
    plain = FORBIDDEN.sub("_", plain).rstrip(". ") or "_"
    if RESERVED.fullmatch(plain):  # the suffix stays, by which an image is known
        plain = re.sub(r"(\.|$)", r"_\1", plain, count=1)
    if len(plain.encode()) > MOST_BYTES:
        suffix = suffix_of(plain)
        plain = plain.encode()[: MOST_BYTES - len(suffix)].decode(errors="ignore") + suffix
    return plain
