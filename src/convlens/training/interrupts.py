"""Interrupts: Ctrl-C and SIGTERM end a training after its step, so that nothing is lost."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from convlens.errors import Interrupted


@contextmanager
def interruptible(asked: Callable[[], bool] = lambda: False) -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether to stop.

    It returns True after the first Ctrl-C or SIGTERM, or if `asked` returns True. A second Ctrl-C
    ends at once.

    Args:
        asked: Returns whether to stop for another reason.

    Raises:
        KeyboardInterrupt: At the end of a block that did not stop for what was pressed, since more
            may follow it, such as the next fold of a cross-validation. This holds for a block that
            fails, too: a search goes on after a trial that does, as after one that falls behind.
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
    failure: Exception | None = None
    try:
        yield stops
    except Exception as error:
        failure = error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    # Whoever goes on after a failure, or after a stop for another reason, does not know of it.
    if pressed.is_set() and not (told and isinstance(failure, Interrupted)):
        raise KeyboardInterrupt from failure
    if failure is not None:
        raise failure
