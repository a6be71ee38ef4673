"""Ctrl-C during a training."""

import gc
import signal
import weakref
from contextlib import suppress

import pytest

from convlens.errors import Interrupted, StorageError, TrainingError
from convlens.training.interrupts import interruptible


def press(number, act=lambda stops: None):
    with interruptible() as stops:
        assert not stops()
        signal.raise_signal(number)
        act(stops)


def stop(stops):
    assert stops()
    raise Interrupted("stopped after epoch 3")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_a_training_has_not_acted_on_is_not_lost(number):
    """It may have come after the last step, and another training may follow."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        press(number)
    assert signal.getsignal(number) is before


def test_a_signal_while_the_handlers_are_put_back_is_not_lost(monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    real = signal.signal

    def put_back(number, one):
        if one is handler:
            signal.raise_signal(signal.SIGINT)
        return real(number, one)

    def press_late(stops):
        assert stops()
        monkeypatch.setattr(signal, "signal", put_back)
        raise Interrupted("stopped after epoch 3")

    with pytest.raises(KeyboardInterrupt), interruptible(lambda: True) as stops:
        press_late(stops)


def fail(stops):
    raise TrainingError("the loss must stay finite")


def fail_to_stop(stops):
    """The weights are not finite, so that the state is not saved."""
    assert stops()
    fail(stops)


@pytest.mark.parametrize("act", [fail, fail_to_stop])
def test_a_signal_in_the_step_in_which_a_training_fails_is_not_lost(act):
    """A search or a comparison goes on after such a training."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        press(signal.SIGINT, act)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_training_that_fails_without_a_signal_says_so():
    with pytest.raises(TrainingError, match="finite"), interruptible() as stops:
        fail(stops)


@pytest.mark.parametrize("error", [StorageError("the disk is full"), ZeroDivisionError("a fault")])
def test_an_error_after_which_nothing_goes_on_is_told_in_spite_of_a_signal(error):
    def end(stops):
        raise error

    with pytest.raises(type(error), match=str(error)):
        press(signal.SIGINT, end)


def test_the_network_of_a_training_that_fails_is_not_kept():
    """A search trains the next one, for which the memory may be needed."""

    class Network:
        pass

    def train():
        network = Network()
        kept.append(weakref.ref(network))
        with interruptible() as stops:
            fail(stops)

    kept = []
    gc.disable()
    try:
        with suppress(TrainingError):
            train()
        assert kept[0]() is None
    finally:
        gc.enable()


def test_a_training_that_acts_on_it_says_so_itself():
    with pytest.raises(Interrupted, match="after epoch 3"):
        press(signal.SIGINT, stop)


def test_a_signal_while_a_training_stops_for_its_time_is_not_lost():
    """It would go on with another number of epochs once its state is saved."""

    def stop_and_press():
        with interruptible(lambda: True) as stops:
            assert stops()
            signal.raise_signal(signal.SIGINT)
            raise Interrupted("stopped after epoch 3")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        stop_and_press()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_training_that_stops_for_its_time_says_so():
    with pytest.raises(Interrupted, match="after epoch 3"), interruptible(lambda: True) as stops:
        stop(stops)
