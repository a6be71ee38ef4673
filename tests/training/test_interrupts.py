"""Ctrl-C during a training."""

import signal

import pytest

from convlens.errors import Interrupted
from convlens.training.interrupts import interruptible


def press(number, act=lambda pressed: None):
    with interruptible() as pressed:
        signal.raise_signal(number)
        assert pressed.is_set()
        act(pressed)


def stop(pressed):
    raise Interrupted("stopped after epoch 3")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_a_training_has_not_acted_on_is_not_lost(number):
    """It may have come after the last step, and another training may follow."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        press(number)
    assert signal.getsignal(number) is before


def test_a_training_that_acts_on_it_says_so_itself():
    with pytest.raises(Interrupted, match="after epoch 3"):
        press(signal.SIGINT, stop)
