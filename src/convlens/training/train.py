"""Train: the whole way from a dataset to a classifier, its report and its run folder."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil

from convlens import backend
from convlens.classifier import Classifier, with_precision
from convlens.config import LEARNING_RATES, AugmentConfig, Config
from convlens.data.augment import flip_is_safe, resolve
from convlens.data.batches import Batches, class_weights
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import Interrupted, RunError, TrainingError
from convlens.training.fit import State, fit, step_seconds
from convlens.training.learning_rate import find_learning_rate
from convlens.training.network import Origin, choose_network
from convlens.training.optimizers import make_optimizer, make_schedule
from convlens.training.run import Run
from convlens.training.score import score_run
from convlens.training.screen import Screen, duration

__all__ = ["Trainer", "train"]

EXAMPLES = 4  # pictures in the classifier file that are replayed at every load


def train(  # noqa: PLR0913 - the public door; all but the first have defaults
    dataset: Dataset,
    config: Config | None = None,
    *,
    model: keras.Model | None = None,
    run: str | Path | None = None,
    start_from: str | Path | None = None,
    resume: bool = False,
    find_rate: bool = False,
    screen: Screen | None = None,
) -> Run:
    """Train a classifier and return its run: `run.classifier()`, `run.report`, `run.history`.

    Args:
        dataset: from `load_data`.
        config: every knob; `Config().replace(epochs=5)` changes some.
        model: a Keras model of one's own instead of a network of the zoo; it has the best weights afterwards.
        run: name or folder of the new run.
        start_from: a classifier file or run to train further.
        resume: go on with the run of that name, which was killed or stopped.
        find_rate: look for a learning rate first, and train with it.
        screen: where the progress is shown.

    Raises:
        ConvlensError: see `convlens.errors`; nothing of an earlier run is lost.
        Interrupted: Ctrl-C; the state and the best epoch are kept.
    """
    screen = screen or Screen()
    config = config or Config()
    if resume:
        if run is None:
            raise RunError("to resume, name the run: --resume --run NAME.")
        folder = Run.open(run)
        if (folder.folder / "report.json").exists():
            raise RunError(
                f"{folder.folder}: this run is finished. To train its classifier further: --from {folder.folder}."
            )
        config = folder.config
    backend.start(config.training.backend, config.training.threads)
    origin = choose_network(config, model, start_from)
    with screen.counter("decoding") as progress:
        prepared = origin.prepare(dataset, config, progress)
    if resume and folder.data["fingerprint"] != prepared.fingerprint:
        raise RunError(
            f"{folder.folder}: a run goes on with the pictures it began with; these are others (fingerprint)."
        )
    trainer = Trainer(prepared, config, origin, screen)
    if find_rate:
        trainer.find_learning_rate(Path(run or "learning-rate"))
    if not resume:
        folder = Run.create(run, f"{dataset.name}-{origin.name}")
        trainer.describe_run(folder)
    trainer.announce(folder)
    trainer.run(folder)
    classifier = trainer.finish(folder)
    if model is not None:
        model.set_weights(classifier.model.get_weights())
    return folder


class Trainer:
    """A network compiled for its pictures: announces, trains, and writes the run."""

    def __init__(self, prepared: Prepared, config: Config, origin: Origin, screen: Screen) -> None:
        """Build the network and compile it; raises ModelError where the pictures are too small for it."""
        self.prepared, self.origin, self.screen = prepared, origin, screen
        self.weights = class_weights(np.array(prepared.counts("train")), config.training.class_weights)
        self.config = config = _resolved(config, prepared, weighted=self.weights is not None)
        keras.utils.set_random_seed(config.training.seed)
        self.float32 = origin.assemble(prepared, config)
        policy = "mixed_bfloat16" if config.training.precision == "bfloat16" else "float32"
        self.model = with_precision(self.float32, policy, seed=config.training.seed)
        seed = config.training.seed
        self.train = self._batches(prepared.splits.train, seed=seed, augmentation=config.augment, weights=self.weights)
        self.val = self._batches(prepared.splits.val) if len(prepared.splits.val) else None
        self._compile()

    def describe_run(self, run: Run) -> None:
        """Write the resolved configuration and the division of the pictures into the run's folder."""
        run.write("run.toml", self.config.to_toml())
        run.write("data.json", json.dumps(self.prepared.to_dict(), ensure_ascii=False))

    def _batches(self, indices: np.ndarray[Any, np.dtype[np.int64]], **options: Any) -> Batches:
        prepared = self.prepared
        return Batches(
            prepared.store.pictures,
            prepared.dataset.labels,
            indices,
            num_classes=prepared.dataset.num_classes,
            batch_size=self.config.training.batch_size,
            **options,
        )

    def _compile(self) -> None:
        settings = self.config.training
        self.model.compile(
            optimizer=make_optimizer(settings, make_schedule(settings, self.train.steps)),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=settings.label_smoothing),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile=backend.jit_compile(),
        )

    def find_learning_rate(self, folder: Path) -> None:
        """Look for a learning rate, say which, and train with it."""
        settings = self.config.training
        with self.screen.console.status("looking for a learning rate"):
            found = find_learning_rate(self.model, self.train, settings, LEARNING_RATES[settings.optimizer])
        path = found.plot(folder.with_name(f"{folder.name}-learning-rate.png"))
        self.screen.say(f"learning rate {found.suggestion:.1e} looks best (curve: {path}); training with it")
        self.config = self.config.replace(learning_rate=found.suggestion)
        self._compile()

    def announce(self, run: Run) -> None:
        """Say what will be trained on what, and what it will take; the time is measured on a few steps."""
        settings, data, screen = self.config.training, self.prepared.dataset, self.screen
        with screen.console.status("measuring a few steps"):
            seconds = step_seconds(self.model, self.train)
        val_steps = self.val.steps if self.val else 0
        total = settings.epochs * seconds * (self.train.steps + val_steps / 3)  # a forward pass is a third of a step
        height, width, channels = self.prepared.preprocessing.shape
        splits = self.prepared.splits
        recipe = f"{settings.epochs} epochs, batch {settings.batch_size}, {settings.optimizer}"
        changes = describe(self.config.augment) + (", rare classes weigh more" if self.weights is not None else "")
        memory = psutil.Process().memory_info().rss / 1e9
        facts = {
            "pictures": f"{len(data):,} from {data.source} ({data.kind}), {data.num_classes} classes",
            "division": f"{len(splits.train):,} train, {len(splits.val):,} validation, {len(splits.test):,} test",
            "seen as": f"{height} x {width} {'grey' if channels == 1 else 'RGB'}",
            "network": f"{self.origin.name}, {self.model.count_params():,} parameters",
            "recipe": f"{recipe}, learning rate {settings.learning_rate:g} ({settings.schedule.replace('_', '-')})",
            "changes": changes,
            "computes": f"{settings.precision} on {backend.engine()}, {settings.threads or psutil.cpu_count()} threads",
            "takes": f"about {duration(total)} ({seconds * 1000:.0f} ms a step, measured) and {memory:.1f} GB",
            "run": str(run.folder),
        }
        screen.facts(list(facts.items()))
        for note in self.prepared.notes:
            screen.note(note)

    def run(self, run: Run) -> State:
        """Train. Ctrl-C ends the step, keeps the best epoch and raises Interrupted with what to type next."""
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
                    stop_requested=pressed.is_set,
                )
            except Interrupted as stop:
                kept = f"{run.classifier_path} holds the best epoch so far. " if run.classifier_path.exists() else ""
                source = self.prepared.dataset.source
                raise Interrupted(
                    f"{stop}. {kept}To go on: convlens train {source} --run {run.folder} --resume"
                ) from None

    def keep(self, model: keras.Model, state: State, run: Run) -> None:
        """Write the classifier of the best epoch so far."""
        self.float32.set_weights(model.get_weights())
        prepared = self.prepared
        classifier = Classifier.from_logits(self.float32, prepared.dataset.class_names, prepared.preprocessing)
        classifier.examples = np.asarray(prepared.store.pictures[prepared.splits.train[:EXAMPLES]])
        classifier.provenance = {
            "data": prepared.summary(),
            "config": {name: asdict(getattr(self.config, name)) for name in ("data", "model", "augment", "training")},
            "network": self.origin.name,
            "parameters": self.float32.count_params(),
            "best": state.history[state.best_epoch - 1],
            "precision": self.config.training.precision,
            "versions": backend.versions(),
        }
        classifier.save(run.classifier_path)

    def finish(self, run: Run) -> Classifier:
        """Score the best epoch on the test pictures, once, and write the report and the metrics."""
        if not run.classifier_path.exists():
            raise TrainingError(f"{run.folder}: no epoch was finished, so there is no classifier.")
        classifier = run.classifier()
        evaluation = score_run(run, classifier, self.prepared, self.screen)
        classifier.provenance["metrics"] = evaluation.to_dict()["metrics"]
        classifier.save(run.classifier_path)
        return classifier


def _resolved(config: Config, prepared: Prepared, *, weighted: bool) -> Config:
    """Return the configuration with every "auto" decided, as `run.toml` records it."""
    height, width, channels = prepared.preprocessing.shape
    safe = flip_is_safe(prepared.dataset.class_names, channels)
    settings = config.training
    decided = config.replace(
        size=f"{height}x{width}",
        channels="grey" if channels == 1 else "rgb",
        class_weights="on" if weighted else "off",
        precision=backend.resolve_precision(settings.precision),
        learning_rate=settings.learning_rate or LEARNING_RATES[settings.optimizer],
    )
    return replace(decided, augment=resolve(config.augment, flip_allowed=safe))


def describe(augmentation: AugmentConfig) -> str:
    """Return the augmentation in words.

    >>> describe(AugmentConfig(augment="none", flip=True, shift=0.1))
    'flip, shift 0.1'
    """
    fields = {name: value for name, value in asdict(augmentation).items() if name != "augment" and value}
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
