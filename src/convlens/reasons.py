"""Reasons: what the operating system says when it refuses something, in the chosen language."""

from convlens.language import N_, _

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
)


def system_reason(error: BaseException) -> str:
    """Return why the system has refused something, or else what the error says.

    >>> system_reason(PermissionError(13, "Permission denied", "photos"))
    'Permission denied'
    >>> system_reason(ValueError("not UTF-8"))
    'not UTF-8'
    """
    return _(getattr(error, "strerror", None) or str(error))
