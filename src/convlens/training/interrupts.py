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
        KeyboardInterrupt: At the end of a block that was not told of what was pressed, since more
            may follow it, such as the next fold of a cross-validation.
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
        yield stops
    except Interrupted:
        # It stops for another reason, and whoever asked for that would go on.
        if pressed.is_set() and not told:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if pressed.is_set():
        raise KeyboardInterrupt
