"""Downloads: addresses that a browser saves from, each of them once and soon.

A link sends no header with the token. So the page asks for an address with a word of its own,
which opens one archive for a minute.
"""

import secrets
import threading
import time

from convlens.language import _
from convlens.studio.problem import Problem
from convlens.studio.shipping.archive import Plan

SECONDS = 60.0
MOST = 20  # addresses at a time


class Downloads:
    """The addresses that wait to be opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[float, Plan]] = {}

    def offer(self, plan: Plan) -> str:
        """Return the word that opens an archive."""
        word = secrets.token_hex(16)
        with self._lock:
            self._forget()
            while len(self._waiting) >= MOST:
                self._waiting.pop(next(iter(self._waiting)))
            self._waiting[word] = (time.monotonic() + SECONDS, plan)
        return word

    def take(self, word: str, *, keep: bool = False) -> Plan:
        """Return the archive that a word opens, which it does once.

        Args:
            word: The word.
            keep: Whether it may be opened once more, as after a request for the headers alone.

        Raises:
            Problem: If it opens none (any more).
        """
        with self._lock:
            self._forget()
            if word in self._waiting:
                return (self._waiting[word] if keep else self._waiting.pop(word))[1]
        raise Problem(
            _(
                "this download is not offered any more: it was opened already, or a minute has "
                "passed; start it again on the page."
            ),
            404,
        )

    def _forget(self) -> None:
        now = time.monotonic()
        self._waiting = {word: one for word, one in self._waiting.items() if one[0] > now}
