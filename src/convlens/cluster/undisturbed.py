"""Undisturbed: a process that uses Ray, and goes on afterwards as if it had not.

Ray changes how a process treats signals, whether it demands a token, and what it prints.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AUTHENTICATION = "RAY_AUTH_MODE"  # not translated: a variable


@contextmanager
def undisturbed() -> Iterator[None]:
    """Use Ray in a block, and put back afterwards what it has changed in this process."""
    with _own_signals(), _own_authentication(), _without_notices():
        yield


@contextmanager
def _without_notices() -> Iterator[None]:
    """Keep Ray's notices of lost processes and nodes out of the standard output of this process.

    They would stand between the rows that a command prints. Ray itself switches them off in this
    way while its debugger is in use; its documented `log_to_driver` leaves them on.
    """
    from ray._private import worker

    before = worker._worker_logs_enabled
    worker._worker_logs_enabled = False
    try:
        yield
    finally:
        worker._worker_logs_enabled = before


@contextmanager
def _own_authentication() -> Iterator[None]:
    """Put back whether this process demands a token of those who call it.

    Since release 2.60, Ray switches this on for the whole process where it starts a local cluster.
    The next cluster, which knows no token, then takes this process for dead and ends its actors
    ("cancelled before it started running").
    """
    before = os.environ.get(AUTHENTICATION)
    try:
        yield
    finally:
        if os.environ.get(AUTHENTICATION) != before:
            authenticate(before)


def authenticate(mode: str | None) -> None:
    """Let Ray authenticate as a value of RAY_AUTH_MODE says, or as it does without one."""
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    os.environ.pop(AUTHENTICATION, None)
    if mode is not None:
        os.environ[AUTHENTICATION] = mode
    Config.initialize("")  # which reads the variables again
    AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put back what this process does at SIGTERM, which Ray replaces when it starts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
