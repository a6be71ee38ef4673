"""Trainer: a network and its images, from the first step to the report."""

import json
import math
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np
import psutil

from convlens import backend
from convlens.charts.learning_rate import show_learning_rates
from convlens.classifier.assembly import set_weights, with_precision
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import keras_precision
from convlens.config import LEARNING_RATES, AugmentConfig, Config
from convlens.data.augment import flip_is_safe, resolve
from convlens.data.batches import Batches, class_weights
from convlens.data.prepared import Prepared
from convlens.errors import Interrupted, TrainingError
from convlens.report.finish import Answers, calibrate, report_run, score
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.training.fit import State, fit, step_seconds
from convlens.training.learning_rate import find_learning_rate
from convlens.training.losses import AnswerAccuracy, HeadsCrossentropy, join_heads
from convlens.training.network import Origin
from convlens.training.optimizers import make_optimizer, make_schedule

EXAMPLES = 4  # images in the classifier file that are replayed at every load


class Trainer:
    """A network compiled for its images: announces, trains, and writes the run."""

    def __init__(self, prepared: Prepared, config: Config, origin: Origin, screen: Screen) -> None:
        """Build the network and compile it; raises ModelError where the images are too small for it."""
        self.prepared, self.origin, self.screen = prepared, origin, screen
        self.weights = class_weights(
            np.array(prepared.counts("train")), config.training.class_weights
        )
        self.config = self._resolve(config)
        keras.utils.set_random_seed(self.config.training.seed)
        self.float32 = origin.assemble(prepared, self.config)
        self._make_ready()

    def _resolve(self, config: Config) -> Config:
        return _resolved(config, self.prepared, self.origin.name, weighted=self.weights is not None)

    def _make_ready(self) -> None:
        """Make what follows from network and configuration: the copy that learns, its batches, its optimizer."""
        precision = keras_precision(self.float32, self.config.training.precision)
        self.config = self.config.replace(precision=precision)
        settings, splits = self.config.training, self.prepared.splits
        self.model = self._copy_to_train()
        self.train = self._batches(
            splits.train,
            seed=settings.seed,
            augmentation=self.config.augment,
            weights=self.weights,
            steps_per_epoch=settings.steps_per_epoch,
        )
        self.val = self._batches(splits.val) if len(splits.val) else None
        self._compile()

    def set_length(self, epochs: int, steps_per_epoch: int) -> None:
        """Train for so many epochs of so many steps instead; the learning rate ends with them."""
        self.config = self.config.replace(epochs=epochs, steps_per_epoch=steps_per_epoch)
        self.train.steps = steps_per_epoch
        self._compile()

    def _copy_to_train(self) -> keras.Model:
        """Return a copy of `float32` that computes in the configured precision, with its heads joined."""
        settings = self.config.training
        policy = "mixed_bfloat16" if settings.precision == "bfloat16" else "float32"
        return join_heads(with_precision(self.float32, policy, seed=settings.seed))

    def describe_run(self, run: Run, **facts: Any) -> None:
        """Write the resolved configuration and the division of the images into the run's folder.

        `facts` go into data.json too. A network that is not of the zoo is kept as it starts, for a resume.
        """
        run.write("data.json", json.dumps(self.prepared.to_dict() | facts, ensure_ascii=False))
        if self.origin.network is not None or self.origin.ready is not None:
            self.classifier().save(run.start_path)
        run.write("run.toml", self.config.to_toml())

    def _batches(self, indices: np.ndarray[Any, np.dtype[np.int64]], **options: Any) -> Batches:
        prepared = self.prepared
        return Batches(
            prepared.store.images,
            prepared.dataset.labels,
            indices,
            num_classes=prepared.dataset.num_classes,
            batch_size=self.config.training.batch_size,
            **options,
        )

    def _compile(self) -> None:
        settings = self.config.training
        self.model.compile(
            optimizer=self._optimizer(),
            loss=HeadsCrossentropy(len(self.float32.outputs), settings.label_smoothing),
            metrics=[AnswerAccuracy(name="accuracy")],
            jit_compile=backend.jit_compile(),
        )

    def _optimizer(self) -> keras.optimizers.Optimizer:
        settings = self.config.training
        return make_optimizer(settings, make_schedule(settings, self.train.steps))

    @property
    def answers(self) -> Answers | None:
        """What gives probabilities quicker than the kept classifier; None where nothing does."""
        return None

    def find_learning_rate(self, run: Run) -> None:
        """Look for a learning rate, say which, and train with it; the curve is in the run's plots."""
        settings = self.config.training
        with self.screen.console.status("looking for a learning rate"):
            found = find_learning_rate(
                self.model, self.train, settings, LEARNING_RATES[settings.optimizer]
            )
        figure = show_learning_rates(found.rates, found.losses, found.suggestion)
        path = run.write_figure("learning_rate", figure)
        self.screen.say(
            f"learning rate {found.suggestion:.1e} looks best (curve: {path}); training with it"
        )
        self.config = self.config.replace(learning_rate=found.suggestion)
        self._compile()

    def announce(self, run: Run, costs: list[tuple[str, str]] | None = None) -> None:
        """Say what will be trained on what, and what it will take: `costs`, else measured on a few steps."""
        costs = self._costs() if costs is None else costs
        self.screen.facts([*self._facts(), *costs, ("run", str(run.folder))])
        for note in (
            *self.prepared.notes,
            *self.origin.notes(self.prepared, self.config, self.float32),
        ):
            self.screen.note(note)

    def _facts(self) -> list[tuple[str, str]]:
        """Return what will be trained on what."""
        settings, data = self.config.training, self.prepared.dataset
        height, width, channels = self.prepared.preprocessing.shape
        splits = self.prepared.splits
        recipe = f"{settings.epochs} epoch{'s' * (settings.epochs > 1)}, batch {settings.batch_size}, {settings.optimizer}"
        changes = describe(self.config.augment) + (
            ", rare classes weigh more" if self.weights is not None else ""
        )
        limited = f", {self.config.data.limit:,} at most used" if self.config.data.limit else ""
        stem = ", small stem" if self.config.model.stem == "small" else ""
        learn = sum(math.prod(variable.shape) for variable in self.float32.trainable_variables)
        learning = (
            f", {learn:,} of them learn"
            if any(not layer.trainable for layer in self.float32.layers)
            else ""
        )
        facts = {
            "images": f"{len(data):,} from {data.source} ({data.kind}), {data.num_classes} classes{limited}",
            "division": f"{len(splits.train):,} train, {len(splits.val):,} validation, {len(splits.test):,} test",
            "seen as": f"{height} x {width} {'grey' if channels == 1 else 'RGB'}",
            "network": f"{self.origin.name}, {self.model.count_params():,} parameters{learning}{stem}",
            "recipe": f"{recipe}, learning rate {settings.learning_rate:g} ({settings.schedule.replace('_', '-')})",
            "changes": changes,
            "computes": f"{settings.precision} on {backend.engine()}, {settings.threads or psutil.cpu_count()} threads",
        }
        return list(facts.items())

    def _costs(self) -> list[tuple[str, str]]:
        """Return time and memory that the training takes, measured."""
        settings = self.config.training
        with self.screen.console.status("measuring a few steps"):
            seconds = step_seconds(self.model, self.train)
        val_steps = self.val.steps if self.val else 0
        total = (
            settings.epochs * seconds * (self.train.steps + val_steps / 3)
        )  # a forward pass is a third of a step
        memory = psutil.Process().memory_info().rss / 1e9
        return [
            (
                "takes",
                f"about {duration(max(total, 1))} ({seconds * 1000:.0f} ms a step, measured), then the scores",
            ),
            ("memory", f"{memory:.1f} GB, measured"),
        ]

    def run(
        self,
        run: Run,
        stop_requested: Callable[[], bool] = lambda: False,
        *,
        first: State | None = None,
    ) -> State:
        """Train. Ctrl-C ends the step, keeps the best epoch and raises Interrupted with what to type next.

        `stop_requested` is asked after each step; True does the same. `first` is where a new run begins.
        """
        keras.utils.set_random_seed(self.config.training.seed)
        with _interruptible() as pressed:
            try:
                return fit(
                    self.model,
                    self.train,
                    self.val,
                    self.config,
                    run,
                    on_best=lambda model, state: self.keep(model, state, run),
                    screen=self.screen,
                    stop_requested=lambda: pressed.is_set() or stop_requested(),
                    first=first,
                )
            except Interrupted as stop:
                raise Interrupted(f"{stop}. {self.how_to_go_on(run)}") from None

    def how_to_go_on(self, run: Run) -> str:
        """Return what a stopped run has kept and the command that goes on with it."""
        kept = (
            f"{run.classifier_path} holds the best epoch so far. "
            if run.classifier_path.exists()
            else ""
        )
        again = shlex.join(["convlens", "train", "--run", str(run.folder), "--resume"])
        return f"{kept}To go on: {again}"

    def classifier(self) -> Classifier:
        """Return a classifier that shares the weights of `float32`, which `keep` sets."""
        prepared = self.prepared
        classifier = Classifier.from_logits(
            self.float32, prepared.dataset.class_names, prepared.preprocessing
        )
        spread = np.linspace(0, len(prepared.splits.train) - 1, EXAMPLES).astype(int)
        classifier.examples = np.asarray(
            prepared.store.images[prepared.splits.train[np.unique(spread)]]
        )
        return classifier

    def keep(self, model: keras.Model, state: State, run: Run) -> None:
        """Write the classifier of the best epoch so far; 0 is that of a head on frozen features."""
        if model is not self.float32:
            set_weights(self.float32, model.get_weights())
        classifier = self.classifier()
        classifier.provenance = self._provenance(state)
        classifier.save(run.classifier_path)

    def _provenance(self, state: State) -> dict[str, Any]:
        """Return where the classifier comes from, as its file records it."""
        return {
            "data": self.prepared.summary(),
            "config": asdict(self.config),
            "network": self.origin.name,
            "parameters": self.float32.count_params(),
            "best": state.history[state.best_epoch - 1] if state.best_epoch else {"epoch": 0},
            "precision": self.config.training.precision,
            "versions": backend.versions(),
        }

    def finish(self, run: Run, answers: Answers | None = None) -> Classifier:
        """Calibrate the best epoch, score it on the test images, once, and write the report: the run is finished.

        `answers` gives the probabilities of images, where that is quicker than to ask the classifier.
        """
        if not run.classifier_path.exists():
            raise TrainingError(f"{run.folder}: no epoch was finished, so there is no classifier.")
        classifier = run.classifier()
        if not (len(self.prepared.splits.test) or self.val):
            self.screen.note("no images were set aside (--test, --val), so there are no scores")
            run.write(
                "report.json",
                json.dumps(
                    {"title": run.folder.name, "n": 0, "metrics": {}, "test_evaluations": 0}
                ),
            )
            return classifier
        classifier = calibrate(
            classifier, self.prepared, self.config.training, self.screen, answers
        )
        scored = score(classifier, self.prepared, self.screen, answers=answers)
        classifier.provenance["metrics"] = scored.evaluation.to_dict()["metrics"]
        classifier.save(run.classifier_path)
        report_run(run, classifier, scored, self.screen)
        return classifier


