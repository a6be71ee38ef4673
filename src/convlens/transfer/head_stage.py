"""Head stage: a new head learns from the features of a frozen backbone.

Without augmentation a frozen network computes the same features of an image in every epoch. They
are therefore computed once and kept by content, and the head learns from them in seconds.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.classifier.assembly import set_weights
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import said_arithmetic
from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.language import N_, _, ngettext
from convlens.report.finish import Predict
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.training.checkpoint import State
from convlens.training.live import write_live
from convlens.training.setup import Setup
from convlens.training.stage import Facts
from convlens.transfer.backbone import FEATURES, HEAD, body_of
from convlens.transfer.feature_cache import BATCH
from convlens.transfer.features import digest_of, open_features, require_same_backbone
from convlens.transfer.heads import Labelled, fit_dense_head, fit_linear_head, write_trials
from convlens.transfer.wanted import Wanted, compute_missing, is_elsewhere

TOLERANCE = 0.02  # of a probability, in the mean, between two ways of computing the features
CHECKED = 16  # images on which the tolerance is checked
RESULT = "state/head_answers.json"  # in the run folder
ROWS = 4096  # features that the head is given at a time


@dataclass(frozen=True)
class HeadResult:
    """What a head alone has reached.

    Attributes:
        seconds: The time that features and head took, without epochs that the run's history has.
        strength: C of the logistic regression, or None for a head with hidden layers.
        classes: The predicted classes of the validation images.
    """

    seconds: float
    strength: float | None = None
    classes: Sequence[int] = ()

    @classmethod
    def read(cls, run: Run) -> "HeadResult":
        """Return the result that the head stage has written into a run folder."""
        return cls(**run.read(RESULT))


class HeadStage:
    """Computes the features of the frozen layers, and trains a head on them.

    Args:
        setup: The images, the configuration and the network.
        screen: Where the progress is shown.
        continues: Whether layers below the head may learn afterwards.
    """

    def __init__(self, setup: Setup, screen: Screen, *, continues: bool = False) -> None:
        self.setup = setup
        self.screen = screen
        self.continues = continues
        self.expected = 0.0
        self.body = body_of(setup.network)
        with screen.status(_("preparing the backbone")):
            self.compiled, self.features = open_features(self.body, setup.prepared, setup.precision)
            self._digest = digest_of(self.body)

    @property
    def arithmetic(self) -> str:
        """The precision and the engine that compute the features."""
        return said_arithmetic(self.compiled.arithmetic)

    def facts(self) -> dict[str, str]:
        """Return the recipe of a linear head, where nothing is trained by steps."""
        transfer = self.setup.config.transfer
        if transfer.unfreeze is not None or transfer.head:
            return {}
        recipe = _("logistic regression on the features")
        if len(self.setup.prepared.splits.val):
            recipe = _(
                "logistic regression on the features, its regularisation chosen on the validation "
                "images"
            )
        return {N_("recipe"): recipe, N_("compute"): self.arithmetic}

    def costs(self) -> Facts:
        """Return how long the features take, measured on one batch."""
        store = self.setup.prepared.store
        missing = self.features.missing(store, self._all_indices())
        how = _("{width:,} numbers an image, {arithmetic}").format(
            width=self.features.width, arithmetic=self.arithmetic
        )
        if not len(missing):
            return [(N_("features"), _("kept from an earlier run; {how}").format(how=how))]
        if is_elsewhere():
            said = ngettext(
                "of {count:,} image, on the cluster, kept for later; {how}",
                "of {count:,} images, on the cluster, kept for later; {how}",
                len(missing),
            )
            return [(N_("features"), said.format(count=len(missing), how=how))]
        images = store.images[missing[:BATCH]]
        self.compiled(images)  # The first call may compile.
        began = time.monotonic()
        self.compiled(images)
        seconds = (time.monotonic() - began) / len(images) * len(missing)
        self.expected = seconds
        said = ngettext(
            "about {time} for {count:,} image, measured, kept for later; {how}",
            "about {time} for {count:,} images, measured, kept for later; {how}",
            len(missing),
        ).format(time=duration(max(1, seconds)), count=len(missing), how=how)
        return [(N_("features"), said)]

    def _all_indices(self) -> NDArray[np.int64]:
        splits = self.setup.prepared.splits
        return np.concatenate([splits.train, splits.val, splits.test])

    def run(self, run: Run) -> State:
        """Compute the missing features, train the head on them, and save its classifier.

        Nothing is done where a resumed run has begun with the layers below. Ctrl-C ends this stage
        at once; the features computed so far are kept.
        """
        require_same_backbone(run, self._digest)
        if self.continues and run.has_state:
            return State()
        began = time.monotonic()
        prepared = self.setup.prepared
        with self.screen.counter(_("features")) as progress:
            wanted = Wanted(self.body, self.compiled, self.features, prepared, self._all_indices())
            compute_missing(wanted, progress)
        result = HeadResult(time.monotonic() - began)
        state = State()
        if self.setup.config.transfer.head:
            state, result = self._train_dense_head(run, result)
        else:
            result = self._train_linear_head(run, result.seconds)
        if len(prepared.splits.val):
            rows = self.predict(self.setup.classifier(), prepared.splits.val)
            write_live(run.folder, prepared, rows, 0)
            result = replace(result, classes=rows.argmax(axis=1).tolist())
        run.write(RESULT, json.dumps(vars(result)))
        return state

    def provenance(self, result: HeadResult) -> dict[str, Any]:
        """Return what the classifier file records of the features and the head."""
        facts: dict[str, Any] = {
            "features": self.compiled.arithmetic,
            "head_seconds": result.seconds,
        }
        if result.strength is not None:
            facts["strength"] = result.strength  # see `setting_names.said_strength`
        return facts

    def _save(self, run: Run, state: State, result: HeadResult) -> None:
        """Write the classifier of the head on the frozen network."""
        provenance = self.provenance(result)
        if self.setup.config.transfer.unfreeze is None:
            provenance["precision"] = self.compiled.precision
        self.setup.save_classifier(run, state, provenance)

    def _train_linear_head(self, run: Run, seconds: float) -> HeadResult:
        """Fit a logistic regression; `seconds` is the time that the features took."""
        began = time.monotonic()
        prepared = self.setup.prepared
        with self.screen.counter(_("regularisation")) as progress:
            head = fit_linear_head(
                *self._labelled(prepared.splits.train),
                *self._labelled(prepared.splits.val),
                prepared.dataset.num_classes,
                class_weights=self.setup.class_weights,
                progress=progress,
            )
        self.setup.network.get_layer(f"{HEAD}logits").set_weights([head.kernel, head.bias])
        run.write_history([])
        result = HeadResult(seconds + time.monotonic() - began, head.strength)
        self._save(run, State(), result)
        if head.trials:
            write_trials(head, run)
            best = next(t.accuracy for t in head.trials if t.strength == head.strength)
            chosen = _(
                "logistic regression, C = {strength:g} of {count} tried; validation accuracy "
                "{accuracy} {interval}"
            ).format(
                strength=head.strength,
                count=len(head.trials),
                accuracy=best.value_text,
                interval=best.interval_text,
            )
            self.screen.fact(_("head"), chosen)
        return result

    def _train_dense_head(self, run: Run, result: HeadResult) -> tuple[State, HeadResult]:
        """Train a head with hidden layers on the features, by steps, as any network.

        Where layers below the head learn afterwards, the epochs of the head do not count, the state
        that is returned is empty, and their time is part of the result.
        """
        setup = self.setup
        splits = setup.prepared.splits
        config = setup.config
        inner = run
        if self.continues:
            # The settings are those of the layers below, so the head has the usual ones.
            usual = TrainingConfig(learning_rate=LEARNING_RATES["adamw"], seed=config.training.seed)
            config = replace(config, training=usual)
            inner = run.part("head")

        def on_best(state: State) -> None:
            self._save(inner, replace(state, best_epoch=0) if self.continues else state, result)

        state = fit_dense_head(
            [layer for layer in setup.network.layers if layer.name.startswith(HEAD)],
            self._labelled(splits.train),
            self._labelled(splits.val),
            config,
            inner,
            class_weights=setup.class_weights,
            on_best=on_best,
            screen=self.screen,
        )
        set_weights(setup.network, inner.classifier().logits_model.get_weights())
        if not self.continues:
            return state, result
        seconds = sum(float(row["seconds"] or 0) for row in inner.history)
        result = replace(result, seconds=result.seconds + seconds)
        self._save(run, State(), result)
        return State(), result

    def _labelled(self, indices: NDArray[np.int64]) -> Labelled:
        """Return the features and the classes of the images with these indices."""
        prepared = self.setup.prepared
        return self.features.gather(prepared.store, indices), prepared.dataset.labels[indices]

    def predict(self, classifier: Classifier, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (m, num_classes) probabilities, from the kept features and the classifier's head.

        Args:
            classifier: A classifier with the layers of this stage's network.
            indices: (m,) indices of images of the store.
        """
        store = self.setup.prepared.store
        self.features.compute(self.compiled, store, indices)  # none, unless the cache was emptied
        features = self.features.gather(store, indices)
        head = keras.Model(classifier.model.get_layer(FEATURES).output, classifier.model.output)
        return np.concatenate(
            [
                head.predict_on_batch(features[start : start + ROWS])
                for start in range(0, len(features), ROWS)
            ]
        )

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return `predict` where it agrees with the classifier file on a few images, else None."""
        # A process that was killed while it scored may have calibrated the classifier.
        classifier = run.classifier().recalibrated(1.0, None)
        prepared = self.setup.prepared
        indices = prepared.splits.train[:CHECKED]
        in_float32 = classifier.probabilities(prepared.store.images, indices=indices)
        difference = np.abs(self.predict(classifier, indices) - in_float32).max(axis=1).mean()
        if difference > TOLERANCE:
            self.screen.note(
                _(
                    "features in {arithmetic} change probabilities by {difference:.3f}; the scores "
                    "are computed by the classifier in float32 instead, which takes longer"
                ).format(arithmetic=self.arithmetic, difference=difference)
            )
            return None
        if self.compiled.precision != "float32":
            how = _("in {arithmetic}; in float32 the probabilities differ by {difference:.4f}")
            self.screen.fact(
                _("scores"), how.format(arithmetic=self.arithmetic, difference=difference)
            )
        return self.predict
