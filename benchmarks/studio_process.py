"""Studio process: `convlens studio` in a process of its own, at a free port."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ADDRESS = re.compile(r"(http://\S+)/#token=(\w+)")
Started = tuple["subprocess.Popen[str]", str, str]  # the process, its address and its token


def make_workspace(folder: Path) -> None:
    """Turn a folder whose images lie in images/ into a workspace, as a studio does."""
    (folder / ".studio").mkdir()
    (folder / ".studio" / "studio.json").write_text('{"format": 1, "source": null}')


@contextmanager
def started(source: str | Path, variables: Mapping[str, str] | None = None) -> Iterator[Started]:
    """Start a studio, wait until it answers, and stop it in the end.

    Args:
        source: What the studio opens.
        variables: Variables of its environment that differ from those of this process.
    """
    command = [sys.executable, "-m", "convlens", "studio", str(source), "--no-browser"]
    process = subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | dict(variables or {}),
    )
    try:
        yield process, *_address_of(process)
    finally:
        process.terminate()
        process.wait(20)


def _address_of(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Return the address and the token that a studio prints."""
    assert process.stdout is not None
    for line in process.stdout:
        found = ADDRESS.search(line)
        if found:
            return found[1], found[2]
    raise SystemExit("the studio did not start")
