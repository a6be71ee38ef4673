"""Sealed: small files of the cache end in a checksum, so that bytes that changed are noticed.

Large arrays have none, since a run reads only the parts of them that it needs. Neither have the
files of earlier releases, which are used all the same.
"""

import hashlib
import os
from pathlib import Path

LARGEST = 64 * 2**20  # bytes; hashing a file takes 1 s for each GB of it
MARK = b"\nsha256 "  # between the content of a file and the digits of its checksum


def checksum_of(content: bytes | memoryview) -> bytes:
    r"""Return what follows the content of a file: the mark and the SHA-256 of the content.

    >>> checksum_of(b"null")[:16]
    b'\nsha256 74234e98'
    """
    return MARK + hashlib.sha256(content).hexdigest().encode()


def seal(path: Path) -> None:
    """Append the checksum of a file to it, unless it is large, and bring it to the disk.

    Raises:
        OSError: If the file cannot be written to.
    """
    with path.open("rb+") as file:
        if path.stat().st_size <= LARGEST:
            digits = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0, os.SEEK_END)
            file.write(MARK + digits.encode())
        file.flush()
        os.fsync(file.fileno())


def read_sealed(path: Path) -> bytes:
    """Return the content of a file without its checksum.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the checksum is that of another content.
    """
    whole = path.read_bytes()
    content, mark, _digits = whole.rpartition(MARK)
    if not mark:
        return whole
    if whole != content + checksum_of(content):
        raise ValueError(path)
    return content
