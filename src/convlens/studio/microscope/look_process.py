"""Look process: the network of a run that is looked into, in a process of its own.

    python -m convlens.studio.microscope.look_process FOLDER

A request on the standard input is a line of JSON (do, image, language, and what `Looked` takes).
The process prints lines of JSON: how far it is, and an `answer` or a `refused` line. It ends with
its input, so that it does not outlive the studio for long.

The studio itself imports no engine: that would cost it seconds and half a gigabyte, and a crash of
the engine would take the page with it.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convlens import backend
from convlens.errors import ConvlensError
from convlens.language import _, using

KINDER = 5  # how much more the page may compute than this process
PAUSE = 0.2  # seconds between two lines of progress
DOES = ("page", "way", "layer", "weight")

Tell = Callable[[dict[str, Any]], None]


def main(folder: Path) -> None:
    """Answer until the input ends."""
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.nice(KINDER)
    tell = _teller()
    backend.start()  # before anything imports the engine
    from convlens.studio.microscope.looked import Looked

    looked = Looked(folder, _progress(tell))
    for line in sys.stdin:
        asked = json.loads(line)
        with using(asked["language"]):
            try:
                assert asked["do"] in DOES
                found = getattr(looked, asked["do"])(asked)
            except ConvlensError as error:
                tell({"refused": str(error.args[0])})
            except Exception as error:
                tell({"refused": _failed(error)})
            else:
                tell({"answer": found})


def _failed(error: Exception) -> str:
    """Return what is said of an error that nobody has foreseen; the process goes on."""
    said = _("this cannot be looked at: {reason}. If the run is damaged, look at another one.")
    return said.format(reason=f"{type(error).__name__}: {error}")


def _teller() -> Tell:
    """Return what writes a line to the studio; nothing else is written to the standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(said: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # the studio may have been killed
            print(json.dumps(said), file=out, flush=True)

    return tell


def _progress(tell: Tell) -> Callable[[str, int, int], None]:
    """Return a function that tells how far a stage is."""
    last = 0.0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < PAUSE and 0 < done < total:
            return
        last = time.monotonic()
        tell({"stage": stage, "done": done, "total": total})

    return progress


if __name__ == "__main__":
    main(Path(sys.argv[1]))
