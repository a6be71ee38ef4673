"""Deadline: a training that ends in time, even if the machine is slower or faster than measured.

All time limits go through `train_until`. It stops a training that is late and keeps its best epoch.
Where the number of epochs may change, it also watches the speed: if the training would miss its
end, it is stopped after an epoch and continues from its saved state with another number of epochs,
so that the learning rate still reaches its final value.
"""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from convlens import backend
from convlens.budget.plan import AIM, Plan
from convlens.errors import ConfigError, Interrupted
from convlens.language import _, ngettext
from convlens.progress import ProgressFile
from convlens.run import Run
from convlens.screen import duration
from convlens.training.checkpoint import State, read_state, recorded_end
from convlens.training.trainer import Trainer
from convlens.transfer.fine_tune_stage import FineTuneStage

WATCHED = 0.25  # share of the planned time after which the training's own speed is trusted
GRACE = 0.02  # share of a time budget after which a training that is late is stopped
SLACK = 0.05  # share of a time budget by which the end may be missed before the plan is changed
RESERVE = 1.25  # factor by which the time budget that is suggested exceeds what was measured


@dataclass(frozen=True)
class Needed:
    """What a time budget must be at least, as measured.

    Attributes:
        used: The seconds for starting and measuring.
        more: The seconds from there to the report.
    """

    used: float
    more: float

    @property
    def seconds(self) -> int:
        """The length of the budget in whole seconds, with a reserve, as all of it varies."""
        return math.ceil(RESERVE * (self.used + self.more))

    def to_dict(self) -> dict[str, float]:
        """Return its parts and its length in seconds, ready for JSON."""
        return {"used": self.used, "more": self.more, "seconds": self.seconds}


