"""Stops: Ctrl-C and a full disk as messages that say what was kept and how to go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from convlens.errors import Interrupted, StorageError


@contextmanager
def explained_stops(
    how_to_go_on: Callable[[], str],
    stopped: str = "stopped before the end.",
    *,
    several: bool = False,
) -> Iterator[None]:
    """Turn Ctrl-C and a full disk inside the block into a message that says how to go on.

    Args:
        how_to_go_on: Returns what was kept and what to type, as a sentence.
        stopped: The sentence before it.
        several: Whether the block runs several trainings. Then the message of the one that was
            stopped is replaced, since it would continue that one only.

    Raises:
        Interrupted: If Ctrl-C was pressed.
        StorageError: If a file could not be written.
    """
    try:
        yield
    except (KeyboardInterrupt, Interrupted) as stop:
        if isinstance(stop, Interrupted) and not several:
            raise
        raise Interrupted("{stopped} {how}".format(stopped=stopped, how=how_to_go_on())) from None
    except StorageError as error:
        raise StorageError("{error} {how}".format(error=error, how=how_to_go_on())) from error
