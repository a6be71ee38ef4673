import dataclasses
from types import SimpleNamespace

import pytest

from convlens.budget import deadline as course
from convlens.budget.deadline import Deadline, epochs_to_the_end, train_until
from convlens.budget.plan import Plan
from convlens.errors import Interrupted
from convlens.screen import Screen

QUIET = Screen(quiet=True)


def test_epochs_follow_the_speed():
    deadline = Deadline(0.0, budget=100.0, restart=1.0)
    assert epochs_to_the_end(4, 20, 2.0, 34.0, deadline) == 20  # 2 s too many are no matter
    assert epochs_to_the_end(4, 20, 1.0, 32.0, deadline) == 36
    assert epochs_to_the_end(4, 20, 4.0, 32.0, deadline) == 12
    assert epochs_to_the_end(4, 20, 100.0, 32.0, deadline) == 5  # which the limit will stop
    assert epochs_to_the_end(4, 20, 1.0, 32.0, dataclasses.replace(deadline, most=24)) == 24
    strict = Deadline(0.0, budget=60.0, restart=1.0)
    assert (
        epochs_to_the_end(1, 3, 17.0, 30.0, strict) == 3
    )  # one epoch would miss the end by more than two


class FakeTrainer:
    """Trains by turning the clock: `step` gives the seconds of a step after n epochs, or raises what happens in it."""

    def __init__(self, step, folder, monkeypatch):
        self.step, self.now, self.history, self.lengths, self.described = step, 0.0, [], [], []
        self.screen = Screen(quiet=True)
        self.path = folder / "classifier.keras"
        monkeypatch.setattr(course, "time", SimpleNamespace(monotonic=lambda: self.now))

    def set_length(self, epochs, steps):
        self.epochs, self.steps = epochs, steps
        self.lengths.append(epochs)

    def describe_run(self, run, **facts):
        self.described.append((self.epochs, facts))

    def run(self, run, stop):
        while len(self.history) < self.epochs:
            for number in range(self.steps):
                self.now += self.step(len(self.history))
                if number == self.steps - 1:
                    self.history.append({})
                    self.path.touch()
                if stop() and len(self.history) < self.epochs:
                    raise Interrupted("stopped")


@pytest.fixture
def until(tmp_path, monkeypatch):
    def train(step, plan, budget=None):
        """Train as planned, in a time of which all that was planned is the training."""
        trainer = FakeTrainer(step, tmp_path, monkeypatch)
        run = SimpleNamespace(history=trainer.history, classifier_path=trainer.path)
        note = train_until(trainer, run, plan, Deadline(plan.seconds, budget or plan.seconds))
        return trainer, note

    return train


def test_a_training_as_quick_as_measured_is_not_planned_anew(until):
    trainer, note = until(lambda _: 1.01, Plan(20, 5, 100.0))
    assert trainer.described == [(20, {"budget": 100.0})]
    assert (len(trainer.history), note) == (20, "")


@pytest.mark.parametrize("step", [0.3, 0.8, 1.3, 2.0])
def test_a_training_that_turns_out_slower_or_quicker_ends_in_time(until, step):
    trainer, note = until(lambda _: step, Plan(20, 5, 100.0))
    assert len(trainer.lengths) > 1
    assert [epochs for epochs, _ in trainer.described] == trainer.lengths
    assert len(trainer.history) == trainer.lengths[-1]
    assert note == ""
    assert trainer.now == pytest.approx(100, abs=5 * step / 2 + 2)  # within half an epoch, or late


def test_a_training_that_slows_down_is_planned_anew_again(until):
    trainer, note = until(lambda done: 0.5 if done < 18 else 2.0, Plan(20, 5, 100.0))
    assert trainer.lengths[1] > 20 > len(trainer.history) - 10
    assert (note, trainer.now) == ("", pytest.approx(100, abs=7))


def test_a_training_that_is_late_is_stopped(until):
    trainer, note = until(lambda done: 5.0 if done < 3 else 50.0, Plan(4, 5, 100.0))
    assert "stopped after 3 of 4 epochs" in note
    assert trainer.now == 125  # the first step after 102 s


def test_it_is_not_stopped_before_there_is_a_classifier(until):
    trainer, note = until(lambda _: 200.0, Plan(4, 5, 100.0))
    assert "stopped after 1 of 4 epochs" in note
    assert trainer.now == 1000


@pytest.mark.parametrize("seconds", [1.0, 1000.0], ids=["early", "after the end"])
def test_ctrl_c_goes_through(until, seconds):
    def step(done):
        if done == 2:
            raise Interrupted("by the user")
        return seconds if done == 1 else 1.0

    with pytest.raises(Interrupted, match="by the user"):
        until(step, Plan(10, 1, 5.0), budget=1e6)


def test_what_the_course_has_not_asked_for_is_the_users(until, monkeypatch):
    """Where patience has just ended the training, `fit` does not stop for another plan; what follows is the user's."""

    class Pressed(FakeTrainer):
        def run(self, run, stop):
            answers = []
            for _ in range(6):
                self.now += 10.0
                answers.append(stop())
            assert answers == [False] * 4 + [True, False]
            raise Interrupted("by the user")

    monkeypatch.setitem(globals(), "FakeTrainer", Pressed)
    with pytest.raises(Interrupted, match="by the user"):
        until(lambda _: 1.0, Plan(10, 5, 100.0))