def _resolved(config: Config, prepared: Prepared, name: str, *, weighted: bool) -> Config:
    """Return the configuration with every "auto" decided, as `run.toml` records it."""
    height, width, channels = prepared.preprocessing.shape
    safe = flip_is_safe(prepared.dataset.class_names, channels)
    settings = config.training
    decided = config.replace(
        model=name,
        fit=prepared.preprocessing.fit,
        size=f"{height}x{width}",
        channels="grey" if channels == 1 else "rgb",
        class_weights="on" if weighted else "off",
        backend=backend.engine(),
        learning_rate=settings.learning_rate or LEARNING_RATES[settings.optimizer],
    )
    return replace(decided, augment=resolve(config.augment, flip_allowed=safe))


def describe(augmentation: AugmentConfig) -> str:
    """Return the augmentation in words.

    >>> describe(AugmentConfig(augment="none", flip=True, shift=0.1))
    'flip, shift 0.1'
    """
    fields = {
        name: value for name, value in asdict(augmentation).items() if name != "augment" and value
    }
    words = [name if value is True else f"{name} {value:g}" for name, value in fields.items()]
    return ", ".join(words) or "no augmentation"


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C (or SIGTERM) sets; a second Ctrl-C ends at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed  # signals reach the main thread only
        return

    def note(number: int, frame: Any) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
