"""Quiet: the import of an engine without its messages, and without searches for garbage."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

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
