"""Token: the secret in a file, which requests must present."""

import os
import stat
from pathlib import Path

from convlens.errors import ConfigError
from convlens.language import _


def read_token(path: Path) -> str:
    """Return the token in a file that only its owner may read.

    Raises:
        ConfigError: If the file cannot be read, if others may read it, or if it has no token.
    """
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            token = file.read(10_000).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            _("{path}: the token file cannot be read; {reason}.").format(
                path=path, reason=getattr(error, "strerror", None) or error
            )
        ) from error
    if os.name == "posix" and mode & 0o077:
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
