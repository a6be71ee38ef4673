"""Cache size: what the cache holds, and the limit above which the oldest parts are removed.

Only files that convlens has made, and can make again without a download, are listed and removed.
Others in the same folder stay, such as the arrays of data sets that Keras has downloaded.
"""

import contextlib
import os
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from convlens.data.cache import cache_folder
from convlens.errors import ConfigError
from convlens.language import N_, _

LIMIT = "20 GB"
IN_USE = 3600  # seconds; what was used since may be in use, and is removed only on request
# The paths of the files of each kind, which is translated where it is shown. A file that is being
# written begins with a dot; decoded images are written to files that end in "part-..." and stay
# where the decoding is stopped.
KINDS = {
    N_("decoded images"): r"store/(\.[0-9a-f]{8}\.)?(?P<name>[0-9a-f]{32})\.(npy|json|part-[a-z]+)",
    N_(
        "summaries of images"
    ): r"looks/(\.[0-9a-f]{8}\.)?(?P<name>[0-9a-f]{32})(\.[0-9a-f]{8})?\.np[yz]",
    N_("features"): r"features/(?P<name>[0-9a-f]{32})/[0-9a-f]{32}\.(digests|features|records)",
    N_("maps of frozen layers"): r"maps/(?P<name>[0-9a-f]{32})/[0-9a-f]{32}\.(digests|features)",
    N_("converted networks"): r"networks/(\.[0-9a-f]{8}\.)?(?P<name>[0-9a-f]{32})\.(xml|bin)",
    N_("unpacked arrays"): r"(\.[0-9a-f]{8}\.)?(?P<name>.+-[0-9a-f]{16}-[0-9a-f]{16})\.npy",
}
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Entry:
    """A part of the cache that is removed as a whole.

    Attributes:
        kind: What it is, one of `KINDS`.
        name: Its name in the folder of the cache.
        files: Its files.
        size: Their size in bytes.
        used: When it was used last, as `time.time` gives it.
    """

    kind: str
    name: str
    files: tuple[Path, ...]
    size: int
    used: float


def cache_entries() -> list[Entry]:
    """Return the parts of the cache, those used last first.

    Raises:
        StorageError: If the cache folder cannot be created.
    """
    folder = cache_folder()
    found: dict[tuple[str, str], list[Path]] = defaultdict(list)
    places = ("*", "store/*", "looks/*", "networks/*", "features/*/*", "maps/*/*")
    for path in chain.from_iterable(map(folder.glob, places)):
        for kind, pattern in KINDS.items():
            match = re.fullmatch(pattern, path.relative_to(folder).as_posix())
            if match is not None and path.is_file():
                found[kind, match["name"]].append(path)
    entries = [_entry(kind, name, files) for (kind, name), files in found.items()]
    return sorted(entries, key=lambda entry: entry.used, reverse=True)


def _entry(kind: str, name: str, files: list[Path]) -> Entry:
    facts = []
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # Another process has removed it.
            facts.append(file.stat())
    size = sum(fact.st_size for fact in facts)
    used = max((fact.st_mtime for fact in facts), default=0.0)
    return Entry(kind, name, tuple(files), size, used)


def trim_cache(size: int, spared: float = 0.0) -> list[Entry]:
    """Remove the parts of the cache that were used least recently, and return them.

    Args:
        size: The bytes that may stay.
        spared: The seconds within which a part must have been used to stay in any case.

    Raises:
        StorageError: If the cache folder cannot be created.
    """
    entries = cache_entries()
    total = sum(entry.size for entry in entries)
    removed = []
    for entry in reversed(entries):
        if total <= size or entry.used > time.time() - spared:
            break
        # Windows does not remove a file that a process has mapped.
        with contextlib.suppress(OSError):
            for file in entry.files:
                file.unlink(missing_ok=True)
            if entry.files[0].parent.name == entry.name:
                entry.files[0].parent.rmdir()
            removed.append(entry)
            total -= entry.size
    return removed


def keep_within_limit() -> None:
    """Remove what was used least recently where the cache has grown above its limit."""
    trim_cache(cache_limit(), IN_USE)


def cache_limit() -> int:
    """Return the bytes that the cache may hold: $CONVLENS_CACHE_LIMIT, or else 20 GB.

    Raises:
        ConfigError: If the variable is no size.
    """
    return parse_bytes(os.environ.get("CONVLENS_CACHE_LIMIT") or LIMIT, "CONVLENS_CACHE_LIMIT")


def parse_bytes(text: str, name: str) -> int:
    """Return the number of bytes of a size.

    Args:
        text: The size.
        name: What has this size, for the message.

    Raises:
        ConfigError: If the text is no size.

    >>> parse_bytes("500MB", "--to"), parse_bytes("1.5 GB", "--to"), parse_bytes("0", "--to")
    (500000000, 1500000000, 0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ConfigError(
            _("{name} must be a size such as 500MB or 20GB; found {text!r}.").format(
                name=name, text=text
            )
        )
    unit = match[2].lower() if match[2].lower() == "k" else match[2].upper()
    return int(float(match[1]) * UNITS[unit])
