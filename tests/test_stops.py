"""Stops are explained once, with what to type."""

import pytest

from convlens.errors import Interrupted, StorageError
from convlens.stops import explained_stops


def test_a_stop_is_explained_once():
    """A single training says itself how to go on, so that its message stays."""
    with (
        pytest.raises(Interrupted, match=r"^stopped before the end\. Type this\.$"),
        explained_stops(lambda: "Type this."),
    ):
        raise KeyboardInterrupt
    with (
        pytest.raises(Interrupted, match=r"^of the training$"),
        explained_stops(lambda: "Type this."),
    ):
        raise Interrupted("of the training")
    with (
        pytest.raises(Interrupted, match=r"^stopped in fold 2\. Type this\.$"),
        explained_stops(lambda: "Type this.", "stopped in fold 2.", several=True),
    ):
        raise Interrupted("of the training")


def test_a_full_disk_is_explained_after_its_own_message():
    with (
        pytest.raises(StorageError, match=r"^the disk is full\. Type this\.$"),
        explained_stops(lambda: "Type this."),
    ):
        raise StorageError("the disk is full.")
