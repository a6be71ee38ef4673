"""Transfer: a head on the features of a trained network, computed once, and then, where asked, its layers too.

Without augmentation a frozen network gives an image the same features in every epoch. So they are computed once, kept
by content, and the head learns from them in seconds. Layers that `--unfreeze` names learn afterwards, from the head
on: a new head's random gradients would first destroy what they know.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.classifier.assembly import set_weights
from convlens.classifier.classifier import Classifier
from convlens.config import LEARNING_RATES, Config, TrainingConfig
from convlens.data.prepared import Prepared
from convlens.evaluation.paired import compare_pairs
from convlens.report.finish import Answers
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.training.fit import State
from convlens.training.network import Origin
from convlens.training.optimizers import make_optimizer, make_schedule
from convlens.training.trainer import Trainer
from convlens.transfer.backbone import FEATURES, HEAD, BackboneOrigin, body_of, open_features
from convlens.transfer.dense_head import fit_dense_head
from convlens.transfer.features import BATCH
from convlens.transfer.linear_head import fit_linear_head, write_strengths
from convlens.transfer.unfreeze import paces, thaw

LOWER = 0.1  # layers that have learned before start at this share of an optimizer's usual rate
AGREE = 0.02  # of a probability, in the mean, between the features' engine and the classifier in float32
CHOSEN = ", its regularisation chosen on the validation images"
HEAD_ANSWERS = "state/head_answers.json"  # of a run: what the head alone said of the validation images, and its time
CHECKED = 16  # images on which that is checked


def make_trainer(prepared: Prepared, config: Config, origin: Origin, screen: Screen) -> Trainer:
    """Return what trains this network."""
    kind = TransferTrainer if isinstance(origin, BackboneOrigin) else Trainer
    return kind(prepared, config, origin, screen)


class TransferTrainer(Trainer):
    """A backbone with a new head: the head learns from kept features, then the unfrozen layers learn with it."""

    def __init__(self, prepared: Prepared, config: Config, origin: Origin, screen: Screen) -> None:
        """Build the network; raises ModelError or ConfigError, see `backbone` and `thaw`."""
        self.thawed = config.transfer.unfreeze is not None
        self.goes_on = self.thawed  # whether the head is only the beginning
        self._asked = config.training.precision
        super().__init__(prepared, config, origin, screen)
        self.cached = (
            self.thawed or not self._augmented()
        )  # a head to begin with learns from images as they are
        self.body = body_of(self.float32)
        self.head_won = False  # whether the kept classifier is the head on the frozen network
        self._head: State | None = None  # from which the layers below go on, once it is trained
        self.seconds = 0.0  # of features and head
        self._strength: float | None = None  # of a linear head
        if self.cached:
            with screen.console.status("preparing the backbone"):
                self.network, self.features = open_features(
                    self.body, prepared.preprocessing, self._asked
                )

    def describe_run(self, run: Run, **facts: Any) -> None:
        """Write what was asked for; see `Trainer.describe_run`. Features may be quickest in another precision."""
        super().describe_run(run, **facts)
        run.write("run.toml", self.config.replace(precision=self._asked).to_toml())

    def _resolve(self, config: Config) -> Config:
        settings = config.training
        if self.thawed and settings.learning_rate is None:
            settings = replace(settings, learning_rate=LOWER * LEARNING_RATES[settings.optimizer])
        return super()._resolve(replace(config, training=settings))

    def thaw(self, config: Config) -> None:
        """Let other layers learn, as `config` says, for a `run` to go on from the head that there is; or none."""
        self.thawed = config.transfer.unfreeze is not None
        # the same layers, uncompiled: a copy would ask for the optimizer's class
        self.float32 = keras.Model(self.float32.input, self.float32.output, name=self.float32.name)
        thaw(self.body, config.transfer)
        self.config = self._resolve(config)
        self._make_ready()

    def _copy_to_train(self) -> keras.Model:
        return super()._copy_to_train() if self.thawed or self._augmented() else self.float32

    def _augmented(self) -> bool:
        return any(value for name, value in vars(self.config.augment).items() if name != "augment")

    def _optimizer(self) -> keras.optimizers.Optimizer:
        settings, steps = self.config.training, self.train.steps
        rows = paces(self.model, body_of(self.model), self.config.transfer)
        return make_optimizer(
            settings, make_schedule(settings, steps), rows, settings.epochs * steps
        )

    def _facts(self) -> list[tuple[str, str]]:
        facts = dict(super()._facts())
        if self.cached and not self.thawed and not self.config.transfer.head:
            facts["computes"] = f"{self.network.precision} on {self.network.engine}"
            facts["recipe"] = "logistic regression on the features" + CHOSEN * bool(
                len(self.prepared.splits.val)
            )
        elif self.thawed:
            facts["recipe"] = f"first the head on kept features, then {facts['recipe']}"
        return list(facts.items())

    def _costs(self) -> list[tuple[str, str]]:
        if not self.cached:
            self.screen.note(
                "augmented images are new in every epoch: their features cannot be kept, all is computed"
            )
            return super()._costs()
        splits, store = self.prepared.splits, self.prepared.store
        wanted = self.features.missing(
            store, np.concatenate([splits.train, splits.val, splits.test])
        )
        how = f"{self.features.width:,} numbers an image, {self.network.precision} on {self.network.engine}"
        if len(wanted):
            seconds = self._measure(store.images[wanted[:BATCH]]) * len(wanted)
            said = f"about {duration(max(1, seconds))} for {len(wanted):,} images, measured, kept for later; {how}"
        else:
            said = f"kept from an earlier run; {how}"
        rows = [("features", said)]
        return [*rows, *super()._costs()] if self.thawed else rows

    def _measure(self, images: NDArray[np.uint8]) -> float:
        """Return the seconds that an image takes."""
        self.network(images)  # the first call may compile
        began = time.monotonic()
        self.network(images)
        return (time.monotonic() - began) / len(images)

    def run(
        self,
        run: Run,
        stop_requested: Callable[[], bool] = lambda: False,
        *,
        first: State | None = None,
    ) -> State:
        """Train the head, then the unfrozen layers; see `Trainer.run`."""
        if not self.cached:
            return super().run(run, stop_requested)
        resumed = (run.folder / "state" / "state.npz").exists()
        state = first or State()
        if not (resumed and self.thawed):
            state = self._head or self._train_head(run)
        if not self.thawed:
            return state
        if not resumed:
            set_weights(self.model, self.float32.get_weights())
            state = self._as_first(state)
        self.seconds = run.read(HEAD_ANSWERS)["seconds"]
        done = super().run(run, stop_requested, first=None if resumed else state)
        self.head_won = done.best_epoch == 0
        return done

    def _train_head(self, run: Run) -> State:
        """Compute the features that are missing, train the head on them, and keep it."""
        began, prepared = time.monotonic(), self.prepared
        splits = prepared.splits
        wanted = np.concatenate([splits.train, splits.val, splits.test])
        with self.screen.counter("features") as progress:
            self.features.compute(self.network, prepared.store, wanted, progress)
        self.seconds = time.monotonic() - began
        state = self._dense_head(run) if self.config.transfer.head else self._linear_head(run)
        self._head = State() if self.goes_on else state
        rows = (
            self._answers(self.classifier(), splits.val).argmax(1)
            if len(splits.val)
            else splits.val
        )
        run.write(HEAD_ANSWERS, json.dumps({"classes": rows.tolist(), "seconds": self.seconds}))
        return state

    def _linear_head(self, run: Run) -> State:
        prepared, splits, began = self.prepared, self.prepared.splits, time.monotonic()
        labels = prepared.dataset.labels
        with self.screen.counter("regularisation") as progress:
            head = fit_linear_head(
                self.features.gather(prepared.store, splits.train),
                labels[splits.train],
                self.features.gather(prepared.store, splits.val),
                labels[splits.val],
                prepared.dataset.num_classes,
                class_weights=self.weights,
                progress=progress,
            )
        self.float32.get_layer(f"{HEAD}logits").set_weights([head.kernel, head.bias])
        self._strength = head.strength
        run.write_history([], append=False)
        self.seconds += time.monotonic() - began
        self.keep(self.float32, State(), run)
        if head.trials:
            write_strengths(head, run)
            best = next(trial.accuracy for trial in head.trials if trial.strength == head.strength)
            self.screen.say(
                f"head         logistic regression, C = {head.strength:g} of {len(head.trials)} tried; validation "
                f"accuracy {best.value_text} {best.interval_text}"
            )
        return State()

    def keep(self, model: keras.Model, state: State, run: Run) -> None:
        """Write the classifier of the best epoch so far; see `Trainer.keep`."""
        super().keep(model, state, run)
        self.head_won = model is self.float32  # layers below learn in a copy

    def _dense_head(self, run: Run) -> State:
        """Train a head with hidden layers on the features, by steps, as any network."""
        prepared, config, inside = self.prepared, self.config, run
        if self.goes_on:  # the settings are those of the layers below
            settings = TrainingConfig(
                learning_rate=LEARNING_RATES["adamw"], seed=config.training.seed
            )
            config, inside = replace(config, training=settings), run.part("head")
        top = [layer for layer in self.float32.layers if layer.name.startswith(HEAD)]

        def keep(state: State) -> None:
            self.keep(self.float32, replace(state, best_epoch=0) if self.goes_on else state, inside)

        def labelled(indices: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            return self.features.gather(prepared.store, indices), prepared.dataset.labels[indices]

        train, val = labelled(prepared.splits.train), labelled(prepared.splits.val)
        state = fit_dense_head(
            top,
            train,
            val,
            config,
            inside,
            class_weights=self.weights,
            keep=keep,
            screen=self.screen,
        )
        set_weights(
            self.float32, inside.classifier().logits_model.get_weights()
        )  # of its best epoch
        if self.goes_on:
            self.keep(self.float32, State(), run)
        self.head_won = True
        return state

    def _as_first(self, state: State) -> State:
        """Return where fine-tuning begins: an epoch is kept that is better than the head alone."""
        if self.val is None:
            return State()
        found = self.model.evaluate(self.val, return_dict=True, verbose=0)
        self.screen.say(
            f"head alone   validation loss {found['loss']:.4f}, accuracy {found['accuracy']:.4f}: to be bettered"
        )
        return State(best_score=[found["accuracy"], -found["loss"]])

    def _answers(self, classifier: Classifier, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (m, num_classes) probabilities, by the kept features and the classifier's own head."""
        self.features.compute(
            self.network, self.prepared.store, indices
        )  # none, unless the cache was emptied
        features = self.features.gather(self.prepared.store, indices)
        head = keras.Model(classifier.model.get_layer(FEATURES).output, classifier.model.output)
        chunks = range(0, len(features), 4096)
        return np.concatenate(
            [np.asarray(head.predict_on_batch(features[i : i + 4096])) for i in chunks]
        )

    @property
    def answers(self) -> Answers | None:
        """By kept features, where the kept classifier is a head on them."""
        return self._answers if self.cached and self.head_won else None

    def finish(self, run: Run, answers: Answers | None = None) -> Classifier:
        """Calibrate, score and report; see `Trainer.finish`. A head on kept features answers from them."""
        if self.cached and self.head_won:
            return super().finish(run, self._answers if self._agrees(run) else None)
        if self.cached and len(self.prepared.splits.val):
            self._judge(run)
        return super().finish(run, answers)

    def _agrees(self, run: Run) -> bool:
        """Return whether kept features and the saved classifier agree on a few images; say how well."""
        classifier, indices = run.classifier(), self.prepared.splits.train[:CHECKED]
        plain = classifier.probabilities(self.prepared.store.images, indices=indices)
        difference = float(np.abs(self._answers(classifier, indices) - plain).max(1).mean())
        arithmetic = f"{self.network.precision} on {self.network.engine}"
        if difference > AGREE:
            self.screen.note(
                f"features in {arithmetic} change probabilities by {difference:.3f}; the scores are computed by the "
                "classifier in float32 instead, which takes longer"
            )
        elif self.network.precision != "float32":
            self.screen.say(
                f"scores       in {arithmetic}; in float32 probabilities differ by {difference:.4f}",
                "dim",
            )
        return difference <= AGREE

    def _provenance(self, state: State) -> dict[str, Any]:
        if not self.cached:
            return super()._provenance(state)
        head: dict[str, Any] = {
            "features": f"{self.network.precision} on {self.network.engine}",
            "head_seconds": self.seconds,
        }
        if not self.thawed:
            head["precision"] = self.network.precision
        if self._strength is not None:
            head["strength"] = f"C = {self._strength:g}, of the logistic regression"
        return super()._provenance(state) | head

    def _judge(self, run: Run) -> None:
        """Say, and note in the classifier, whether fine-tuning made a difference on the validation images."""
        classifier, indices = run.classifier(), self.prepared.splits.val
        rows = classifier.probabilities(self.prepared.store.images, indices=indices)
        labels, before = (
            self.prepared.dataset.labels[indices],
            np.array(run.read(HEAD_ANSWERS)["classes"]),
        )
        (pair,) = compare_pairs(
            ("fine-tuned", "frozen"), np.stack([rows.argmax(1) == labels, before == labels])
        )
        verdict = f"on validation, which also chose the epoch, {pair}"
        self.screen.say(f"fine-tuned   {verdict}")
        classifier.provenance["fine_tuning"] = verdict
        classifier.save(run.classifier_path)
