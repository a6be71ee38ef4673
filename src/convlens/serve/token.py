"""Token: the secret in a file, which requests must present.

The file is the user's alone. systemd gives a service its secrets as files of mode 440 in a folder
that nobody else can enter; the bit of the group stands there for the rights of the service.
"""

import os
import stat
from pathlib import Path

from convlens.errors import ConfigError
from convlens.language import _
from convlens.reasons import system_reason


def read_token(path: Path) -> str:
    """Return the token in a file that only its owner may read.

    Raises:
        ConfigError: If the file cannot be read, if others may read it, or if it has no token.
    """
    try:
        with path.open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            token = file.read(10_000).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            _("{path}: the token file cannot be read; {reason}.").format(
                path=path, reason=system_reason(error)
            )
        ) from error
    mode = stat.S_IMODE(found.st_mode)
    others = 0o037 if _is_credential(path, found.st_uid) else 0o077
    if os.name == "posix" and mode & others:
        raise ConfigError(
            _(
                "{path}: only the owner of the token file may read it; its mode is {mode:03o}. "
                "Change it with: chmod 600 {path}"
            ).format(path=path, mode=mode)
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            _(
                "{path}: the token file must hold one word of letters, digits and ASCII signs, "
                "such as the output of: openssl rand -hex 32"
            ).format(path=path)
        )
    return token


def _is_credential(path: Path, owner: int) -> bool:
    """Return whether systemd has given a file to this service (LoadCredential=)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    is_there = bool(folder) and path.resolve().is_relative_to(Path(str(folder)).resolve())
    return is_there and owner in (0, os.geteuid())
