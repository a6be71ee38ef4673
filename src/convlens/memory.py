"""Memory: how much there is, how much this process has, and whether the lack of it ended a run.

A process that the system ends for want of memory cannot say so. While a training runs, a sample of
its memory is therefore written beside its state. Together with how often the system has ended
processes of this control group, it is the evidence for the run that is resumed.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from convlens.errors import StorageError
from convlens.files import write_atomically
from convlens.language import N_, _, sentences
from convlens.lock import was_killed

SAMPLE = Path("state") / "memory.json"
GROUPS = Path("/sys/fs/cgroup")  # where Linux shows control groups
MEMBER = Path("/proc/self/cgroup")  # and those that this process is in
NEARLY = 0.9  # share of the memory from which on a process that was killed probably lacked it
LOWER = N_(
    "Close other programs before you resume it, or start a new run with a smaller --micro-batch, "
    "--batch-size or --size."
)
KILLED = N_(
    "the system has ended {folder} for want of memory: in epoch {epoch} it had {used:.1f} GB and "
    "{free:.1f} GB were free."
)
PROBABLY_KILLED = N_(
    "the system has probably ended {folder} for want of memory: in epoch {epoch} it had {used:.1f} "
    "GB and {free:.1f} GB were free."
)


@dataclass(frozen=True)
class Sample:
    """The memory of a process that trains.

    Attributes:
        used: The bytes that it has in memory.
        free: The bytes that it could still get.
        kills: How many processes of its control group the system has ended, or None.
        group: Which control group that is.
        epoch: The epoch in which the training was, counted from 1.
    """

    used: int
    free: int
    kills: int | None
    group: str
    epoch: int = 1


def free_memory() -> int:
    """Return the bytes that this process can still get, within the limits of its control group."""
    rooms = [_room(folder) for folder in _groups()]
    return min([int(psutil.virtual_memory().available), *rooms])


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether an error of Python or of an engine says that there is not enough memory."""
    names = {kind.__name__ for kind in type(error).__mro__}
    known = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
    return bool(names & known) or "RESOURCE_EXHAUSTED" in str(error)  # as JAX says it


def take_sample(folder: Path, epoch: int) -> None:
    """Write the present memory of this process into the folder of a run.

    A disk that is full does not end the training for it.
    """
    kills, group = _kills()
    used = psutil.Process().memory_info().rss
    sample = Sample(used, free_memory(), kills, group, epoch)
    with contextlib.suppress(StorageError):
        write_atomically(folder / SAMPLE, json.dumps(asdict(sample)))


def why_killed(folder: Path) -> str:
    """Return a note on a run that was killed for want of memory, otherwise ""."""
    sample = next(filter(None, map(_last_sample, folder.rglob(str(SAMPLE)))), None)
    if sample is None:
        return ""
    kills, group = _kills()
    known = kills is not None and sample.kills is not None and group == sample.group
    if known and kills == sample.kills:
        return ""  # something else has killed it
    template = KILLED if known else PROBABLY_KILLED
    if not known and sample.used < NEARLY * (sample.used + sample.free):
        return ""
    said = _(template).format(
        folder=folder, epoch=sample.epoch, used=sample.used / 1e9, free=sample.free / 1e9
    )
    return sentences(said, _(LOWER))


def _last_sample(path: Path) -> Sample | None:
    """Return the sample of a run, or of a part of one, whose process was killed."""
    if not was_killed(path.parents[1]):
        return None
    try:
        return Sample(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _groups() -> Iterator[Path]:
    """Yield the folders of the control groups that limit the memory of this process.

    The second version of control groups has one tree, the first has one for the memory. Inside a
    container, the path of the group may be that of the host, and then the root is the group.
    """
    try:
        lines = MEMBER.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            root = GROUPS
        elif "memory" in controllers.split(","):
            root = GROUPS / "memory"
        else:
            continue
        inner = root / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(root) and _limit(folder) is not None:
                yield folder


def _room(folder: Path) -> int:
    """Return the bytes that a control group may still take; what it can drop counts as free."""
    used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
    with contextlib.suppress(OSError, ValueError):
        facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        used -= int(facts.get("total_inactive_file", facts.get("inactive_file", 0)))
    return max((_limit(folder) or 0) - used, 0)


def _limit(folder: Path) -> int | None:
    return _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")


def _number(path: Path) -> int | None:
    """Return the number in a file; None if there is none, as where it says "max"."""
    with contextlib.suppress(OSError, ValueError):
        number = int(path.read_text())
        return number if number < 2**60 else None  # the first version has a huge one for "max"
    return None


def _kills() -> tuple[int | None, str]:
    """Return how often the system has ended a process of this control group, and which it is."""
    for folder in _groups():
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError, ValueError):
                facts = dict(line.split() for line in (folder / name).read_text().splitlines())
                if "oom_kill" in facts:
                    return int(facts["oom_kill"]), f"{folder} {folder.stat().st_ctime_ns}"
    return None, ""
