"""The ways in which a file of the cache is damaged."""

from collections.abc import Callable
from pathlib import Path

GARBAGE = bytes(range(1, 256)) * 20


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def cut_by_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def replaced_by_garbage(path: Path) -> None:
    path.write_bytes(GARBAGE)


def changed_inside(path: Path) -> None:
    """Change bytes in the middle, so that the file stays as long and as readable as it was."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    for place in range(middle, min(middle + 50, len(content))):
        content[place] ^= 1
    path.write_bytes(content)


DAMAGES: tuple[Callable[[Path], None], ...] = (
    emptied,
    halved,
    cut_by_a_byte,
    replaced_by_garbage,
)
# Those of files that end in a checksum.
SEALED_DAMAGES = (*DAMAGES, changed_inside)
