"""Server process: `convlens serve` in a process of its own, in folders that nothing else uses."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

LONGEST = 120.0  # seconds until a server answers
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Attributes:
        port: Its port at 127.0.0.1.
        process: Its process.
        place: Its folder: `work` is where it runs, `tmp` its place for temporary files, `home` the
            home of its user, and `output.txt` what it prints.
    """

    port: int
    process: subprocess.Popen
    place: Path

    @property
    def output(self) -> str:
        """What it has printed."""
        return (self.place / "output.txt").read_text(encoding="utf-8", errors="replace")

    def written(self) -> list[str]:
        """Return the files that it has left in its folders."""
        names = ("work", "tmp", "home")
        return [str(file) for name in names for file in (self.place / name).rglob("*")]

    def megabytes(self) -> float:
        """Return the memory that it holds."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def seconds(self) -> float:
        """Return the processor time that it has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


@contextmanager
def running(command: Sequence[str], place: Path) -> Iterator[Running]:
    """Start a server that prints its address, and stop it in the end.

    Args:
        command: The program and its arguments.
        place: An empty folder.
    """
    for name in ("work", "tmp", "home"):
        (place / name).mkdir()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(place / "tmp"),
        "HOME": str(place / "home"),
    }
    with (place / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=place / "work", env=environment, stdout=output, stderr=output
        )
    try:
        yield Running(_port(process, place / "output.txt"), process, place)
    finally:
        process.terminate()
        process.wait(timeout=30)


def serve_command(folder: Path, *options: str) -> list[str]:
    """Return the command that serves an exported folder at a free port."""
    program = [sys.executable, "-m", "convlens", "serve", str(folder.resolve())]
    return [*program, "--port", "0", *options]


def _port(process: subprocess.Popen, output: Path) -> int:
    """Wait for the address that a server prints, and return its port."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and process.poll() is None:
        if found := ADDRESS.search(output.read_text(encoding="utf-8", errors="replace")):
            return int(found[1])
        time.sleep(0.05)
    raise SystemExit(f"the server did not start:\n{output.read_text(errors='replace')}")
