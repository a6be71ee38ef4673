"""Quiet: the import of an engine without its messages, and without searches for garbage."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator


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
    and again, and 1 % of which it could free. It took a fifth of the processor time. Afterwards, it
    leaves alone what is there if anything was imported; looking at it once takes 0.2 s.
    """
    enabled = gc.isenabled()
    known = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        if enabled:
            gc.enable()
