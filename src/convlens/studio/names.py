"""Names: what a class or an image may be called in a workspace, whatever a browser sends.

A name becomes the name of a folder or of a file on any system. Emoji and Chinese are fine; what
would lead elsewhere, hide the folder or deceive the eye is not.
"""

import re
import unicodedata
from collections.abc import Collection

from convlens.audit.cleaned import FORBIDDEN, RESERVED
from convlens.data.walk import is_system_name, suffix_of
from convlens.image_file import IMAGE_SUFFIXES
from convlens.language import _
from convlens.studio.problem import Problem

MOST_BYTES = 150  # of a name; systems allow 255, and some add something to it
MOST_SIGNS = 80
JOINER = "\N{ZERO WIDTH JOINER}"  # of which emoji are made
# The usual suffix of a format, by Pillow's name.
FORMATS = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "DIB": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
    "JPEG2000": ".jp2",
    "PPM": ".ppm",
    "ICO": ".ico",
    "TGA": ".tga",
    "PCX": ".pcx",
    "QOI": ".qoi",
}
FEWEST = 4  # signs of a name that must be cut


def class_name(given: object, others: Collection[str]) -> str:
    """Return the name of a new class as its folder has it.

    Args:
        given: What was asked for.
        others: The names of the classes that are there.

    Raises:
        Problem: If no folder can have this name on all systems, or if a class has it.
    """
    name = _composed(given if isinstance(given, str) else "").strip()
    wrong = _wrong(name)
    if wrong:
        raise Problem(
            _("the name of a class must be that of a folder; {reason}.").format(reason=wrong),
            field="name",
        )
    if name.casefold() in {_composed(other).casefold() for other in others}:
        raise Problem(
            _("there is a class {name} already; choose another name.").format(name=name),
            field="name",
        )
    return name


def _wrong(name: str) -> str:
    """Return why a class cannot have a name, or nothing."""
    if not name:
        return _("this one is empty")
    if len(name) > MOST_SIGNS or len(name.encode(errors="replace")) > MOST_BYTES:
        return _("this one is longer than {most} signs").format(most=MOST_SIGNS)
    bad = next((sign for sign in name if FORBIDDEN.match(sign) or _is_unseen(sign)), "")
    if bad:
        shown = bad if bad.isprintable() else "U+{:04X}".format(ord(bad))
        return _("this one has {sign} in it").format(sign=shown)
    if name.startswith(".") or name.endswith(".") or is_system_name(name):
        return _("this one would be hidden or belongs to the system")
    if RESERVED.fullmatch(name):
        return _("Windows keeps this one for itself")
    return ""


def image_name(given: str, kind: str) -> str:
    r"""Return the name of a new image file: the last part of a name, without what is not allowed.

    Args:
        given: The name or the path that was sent.
        kind: Pillow's name of the format of the file.

    >>> image_name("C:\\photos\\my cat.JPG", "JPEG"), image_name("../../.ssh/id", "PNG")
    ('my cat.JPG', 'id.png')
    >>> image_name("a\0b?.svg", "PNG"), image_name("CON.jpg", "JPEG"), image_name("", "PNG")
    ('a_b_.svg.png', '_CON.jpg', 'image.png')
    """
    last = re.split(r"[/\\]", _composed(given))[-1]
    plain = "".join("_" if FORBIDDEN.match(sign) or _is_unseen(sign) else sign for sign in last)
    plain = plain.strip(" .")
    suffix = suffix_of(plain)
    if suffix in IMAGE_SUFFIXES:
        suffix = plain[-len(suffix) :]
        plain = plain.removesuffix(suffix).rstrip(" .")
    else:
        suffix = FORMATS.get(kind, ".png")
    plain = _cut(plain) or "image"
    if RESERVED.fullmatch(plain) or is_system_name(plain + suffix):
        plain = "_" + plain
    return plain + suffix


def _cut(name: str) -> str:
    """Return as much of a name as a file may have."""
    name = name[:MOST_SIGNS]
    while len(name.encode()) > MOST_BYTES and len(name) > FEWEST:
        name = name[:-1]
    return name.strip(" .")


def _composed(name: str) -> str:
    """Return a name in Unicode's composed form, which has no lone surrogate."""
    return unicodedata.normalize("NFC", name.encode(errors="replace").decode())


def _is_unseen(sign: str) -> bool:
    """Return whether a sign cannot be seen or turns the direction of a text."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn") and sign != JOINER
