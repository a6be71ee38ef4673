"""Answer process: the classifier of a run that stays loaded and answers, in a process of its own.

    python -m convlens.studio.trying.answer_process FOLDER

`convlens.studio.working` says how it is asked and how it answers. What is answered at once is
answered by this thread; maps and near images, which take seconds, by threads beside it.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from convlens.errors import ConvlensError
from convlens.screen import Screen
from convlens.studio.trying.opened import Content, Opened
from convlens.studio.working import Progress, in_each_language, requests, serve, teller

STILL = 1.0  # seconds after an answer without another question: somebody looks at the answer
LOOK = 0.2  # seconds between two looks whether it is so


def main(folder: Path) -> None:
    """Answer until the input ends."""
    tell = teller()
    try:
        opened = Opened(folder)
    except ConvlensError as error:
        tell({"failed": in_each_language(error)})
        return
    tell({"ready": opened.facts})
    beside = {name: ThreadPoolExecutor(1) for name in ("why", "neighbours")}
    ahead = Ahead(opened)
    forgotten: set[str] = set()  # the words of requests that nobody waits for any more
    for asked, content in requests(sys.stdin.buffer):
        if asked["do"] == "forget":
            forgotten.add(asked["word"])
            continue
        ahead.hear()
        if asked["do"] == "answer":
            serve(asked, tell, partial(_answer, opened, asked, content))
        else:
            explain = partial(_explain, opened, forgotten, asked, content)
            beside[asked["do"]].submit(serve, asked, tell, explain)
    os._exit(0)  # without waiting for features; those that are done are on the disk


def _answer(opened: Opened, asked: Content, content: bytes, _progress: Progress) -> Content:
    return opened.answer(content, asked)


def _explain(
    opened: Opened, forgotten: set[str], asked: Content, content: bytes, progress: Progress
) -> Any:
    if asked["word"] in forgotten:
        raise ConvlensError("forgotten")  # not translated: nobody reads it
    return getattr(opened.explaining(), asked["do"])(content, asked, _Telling(progress))


class Ahead:
    """Loads what explains answers as soon as somebody has stopped to look at one.

    A picture that moves is asked about again and again; the engine of the maps, which takes seconds
    of both processors, would make it stop.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._heard = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def hear(self) -> None:
        """Note that there is a question."""
        self._heard = time.monotonic()

    def _watch(self) -> None:
        while not self._heard or time.monotonic() - self._heard < STILL:
            time.sleep(LOOK)
        try:
            self._opened.explaining()
        except ConvlensError:
            return  # who asks for a map is told


class _Telling(Screen):
    """A screen whose bars are told to the studio."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(quiet=True)
        self._told = progress

    @contextmanager
    def counter(self, label: str) -> Iterator[Any]:
        """Tell how far a work is that is counted."""
        yield _Counter(label, self._told)


class _Counter:
    def __init__(self, label: str, progress: Progress) -> None:
        self._label = label
        self._progress = progress

    def __call__(self, done: int, total: int) -> None:
        self._progress(self._label, done, total)

    def part(self, label: str) -> "_Counter":
        return _Counter(label, self._progress)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
