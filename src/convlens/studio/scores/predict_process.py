"""Predict process: write predictions.csv of a run that an earlier version made without it.

    python -m convlens.studio.scores.predict_process REQUEST

REQUEST is a JSON file: run, source, failure. The process prints a line of JSON for each piece of
progress. It is a process of its own, since the engine takes seconds to start and more memory than
the whole studio. It writes why it could not do it to the file that `failure` names.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convlens import backend
from convlens.errors import ConvlensError
from convlens.files import write_atomically
from convlens.language import _
from convlens.run import Run
from convlens.screen import Screen

KINDER = 5  # how much more the page may compute than this process
PAUSE = 0.2  # seconds between two lines of progress


class Teller(Screen):
    """A screen that nobody sees, whose counters are told as lines of JSON."""

    @contextmanager
    def counter(self, label: str) -> Iterator[Callable[[int, int], None]]:  # type: ignore[override]
        """Tell how far a work is."""
        last = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last < PAUSE and done < total:
                return
            last = time.monotonic()
            # The studio may have been killed; the file is of use to the next one.
            with contextlib.suppress(OSError, ValueError):
                line = json.dumps({"stage_text": label, "done": done, "total": total})
                print(line, flush=True)  # noqa: T201

        yield tell


def main(request: Path) -> None:
    """Do what a request asks for."""
    asked: dict[str, Any] = json.loads(request.read_text(encoding="utf-8"))
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.nice(KINDER)
    try:
        _predict(Run(Path(asked["run"])), asked["source"])
    except ConvlensError as error:
        write_atomically(asked["failure"], str(error.args[0]), _("the predictions"))


def _predict(run: Run, source: str) -> None:
    dataset = run.load_images(source)
    backend.start(threads=run.config.training.threads)  # before anything imports the engine
    from convlens.report.predict_again import predict_again

    with run.locked():
        predict_again(run, run.classifier(), dataset, Teller(quiet=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
