"""Reasons: what the system and Pillow say of what they refuse, in the chosen language."""

import re

from convlens.language import N_, Message, _

# What Linux and Python say, as far as users meet it. Other texts stay as they are.
KNOWN = (
    N_("Address already in use"),
    N_("Bad file descriptor"),
    N_("Cannot assign requested address"),
    N_("Connection refused"),
    N_("Connection timed out"),
    N_("Device or resource busy"),
    N_("Directory not empty"),
    N_("Disk quota exceeded"),
    N_("File exists"),
    N_("File name too long"),
    N_("File too large"),
    N_("Input/output error"),
    N_("Is a directory"),
    N_("Name or service not known"),
    N_("Network is unreachable"),
    N_("No route to host"),
    N_("No space left on device"),
    N_("No such file or directory"),
    N_("Not a directory"),
    N_("Operation not permitted"),
    N_("Permission denied"),
    N_("Read-only file system"),
    N_("Temporary failure in name resolution"),
    N_("Too many levels of symbolic links"),
    N_("Too many open files"),
    N_("timed out"),
    # What Pillow says of images that are cut off or damaged.
    N_("Truncated File Read"),
    N_("broken data stream when reading image file"),
    N_("buffer overrun when reading image file"),
    N_("cannot decode image data"),
    N_("codec configuration error when reading image file"),
    N_("decoding error when reading image file"),
    N_("failed to decode next frame in WebP file"),
    N_("image file is truncated"),
    N_("image was incomplete"),
    N_("not enough image data"),
    N_("truncated PNG file"),
    N_("unrecognized data stream contents when reading image file"),
)
# The same, where a number or a name is a part of it. The first that fits is used.
TEMPLATES = (
    N_("broken PNG file (bad header checksum in {name})"),
    N_("broken PNG file (chunk {name})"),
    N_("broken PNG file (incomplete checksum in {name})"),
    N_("cannot identify image file {name}"),
    N_("decoder error {number} when reading image file"),
    N_("decoder error {number}"),
    N_("image file is truncated ({number} bytes not processed)"),
    N_("unpack requires a buffer of {number} bytes"),
)


def _pattern_of(template: str) -> re.Pattern[str]:
    """Return the pattern of what a template says, with a group for each of its fields."""
    parts = re.split(r"(\{\w+\})", template)
    return re.compile(
        "".join(
            f"(?P<{part[1:-1]}>.+)" if part.startswith("{") else re.escape(part) for part in parts
        )
    )


PATTERNS = {template: _pattern_of(template) for template in TEMPLATES}
BYTES = re.compile(r"^b(['\"])(.*)\1$")  # as Pillow writes the name of a chunk of a PNG file


def system_reason(error: BaseException) -> str:
    """Return why the system or Pillow has refused something, or else what the error says.

    >>> system_reason(PermissionError(13, "Permission denied", "photos"))
    'Permission denied'
    >>> system_reason(ValueError("not UTF-8"))
    'not UTF-8'
    """
    said = getattr(error, "strerror", None) or str(error)
    for template, pattern in PATTERNS.items():
        if match := pattern.fullmatch(said):
            fields = {name: BYTES.sub(r"\2", value) for name, value in match.groupdict().items()}
            return _(template).format(**fields)
    return _(said)


def damage_reason(error: BaseException) -> str:
    """Return why a file cannot be read: what the system or convlens says, or that it is damaged.

    What zipfile, NumPy and other libraries say of damaged content helps no user; --debug shows it.

    >>> damage_reason(PermissionError(13, "Permission denied", "photos"))
    'Permission denied'
    >>> damage_reason(ValueError("Cannot load file containing pickled data"))
    'its content is cut off, changed or of another kind'
    """
    if getattr(error, "strerror", None):
        return system_reason(error)
    if isinstance(error, UnicodeDecodeError):
        return _("this is not UTF-8 text")
    if error.args and isinstance(error.args[0], Message):
        return error.args[0]
    return _("its content is cut off, changed or of another kind")
