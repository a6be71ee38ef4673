"""Working: the other side of a `Worker`: a process that has opened a run, and answers requests.

A request on the standard input is a line of JSON (number, do, language, bytes, ...) and the bytes
of an image. The process prints lines of JSON: at first `ready` with what is known of the run, or
`failed`; then, with the number of a request, an `answer`, a `refused` line, or how far its work is.
It ends with its input, so that it does not outlive the studio.

The studio itself imports no engine: that would cost it seconds and half a gigabyte, and a crash of
the engine would take the page with it.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

from convlens.errors import ConvlensError
from convlens.language import again
from convlens.language_choice import TAGS, using

PAUSE = 0.2  # seconds between two lines of progress
Tell = Callable[[dict[str, Any]], None]
Progress = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done, and how much there is."""


def teller() -> Tell:
    """Return what writes a line to the studio; nothing else is written to the standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def tell(said: dict[str, Any]) -> None:
        # The studio may have been killed.
        with lock, contextlib.suppress(OSError, ValueError):
            print(json.dumps(said), file=out, flush=True)

    return tell


def requests(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield each request with its bytes, until the input ends."""
    while line := stream.readline():
        asked = json.loads(line)
        yield asked, stream.read(asked["bytes"])


def serve(asked: dict[str, Any], tell: Tell, work: Callable[[Progress], Any]) -> None:
    """Answer a request with what some work returns.

    Args:
        asked: The request.
        tell: What writes a line to the studio.
        work: Called with what tells how far it is.
    """
    number = {"number": asked["number"]}

    def answer(said: dict[str, Any]) -> None:
        tell(number | said)

    with using(asked["language"]):
        try:
            found = work(rarely(answer))
        except ConvlensError as error:
            answer({"refused": str(error.args[0])})
        except MemoryError:
            os._exit(1)  # also from another thread; the studio says so
        except Exception as error:  # a fault of one request must not end the others
            answer({"fault": f"{type(error).__name__}: {error}"})
        else:
            answer({"answer": found})


def rarely(tell: Tell) -> Progress:
    """Return a function that tells how far a stage is, some times a second."""
    last = (0.0, "")

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if stage == last[1] and now - last[0] < PAUSE and done < total:
            return
        last = (now, stage)
        tell({"stage": stage, "done": done, "total": total})

    return progress


def in_each_language(error: ConvlensError) -> dict[str, str]:
    """Return what an error says, by language."""
    said = {}
    for language in TAGS:
        with using(language):
            said[language] = str(again(error.args[0]))
    return said
