"""What goes on in the background tells pages of its progress."""

import time
from concurrent.futures import ThreadPoolExecutor

from convlens.studio.telling import Telling


class Slow(int):
    """A number that takes a while to rise, in which another thread may read it."""

    def __add__(self, other):
        time.sleep(0.01)
        return Slow(int(self) + other)


def test_two_threads_that_tell_at_once_are_counted_both():
    telling = Telling()
    telling.told = Slow(0)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(8):
            threads.submit(telling._tell)
    assert telling.told == 8
