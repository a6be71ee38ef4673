"""What the tests run on nodes, in a module that the nodes can import."""

import os
import time
from pathlib import Path

from convlens.errors import DataError


def square(number: int) -> int:
    return number * number


def refuse(name: str) -> None:
    raise DataError(f"{name}: there is nothing in it.")


def die_once(mark: str) -> str:
    """End the process at the first call, as a node without memory does."""
    if not Path(mark).exists():
        Path(mark).touch()
        os._exit(1)
    return "done"


def sleep(mark: str) -> None:
    Path(mark).touch()
    time.sleep(600)


def wait_a_minute(text: str) -> str:
    """Return at once if there is no text."""
    if text:
        time.sleep(60)
    return text


class Adder:
    def add(self, one: int, other: int) -> int:
        return one + other
