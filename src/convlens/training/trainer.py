"""Trainer: trains the weights of a network that are not frozen, step by step."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

import keras
import psutil

from convlens import backend
from convlens.charts.tuning import show_learning_rates
from convlens.classifier.assembly import set_weights, with_precision
from convlens.config import LEARNING_RATES
from convlens.errors import Interrupted
from convlens.report.finish import Predict
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.training.checkpoint import State
from convlens.training.fit import Hooks, Row, fit, step_seconds
from convlens.training.learning_rate import find_learning_rate
from convlens.training.losses import AnswerAccuracy, HeadsCrossentropy, join_heads
from convlens.training.optimizers import Multiplier, make_optimizer, make_schedule
from convlens.training.setup import Setup

Facts = list[tuple[str, str]]


class Stage(Protocol):
    """A part of a training; `Training` runs one after the other."""

    def facts(self) -> dict[str, str]:
        """Return what this stage does differently from what the setup says."""

    def costs(self) -> Facts:
        """Return the time and the memory that the stage takes, measured, for printing."""

    def run(
        self,
        run: Run,
        *,
        stop_requested: Callable[[], bool],
        on_epoch: Callable[[Row, bool], None],
    ) -> State:
        """Train, and leave the best classifier in the run folder."""

    @property
    def predict(self) -> Predict | None:
        """What predicts faster than the classifier in the run folder, or None."""

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return what the scores are computed with; None stands for the classifier itself."""


class Trainer:
    """A network compiled for its images. It is a stage, and all of a training from scratch.

    Args:
        setup: The images, the configuration and the network.
        screen: Where the progress is shown.
        multipliers: Returns how much faster or slower each trainable variable of a model learns
            than the learning rate says. With None all learn alike.
    """

    def __init__(
        self,
        setup: Setup,
        screen: Screen,
        multipliers: Callable[[keras.Model], Sequence[Multiplier]] | None = None,
    ) -> None:
        self.setup = setup
        self.screen = screen
        self.provenance: Mapping[str, Any] = {}  # goes into the classifier file
        self._multipliers = multipliers
        settings = setup.config.training
        splits = setup.prepared.splits
        policy = "mixed_bfloat16" if settings.precision == "bfloat16" else "float32"
        self.model = join_heads(with_precision(setup.network, policy, seed=settings.seed))
        self.train = setup.batches(
            splits.train,
            seed=settings.seed,
            augmentation=setup.config.augment,
            weights=setup.class_weights,
            steps_per_epoch=settings.steps_per_epoch,
        )
        self.val = setup.batches(splits.val) if len(splits.val) else None
        self._compile()

    def set_length(self, epochs: int, steps_per_epoch: int) -> None:
        """Train for so many epochs of so many steps instead; the learning rate ends with them."""
        self.setup.config = self.setup.config.replace(
            epochs=epochs, steps_per_epoch=steps_per_epoch
        )
        self.train.steps = steps_per_epoch
        self._compile()

    def _compile(self) -> None:
        settings = self.setup.config.training
        schedule = make_schedule(settings, self.train.steps)
        multipliers = [] if self._multipliers is None else self._multipliers(self.model)
        steps = settings.epochs * self.train.steps
        num_heads = len(self.setup.network.outputs)
        self.model.compile(
            optimizer=make_optimizer(settings, schedule, multipliers, steps),
            loss=HeadsCrossentropy(num_heads, settings.label_smoothing),
            metrics=[AnswerAccuracy(name="accuracy")],
            jit_compile=backend.jit_compile(),
        )

    def find_learning_rate(self, run: Run) -> None:
        """Look for a learning rate, say which, and train with it; the curve is in the plots."""
        settings = self.setup.config.training
        usual = LEARNING_RATES[settings.optimizer]
        with self.screen.console.status("looking for a learning rate"):
            found = find_learning_rate(self.model, self.train, settings, usual)
        figure = show_learning_rates(found.rates, found.losses, suggestion=found.suggestion)
        path = run.write_figure("learning_rate", figure)
        self.screen.say(
            "learning rate {rate:.1e} looks best (curve: {path}); training with it".format(
                rate=found.suggestion, path=path
            )
        )
        self.setup.config = self.setup.config.replace(learning_rate=found.suggestion)
        self._compile()

    def facts(self) -> dict[str, str]:
        """Return nothing: the facts of the setup describe this stage."""
        return {}

    def costs(self) -> Facts:
        """Return the time and the memory that the training takes, measured on a few steps."""
        settings = self.setup.config.training
        with self.screen.console.status("measuring a few steps"):
            seconds = step_seconds(self.model, self.train)
        val_steps = self.val.steps if self.val else 0
        # A forward pass takes about a third of a training step.
        total = settings.epochs * seconds * (self.train.steps + val_steps / 3)
        memory = psutil.Process().memory_info().rss / 1e9
        time = "about {total} ({step:.0f} ms a step, measured), and then the scores".format(
            total=duration(max(total, 1)), step=seconds * 1000
        )
        return [("time", time), ("memory", "{memory:.1f} GB, measured".format(memory=memory))]

    def run(
        self,
        run: Run,
        *,
        stop_requested: Callable[[], bool] = lambda: False,
        on_epoch: Callable[[Row, bool], None] = lambda row, best: None,
        first: State | None = None,
        screen: Screen | None = None,
    ) -> State:
        """Train. Ctrl-C ends the step and keeps the best epoch.

        Args:
            run: The run folder.
            stop_requested: Asked after each step; True does the same as Ctrl-C.
            on_epoch: Called after each epoch, see `Hooks`.
            first: Where a new run begins.
            screen: Where the progress is shown instead of the trainer's own screen.

        Raises:
            Interrupted: If the training was stopped. The message says how to continue it.
        """
        keras.utils.set_random_seed(self.setup.config.training.seed)
        with _interruptible() as pressed:
            hooks = Hooks(
                on_best=lambda model, state: self._keep(model, state, run),
                on_epoch=on_epoch,
                stop_requested=lambda: pressed.is_set() or stop_requested(),
            )
            try:
                return fit(
                    self.model,
                    self.train,
                    self.val,
                    self.setup.config,
                    run,
                    hooks=hooks,
                    screen=screen or self.screen,
                    first=first,
                )
            except Interrupted as stop:
                message = "{stop}. {how}".format(stop=stop, how=run.how_to_resume())
                raise Interrupted(message) from None

    def _keep(self, model: keras.Model, state: State, run: Run) -> None:
        set_weights(self.setup.network, model.get_weights())
        self.setup.save_classifier(run, state, self.provenance)

    @property
    def predict(self) -> Predict | None:
        """Return None: nothing predicts faster than the classifier."""
        return None

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return None: the classifier itself is scored."""
        return None


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C or SIGTERM sets; a second Ctrl-C ends at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed  # Signals reach the main thread only.
        return

    def note(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
