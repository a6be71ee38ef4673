"""Interrupts: Ctrl-C and SIGTERM end a training after its step, so that nothing is lost."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from convlens.errors import Interrupted, ModelError, TrainingError


class EndOfTraining(Exception):  # noqa: N818 - no error
    """Ends a training after an epoch without a fault; another training may follow it."""


@contextmanager
def interruptible(asked: Callable[[], bool] = lambda: False) -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether to stop.

    It returns True after the first Ctrl-C or SIGTERM, or if `asked` returns True. A second Ctrl-C
    ends at once.

    Args:
        asked: Returns whether to stop for another reason.

    Raises:
        KeyboardInterrupt: At the end of a block that did not stop for what was pressed, since more
            may follow it, such as the next fold of a cross-validation. This also holds for a block
            after whose error a search goes on: that of a trial that fails, or that falls behind.
            Every other error ends the command anyway, and says why.
    """
    if threading.current_thread() is not threading.main_thread():
        yield asked  # Signals reach the main thread only.
        return
    pressed = threading.Event()
    told = False

    def stops() -> bool:
        nonlocal told
        told = pressed.is_set()
        return told or asked()

    def note(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            yield stops
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    except (EndOfTraining, Interrupted, ModelError, TrainingError) as error:
        # Whoever goes on after it, or after a stop for another reason, does not know of Ctrl-C.
        if pressed.is_set() and not (told and isinstance(error, Interrupted)):
            raise KeyboardInterrupt from error
        raise
    if pressed.is_set():
        raise KeyboardInterrupt
