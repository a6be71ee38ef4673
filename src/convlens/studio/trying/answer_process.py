"""Answer process: the classifier of a run that stays loaded and answers, in a process of its own.

    python -m convlens.studio.trying.answer_process FOLDER

A request on the standard input is a line of JSON (number, do, language, name, bytes, ...) and the
bytes of an image. The process prints lines of JSON: at first `ready` with what is known of the
classifier, or `failed`; then, with the number of a request, an `answer`, a `refused` line, or how
far its work is. It ends with its input, so that it does not outlive the studio.

The studio itself imports no engine: that would cost it seconds and half a gigabyte, and a crash of
the engine would take the page with it.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from convlens import backend
from convlens.errors import ConvlensError
from convlens.language import TAGS, again, using
from convlens.screen import Screen

PAUSE = 0.2  # seconds between two lines of progress
Tell = Callable[[dict[str, Any]], None]


def main(folder: Path) -> None:
    """Answer until the input ends."""
    tell = _teller()
    backend.start()
    from convlens.studio.trying.opened import Opened

    try:
        opened = Opened(folder)
    except ConvlensError as error:
        tell({"failed": _in_each_language(error)})
        return
    tell({"ready": opened.facts})
    # Features of many images take minutes, in which other requests are answered.
    beside = ThreadPoolExecutor(1)
    for asked, content in _requests(sys.stdin.buffer):
        if asked["do"] == "neighbours":
            beside.submit(_serve, opened, asked, content, tell)
        else:
            _serve(opened, asked, content, tell)
    os._exit(0)  # without waiting for features; those that are done are on the disk


def _teller() -> Tell:
    """Return what writes a line to the studio; nothing else is written to the standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def tell(said: dict[str, Any]) -> None:
        with lock:
            print(json.dumps(said), file=out, flush=True)

    return tell


def _requests(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any], bytes]]:
    while line := stream.readline():
        asked = json.loads(line)
        yield asked, stream.read(asked["bytes"])


def _serve(opened: Any, asked: dict[str, Any], content: bytes, tell: Tell) -> None:
    """Answer a request."""
    number = {"number": asked["number"]}
    screen = _Telling(lambda said: tell(number | said))
    with using(asked["language"]):
        try:
            if asked["do"] == "answer":
                found = opened.answer(content, asked)
            else:
                found = getattr(opened, asked["do"])(content, asked, screen)
        except ConvlensError as error:
            tell(number | {"refused": str(error.args[0]), "kind": type(error).__name__})
        except MemoryError:
            os._exit(1)  # also from the other thread; the studio says so
        except Exception as error:  # a fault of one image must not end the others
            tell(number | {"fault": f"{type(error).__name__}: {error}"})
        else:
            tell(number | {"answer": found})


def _in_each_language(error: ConvlensError) -> dict[str, str]:
    said = {}
    for language in TAGS:
        with using(language):
            said[language] = str(again(error.args[0]))
    return said


class _Telling(Screen):
    """A screen whose bars are told to the studio."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(quiet=True)
        self._tell = tell

    @contextmanager
    def counter(self, label: str) -> Iterator[Any]:
        """Tell how far a work is that is counted."""
        yield _Counter(label, self._tell)


class _Counter:
    def __init__(self, label: str, tell: Tell) -> None:
        self._label = label
        self._tell = tell
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._last < PAUSE and done < total:
            return
        self._last = time.monotonic()
        self._tell({"stage": self._label, "done": done, "total": total})

    def part(self, label: str) -> "_Counter":
        return _Counter(label, self._tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
