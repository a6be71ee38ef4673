"""Budget: how long a training may be so that it ends in a given time, with its learning rate at the end of its way.

Stopping a training when the time is up would leave its learning rate high and its network unfinished. So the seconds
of a step, of a validation and of keeping the best epoch are measured first, and the number of epochs and their length
follow from them. An epoch need not be one pass over the images: `--steps-per-epoch` cuts the stream of batches
anywhere, and the next epoch goes on there.
"""

import contextlib
import json
import math
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras

from convlens import backend
from convlens.errors import ConfigError, Interrupted, StorageError
from convlens.run import Run
from convlens.screen import duration
from convlens.training.fit import step_seconds
from convlens.training.trainer import Trainer

AIM = 0.95  # share of the time that is planned; the rest is for what was not measured
LIMIT = 1.1  # a training that turns out slower is stopped at this multiple of its time
OVERHEAD = 0.1  # share of an epoch that validating and keeping may take, where a longer epoch can bring it down
EPOCHS = (
    10  # but epochs do not grow so long that fewer than these are left: the best of them is kept
)
VAL_STEPS = 20  # validation batches that are timed, at most
ENDLESS = 10**9  # steps
CLOCK = "state/seconds.json"  # of a run: how long it was trained for, also where it was stopped and resumed
UNITS = {"h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}


@dataclass(frozen=True)
class Costs:
    """Measured seconds of a training.

    Attributes:
        step: of a training step.
        validation: of a pass over the validation images; 0 where there are none.
        keep: of writing the best epoch's classifier.
        start: before the first step and the first validation, while the engine compiles.
    """

    step: float
    validation: float = 0.0
    keep: float = 0.0
    start: float = 0.0

    @property
    def overhead(self) -> float:
        """Seconds after the steps of an epoch: its validation, and keeping it, should it be the best."""
        return self.validation + self.keep


@dataclass(frozen=True)
class Plan:
    """What fills the time: `epochs` of `steps_per_epoch` steps, which should take `seconds`."""

    epochs: int
    steps_per_epoch: int
    seconds: float


def parse_duration(text: str) -> float:
    """Return the seconds of a duration: a number with a unit, or several from the largest unit to the smallest.

    Raises:
        ConfigError: it is not of that form, or not more than zero.

    >>> parse_duration("90s"), parse_duration("10m"), parse_duration("1h30m"), parse_duration("1.5 h")
    (90.0, 600.0, 5400.0, 5400.0)
    """
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(
        rf"(?:{number}h)?(?:{number}m(?:in)?)?(?:{number}s)?", re.sub(r"\s", "", text.lower())
    )
    if match is None or not any(match.groups()):
        raise ConfigError(
            f"a duration must be a number with its unit, as 90s, 10m or 1h30m; found {text!r}."
        )
    seconds = sum(
        float(part or 0) * UNITS[unit]
        for part, unit in zip(match.groups(), ("h", "m", "s"), strict=True)
    )
    if seconds <= 0:
        raise ConfigError(f"a duration must be more than zero; found {text!r}.")
    return seconds


def least_seconds(costs: Costs) -> float:
    """Return the shortest time that can be planned: one step, validated and kept."""
    return (costs.step + costs.overhead) / AIM


def plan(seconds: float, costs: Costs, steps_per_pass: int) -> Plan:
    """Return the training that fills the time to `AIM`, within one step an epoch.

    Epochs are about a pass over the images. They are longer where validating each pass would take more than
    `OVERHEAD` of the time, and shorter where a whole number of passes does not fill it, or not even one fits.

    Args:
        seconds: the time from the first step to the end of the last validation.
        costs: measured.
        steps_per_pass: training steps of one pass over the images.

    Raises:
        ConfigError: not even one step fits.

    >>> plan(60, Costs(step=0.1, validation=1.0), steps_per_pass=100)
    Plan(epochs=5, steps_per_epoch=104, seconds=57.0)
    """
    if seconds < least_seconds(costs):
        raise ConfigError(
            f"the time must be at least {least_seconds(costs):.2g} s: a step takes {costs.step:.2g} s, and to validate "
            f"and keep it {costs.overhead:.2g} s, measured; found {seconds:g} s."
        )
    aim = AIM * seconds
    wanted = math.ceil(
        costs.overhead * (1 / OVERHEAD - 1) / (costs.step * steps_per_pass)
    )  # passes in an epoch
    whole = (aim - EPOCHS * costs.overhead) / (
        costs.step * steps_per_pass
    )  # passes of the training, in EPOCHS epochs
    length = max(1, min(wanted, int(whole / EPOCHS))) * steps_per_pass * costs.step + costs.overhead
    most = int(aim / (costs.step + costs.overhead) + 1e-9)
    epochs = max(1, min(round(aim / length), most))
    near = range(
        epochs - epochs // 5, min(epochs + epochs // 5, most) + 1
    )  # to lose little to whole steps
    plans = [
        _fill(aim, number, costs)
        for number in sorted(near, key=lambda number: abs(number - epochs))
    ]
    full = (one for one in plans if one.seconds >= 0.99 * aim)
    return next(full, max(plans, key=lambda one: one.seconds))


def _fill(aim: float, epochs: int, costs: Costs) -> Plan:
    """Return so many epochs of as many whole steps as fit."""
    steps = max(1, int((aim / epochs - costs.overhead) / costs.step + 1e-9))
    return Plan(epochs, steps, epochs * (steps * costs.step + costs.overhead))


class Clock:
    """What is left of a time.

    Args:
        seconds: of it.
        began: when, as `time.time` says it; None is now.
    """

    def __init__(self, seconds: float, began: float | None = None) -> None:
        self.seconds = seconds
        self._began = time.monotonic() - (0.0 if began is None else time.time() - began)

    @property
    def used(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds to its end; negative after it."""
        return self.seconds - self.used

    def require(self, more: float, what: str) -> None:
        """Raise ConfigError where `more` seconds are not left."""
        if more <= self.left:
            return
        raise ConfigError(
            f"--budget must be about {duration(self.used + 1.1 * more)} at least for {what}: {duration(self.used)} for "
            f"starting and measuring, {duration(more)} from there; found {duration(self.seconds)}. Give more time, "
            "use fewer images with --limit, or make them smaller with --size."
        )


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """Enough steps are timed."""


@contextlib.contextmanager
def trial_folder() -> Iterator[Path]:
    """Yield a folder for a trial of which nothing is kept, see `backend.forgotten` too.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(
            f"measuring needs a folder for temporary files; {error.strerror or error}. TMPDIR names another place."
        ) from error
    with folder as name, backend.forgotten():
        yield Path(name)


def measure_costs(trainer: Trainer, seconds: float) -> Costs:
    """Measure a training on this machine, now, by beginning it; nothing of it is kept, the network is as before.

    The steps' mean counts, not their median: what the rest of the machine does now and then is part of the time. To
    train the network afterwards, compile it anew.

    Args:
        trainer: of the network; its screen should be quiet.
        seconds: to spend on steps after the first, which compiles; one at least is measured.

    Raises:
        StorageError: there is no place for temporary files.
    """
    model, val, steps, marks = trainer.model, trainer.val, trainer.train.steps, list[float]()
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]

    def enough() -> bool:
        marks.append(time.monotonic())
        if len(marks) > 1 and marks[-1] - marks[0] >= seconds:
            raise _Enough
        return False

    trainer.train.steps = ENDLESS  # no validation in between
    with trial_folder() as folder:
        began = time.monotonic()
        with contextlib.suppress(_Enough):
            Trainer.run(
                trainer, Run.create(folder / "trial", ""), enough
            )  # without what others do before it
        step, validation, keep = (marks[-1] - marks[0]) / (len(marks) - 1), 0.0, 0.0
        start = marks[0] - began
        if val is not None:
            began = time.monotonic()
            model.evaluate(val, steps=1, verbose=0)  # compiles
            start += time.monotonic() - began
            timed = max(1, min(val.steps, VAL_STEPS, int(seconds / step)))
            began = time.monotonic()
            model.evaluate(val, steps=timed, verbose=0)
            validation = (time.monotonic() - began) * val.steps / timed
        for _ in range(2):  # the first writing may take longer, as it imports
            began = time.monotonic()
            trainer.classifier().save(folder / "trial.keras")
            keep = time.monotonic() - began
            if keep > seconds:
                break
    trainer.train.steps = steps
    backend.sync(model)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return Costs(step, validation, keep, start)


def train_for(trainer: Trainer, run: Run, seconds: float) -> str:
    """Train as planned, at most `LIMIT` times the seconds; return why it ended early, or "".

    The first epoch is always finished, so that there is a classifier. A run that was stopped goes on with the time
    that is left, as far as it is known: of a killed one, that of its finished epochs. What the engine compiles before
    the first step does not count.

    Raises:
        Interrupted: Ctrl-C; the state and the best epoch are kept.
        TrainingError: the loss is not finite; the best epoch is kept.
    """
    step_seconds(trainer.model, trainer.train, 0.0)  # compiles
    if trainer.val is not None:
        trainer.model.evaluate(trainer.val, steps=1, verbose=0)
    before = seconds_trained(run)
    began = time.monotonic()

    def late() -> bool:
        return before + time.monotonic() - began > LIMIT * seconds and run.classifier_path.exists()

    note = ""
    try:
        trainer.run(run, late)
    except Interrupted:
        if not late():
            raise
        epochs, done = trainer.config.training.epochs, len(run.history)
        note = f"stopped after {done} of {epochs} epochs: it was slower than measured, and its time was up"
    finally:
        run.write(CLOCK, json.dumps(before + time.monotonic() - began))
    return note


def seconds_trained(run: Run) -> float:
    """Return the seconds that a run was trained for; of a killed one, those of its finished epochs."""
    epochs = (
        sum(float(row["seconds"] or 0) for row in run.history)
        if (run.folder / "history.csv").exists()
        else 0.0
    )
    clock = (
        run.folder / CLOCK
    )  # of the last stop: a run that was resumed and killed has trained for longer
    return (
        max(epochs, float(json.loads(clock.read_text(encoding="utf-8"))))
        if clock.exists()
        else epochs
    )
