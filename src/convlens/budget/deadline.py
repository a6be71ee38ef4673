"""Course: a training that keeps to its end though the machine turns out slower or quicker than it was measured.

It is stopped at the end of an epoch and goes on from its state with another number of epochs, so that the learning rate
still reaches its end.
"""

import sys
import time
from dataclasses import dataclass, replace

from convlens import backend
from convlens.budget.plan import Plan
from convlens.errors import Interrupted
from convlens.run import Run
from convlens.training.trainer import Trainer

WATCHED = 0.25  # share of the planned time that a speed is watched for before it is trusted
SLACK, LATE = 0.05, 0.02  # shares of the whole time, see `Deadline`


@dataclass(frozen=True)
class Deadline:
    """When a training should be over.

    Attributes:
        end: of the last epoch, as `time.monotonic` says it.
        budget: seconds of the whole command, of which the training is a part.
        restart: seconds that another plan takes, as the engine compiles anew.
        most: epochs; more are not worth their time.
    """

    end: float
    budget: float
    restart: float = 0.0
    most: int = sys.maxsize

    @property
    def slack(self) -> float:
        """Seconds that `end` may be missed by; less is not worth another plan."""
        return SLACK * self.budget

    @property
    def late(self) -> float:
        """Seconds after `end` at which the training is stopped."""
        return LATE * self.budget


def epochs_to_the_end(
    done: int, epochs: int, an_epoch: float, left: float, deadline: Deadline
) -> int:
    """Return how many epochs a training should have, those done included.

    >>> epochs_to_the_end(5, 20, 2.0, 60.0, Deadline(0, budget=100))
    35
    >>> epochs_to_the_end(5, 20, 2.0, 33.0, Deadline(0, budget=100))
    20

    Args:
        done: epochs.
        epochs: that were planned.
        an_epoch: seconds of one.
        left: seconds to the deadline.
        deadline: how exactly it is kept.
    """
    missed = abs(left - (epochs - done) * an_epoch)
    if missed <= deadline.slack:
        return epochs
    room = left - deadline.restart
    more = max(1, min(int((room + deadline.late / 2) / an_epoch), deadline.most - done))
    return done + more if abs(room - more * an_epoch) < missed else epochs


class _Course:
    """Asked after each step of a training, which begins with an epoch: whether it should stop there."""

    def __init__(self, run: Run, plan: Plan, done: int, deadline: Deadline) -> None:
        self.run, self.deadline = run, deadline
        self.epochs, self._steps, self._done = plan.epochs, plan.steps_per_epoch, done
        self._least = WATCHED * plan.seconds
        self.late = self.stops = False  # `stops`: what was answered last
        self._calls, self._began = 0, 0.0

    def __call__(self) -> bool:
        self.stops = self._stop(time.monotonic(), self.deadline)
        return self.stops

    def _stop(self, now: float, deadline: Deadline) -> bool:
        self._calls += 1
        if self._calls == 1:  # before it, the engine compiled
            self._began = now
        self.late = now > deadline.end + deadline.late and self.run.classifier_path.exists()
        whole, rest = divmod(self._calls, self._steps)
        done, watched = self._done + whole, now - self._began
        if self.late or rest or done >= self.epochs or watched < self._least:
            return self.late
        an_epoch = watched * self._steps / max(self._calls - 1, 1)
        epochs = epochs_to_the_end(done, self.epochs, an_epoch, deadline.end - now, deadline)
        changed, self.epochs = epochs != self.epochs, epochs
        return changed


def train_until(trainer: Trainer, run: Run, plan: Plan, deadline: Deadline) -> str:
    """Train as planned, plan anew where the machine changes its speed, and stop what is late; return a note, or "".

    It is not stopped before there is a classifier: that of the head on a frozen backbone, else of the first epoch.

    Args:
        trainer: of the network.
        run: new, but for what the trainer did before its epochs.
        plan: epochs, their steps, and the seconds of all.
        deadline: the end.

    Raises:
        Interrupted: Ctrl-C; the state and the best epoch are kept.
        TrainingError: the loss is not finite; the best epoch is kept.
    """
    done = 0
    while True:
        trainer.set_length(plan.epochs, plan.steps_per_epoch)
        trainer.describe_run(run, budget=deadline.budget)
        course = _Course(run, plan, done, deadline)
        try:
            with backend.forgotten():  # another plan compiles anew
                trainer.run(run, course)
        except Interrupted:
            if not course.stops:
                raise
            done = len(run.history)
            if course.late:
                return f"stopped after {done} of {plan.epochs} epochs: it was slower than measured, its time was up"
        else:
            return ""
        trainer.screen.note(
            f"planned anew after {done} epoch{'s' * (done != 1)}: at this speed {course.epochs} fill the time"
        )
        plan = replace(plan, epochs=course.epochs)