class Clock:
    """A time budget and what is left of it.

    Args:
        seconds: The length of the budget.
        began: The time at which it began, as `time.time` gives it. None is now.

    Attributes:
        preferred: What a longer budget is suggested for, and what it must be then; see `prefer`.
    """

    def __init__(self, seconds: float, began: float | None = None) -> None:
        self.seconds = seconds
        # The clock of the computer may have been set back since the process began.
        before = 0.0 if began is None else max(time.time() - began, 0.0)
        self._began = time.monotonic() - before
        self.preferred: tuple[Needed, str] | None = None

    @property
    def used(self) -> float:
        """The seconds since the budget began."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """The seconds until the budget ends, negative after its end."""
        return self.seconds - self.used

    def needed(self, more: float) -> Needed:
        """Return what a budget must be for what takes `more` seconds from now."""
        return Needed(self.used, more)

    def prefer(self, more: float, what: str) -> None:
        """Note that `what` would suit the images better than what is tried now.

        If that does not fit into the time either, this is what a longer budget is suggested for.
        """
        self.preferred = self.needed(more), what

    def require(self, more: float, what: str) -> None:
        """Raise ConfigError if less than `more` seconds are left for `what`."""
        if more <= self.left:
            return
        needed, what = self.preferred or (self.needed(more), what)
        ProgressFile.asked_for().tell_needed(needed.to_dict())
        raise ConfigError(
            _(
                "--budget must be about {least} at least for {what}: {used} for starting and "
                "measuring, {more} from there, and a quarter more, since both vary; found {found}. "
                "Give --budget {seconds}s, use fewer images with --limit, or make them smaller "
                "with --size."
            ).format(
                least=duration(needed.seconds),
                what=what,
                used=duration(needed.used),
                more=duration(needed.more),
                found=duration(self.seconds),
                seconds=needed.seconds,
            )
        )


@dataclass(frozen=True)
class Deadline:
    """The time at which a training should end, and how closely it is kept.

    Attributes:
        end: The end of the last epoch, as `time.monotonic` gives it.
        grace: The seconds after `end` at which the training is stopped.
        slack: The seconds by which `end` may be missed before the number of epochs is changed. By
            default it never is.
        restart: The seconds that such a change costs, because the backend compiles anew.
        most: The largest number of epochs that is worth its time.
    """

    end: float
    grace: float
    slack: float = math.inf
    restart: float = 0.0
    most: int = sys.maxsize

    @classmethod
    def within(
        cls, clock: Clock, plan: Plan, start: float, most: int, ending: float = 0.0
    ) -> "Deadline":
        """Return the deadline of a training that begins now and is part of a time budget.

        What has passed since the training was planned, as until its folder was written, is not
        added to it.

        Args:
            clock: The time budget.
            plan: The length of the training.
            start: The seconds before its first step, in which the backend compiles.
            most: The largest number of epochs that is worth its time.
            ending: The seconds from the last epoch to the end of the budget, for the scores.
        """
        seconds = min(start + plan.seconds / AIM, clock.left - ending)
        return cls(
            time.monotonic() + seconds,
            GRACE * clock.seconds,
            SLACK * clock.seconds,
            restart=start,
            most=most,
        )


def epochs_that_fit(
    done: int, epochs: int, epoch_seconds: float, left: float, deadline: Deadline
) -> int:
    """Return how many epochs a training should have, including those that are done.

    Args:
        done: The number of finished epochs.
        epochs: The number of planned epochs.
        epoch_seconds: The seconds that one epoch takes.
        left: The seconds that are left before the deadline.
        deadline: How closely the deadline is kept.

    >>> deadline = Deadline(end=0, grace=2, slack=5)
    >>> epochs_that_fit(5, 20, 2.0, 60.0, deadline)
    35
    >>> epochs_that_fit(5, 20, 2.0, 33.0, deadline)
    20
    """
    missed = abs(left - (epochs - done) * epoch_seconds)
    if missed <= deadline.slack:
        return epochs
    room = left - deadline.restart
    more = int((room + deadline.grace / 2) / epoch_seconds)
    more = max(1, min(more, deadline.most - done))
    return done + more if abs(room - more * epoch_seconds) < missed else epochs


@dataclass
class _Watch:
    """Decides after each step of a training whether it should stop there.

    Attributes:
        plan: The length of the training, and where that does not fit, one that does.
        saved: The state in which the training begins.
        deadline: When the training should end.
        has_head: Whether there is a classifier before the first epoch, that of a head.
        parts: The number of calls for each step of the plan.
        late: Whether the training was stopped because its time is up.
        stops: The last answer.
        calls: The number of steps.
        began: The end of the first step, during which the backend has compiled.
    """

    plan: Plan
    saved: State
    deadline: Deadline
    has_head: bool = False
    parts: int = 1
    late: bool = False
    stops: bool = False
    calls: int = 0
    began: float = 0.0

    def __call__(self) -> bool:
        """Return whether the training should stop; asked after each part of a step."""
        self.stops = self._should_stop(time.monotonic(), self.plan.steps_per_epoch * self.parts)
        return self.stops

    def _should_stop(self, now: float, steps_per_epoch: int) -> bool:
        self.calls += 1
        if self.calls == 1:
            self.began = now
        end = self.deadline.end
        is_over = now > end + self.deadline.grace
        finished, rest = divmod(self.saved.step + self.calls, steps_per_epoch)
        done = self.saved.epoch + finished
        # A classifier file may be of an epoch that a process that was killed did not keep.
        self.late = is_over and (self.has_head or done > 0)
        planned = self.plan.epochs
        watched = now - self.began
        if self.late or rest or done >= planned or watched < WATCHED * self.plan.seconds:
            return self.late
        epoch_seconds = watched * steps_per_epoch / max(self.calls - 1, 1)
        epochs = epochs_that_fit(done, planned, epoch_seconds, end - now, self.deadline)
        self.plan = replace(self.plan, epochs=epochs)
        return epochs != planned


def _saved_state(run: Run) -> State:
    """Return the saved state of a run, which is a new one if nothing was saved."""
    return read_state(run.state_path) if run.has_state else State()


def train_until(
    trainer: Trainer | FineTuneStage,
    run: Run,
    plan: Plan,
    deadline: Deadline,
    replan: Callable[[Plan], None] | None = None,
) -> str:
    """Train as planned, and stop the training if it is late.

    The training is not stopped before there is a classifier: that of the head on a frozen backbone,
    otherwise that of the first epoch.

    Args:
        trainer: The training, compiled for the plan.
        run: The run of the training.
        plan: The length of the training.
        deadline: When it should end.
        replan: Prepares the training for another plan. It is called where the deadline allows to
            change the plan.

    Returns:
        A note for the user if the training was stopped, otherwise "".

    Raises:
        Interrupted: If the user pressed Ctrl-C. The state and the best epoch are kept.
        TrainingError: If the loss is not finite. The best epoch is kept.
    """
    has_head = isinstance(trainer, FineTuneStage)
    while True:
        watch = _Watch(plan, _saved_state(run), deadline, has_head, trainer.parts)
        try:
            with backend.forgotten():  # another plan compiles anew
                trainer.run(run, stop_requested=watch)
        except Interrupted:
            if not watch.stops:
                raise
        else:
            return recorded_end(run) or ""
        done = _saved_state(run).epoch
        if watch.late:
            late = _(
                "stopped after {done} of {epochs} epochs: it was slower than measured, and its "
                "time was up"
            ).format(done=done, epochs=plan.epochs)
            trainer.end(run, late)
            return late
        plan = watch.plan
        note = ngettext(
            "planned anew after {done} epoch: at this speed {epochs} fill the time",
            "planned anew after {done} epochs: at this speed {epochs} fill the time",
            done,
        )
        trainer.screen.note(note.format(done=done, epochs=plan.epochs))
        trainer.screen.go_on()
        if replan is not None:
            replan(plan)
