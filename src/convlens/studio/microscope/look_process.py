"""Look process: the network of a run that is looked into, in a process of its own.

    python -m convlens.studio.microscope.look_process FOLDER

`working` says how it is asked and how it answers. Each `do` is a method of `Looked`.
"""

import contextlib
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from convlens import backend
from convlens.errors import ConvlensError, RunError
from convlens.language import _
from convlens.studio.working import Progress, requests, serve, teller

KINDER = 5  # how much more the page may compute than this process
DOES = ("page", "way", "layer", "weight")


def main(folder: Path) -> None:
    """Answer until the input ends."""
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.nice(KINDER)
    tell = teller()
    backend.start()  # before anything imports the engine
    from convlens.studio.microscope.looked import Looked

    looked = Looked(folder)
    tell({"ready": {}})
    for asked, _content in requests(sys.stdin.buffer):
        serve(asked, tell, partial(_look, looked, asked))


def _look(looked: Any, asked: dict[str, Any], progress: Progress) -> Any:
    """Return what is asked for.

    Raises:
        RunError: Also for an error that nobody has foreseen; the process goes on.
    """
    assert asked["do"] in DOES
    try:
        return getattr(looked, asked["do"])(asked, progress)
    except (ConvlensError, MemoryError):
        raise
    except Exception as error:
        said = _("this cannot be looked at: {reason}. If the run is damaged, look at another one.")
        raise RunError(said.format(reason=f"{type(error).__name__}: {error}")) from error


if __name__ == "__main__":
    main(Path(sys.argv[1]))
