"""Export process: export a run in a process of its own, since the conversion needs the engine.

    python -m convlens.studio.shipping.export_process REQUEST

REQUEST is a JSON file: run, to, precision, any_size, accept_loss, out, result. The process prints a
line of JSON for each piece of progress, and writes how it ended to the file that `result` names. It
calls what `convlens export` calls.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from convlens import backend
from convlens.errors import ConvlensError
from convlens.export.cost import LossError
from convlens.export.target import Target, check_target
from convlens.files import write_atomically
from convlens.language import _
from convlens.run import Run

KINDER = 5  # how much more the page may compute than this process
PAUSE = 0.2  # seconds between two lines of progress


def main(request: Path) -> None:
    """Do what a request asks for."""
    signal.signal(signal.SIGTERM, _end)
    asked = json.loads(request.read_text(encoding="utf-8"))
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.nice(KINDER)
    result: dict[str, Any] = {"asked": asked}
    try:
        result["notes"] = _export(asked)
    except ConvlensError as error:
        result["message"] = str(error.args[0])
        result["may_accept"] = isinstance(error, LossError)
    write_atomically(asked["result"], json.dumps(result), _("the export"))


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)  # so that the hidden folder is removed


def _export(asked: dict[str, Any]) -> list[str]:
    """Write the exported folder, and return what the user should know."""
    target = Target(asked["to"], asked["precision"], asked["any_size"], asked["accept_loss"])
    out = Path(asked["out"])
    check_target(target, out)
    tell = _teller()
    tell("starting", 0, 0)
    backend.start()  # before anything imports the engine
    from convlens.export.export import export_classifier
    from convlens.export.samples import samples_if_there

    path = Run.find_classifier(asked["run"])
    run = Run.open(asked["run"])
    notes: list[str] = []
    samples = samples_if_there(
        run, target.precision, notes, lambda done, total: tell("decoding", done, total)
    )
    export_classifier(
        path,
        target,
        out,
        samples=samples,
        report=run.report if run.finished else {},
        stage=lambda name: tell(name, 0, 0),
    )
    return notes


def _teller() -> Callable[[str, int, int], None]:
    """Return a function that tells how far a stage is."""
    last = (0.0, "")

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        if stage == last[1] and time.monotonic() - last[0] < PAUSE and done < total:
            return
        last = (time.monotonic(), stage)
        # The studio may have been killed; the folder is of use to the next one.
        with contextlib.suppress(OSError, ValueError):
            print(json.dumps({"stage": stage, "done": done, "total": total}), flush=True)  # noqa: T201

    return tell


if __name__ == "__main__":
    main(Path(sys.argv[1]))
