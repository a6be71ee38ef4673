"""Quiet: the import of an engine without its messages, and without searches for garbage.

A Ctrl-C that the engine swallows meanwhile is not lost.
"""

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

_frozen: list[bool] = []  # not empty where imports are left alone


def freeze_imports() -> None:
    """Let the garbage collector leave alone what `uncollected` imports from now on.

    This is for a process that ends with its command. The collector also leaves alone whatever else
    exists when the import ends, which a notebook might want to be rid of later.
    """
    _frozen.append(True)


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Discard what C++ code writes to file descriptor 2. Python's exceptions still come through."""
    sys.stderr.flush()
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Import modules without the garbage collector of Python.

    Importing Keras and TensorFlow leaves 400,000 objects, which the collector would look at again
    and again, and 1 % of which it could free. It took a fifth of the processor time. After
    `freeze_imports`, the collector does not look at them afterwards, either, which saves another
    0.7 s of a training.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        if _frozen:
            gc.freeze()
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def unswallowed() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of a block that has swallowed one.

    TensorFlow has modules that catch every exception while they are imported, and go on.
    """
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or not is_usual:
        yield
        return
    pressed = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        pressed.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed.is_set():
        raise KeyboardInterrupt
