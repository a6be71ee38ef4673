"""Setup: what every training begins with, which is images, a resolved configuration and a network.

A setup can record itself in a run folder and make a classifier of its network. How the network
learns is the business of the stages (`convlens.training.trainer` and `convlens.transfer`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import psutil
from numpy.typing import NDArray

from convlens import backend
from convlens.augmentation import describe_augmentation, resolve
from convlens.checksums import seal_begun, unseal
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import keras_precision
from convlens.config import LEARNING_RATES, Config
from convlens.data.augment import flip_is_safe
from convlens.data.batches import Batches, class_weights
from convlens.data.prepared import Prepared
from convlens.language import N_, _, ngettext
from convlens.memory import free_memory
from convlens.run import Run
from convlens.run_folder import images_in_words
from convlens.run_images import record_images
from convlens.training.checkpoint import State
from convlens.training.micro_batch import choose_micro_batch
from convlens.training.network import Origin
from convlens.training.recipe_words import describe_recipe
from convlens.unit import unit_in_words

LOWER = 0.1  # of an optimizer's usual learning rate, for layers that have learned before
EXAMPLES = 4  # images in the classifier file whose predictions are repeated at every load


@dataclass(eq=False)
class Setup:
    """The images, the resolved configuration and the network of a training.

    Attributes:
        prepared: The decoded and split images.
        origin: Where the network comes from.
        config: The configuration with every "auto" decided. A stage may change it, for example
            when it looks for a learning rate.
        precision: The arithmetic that the user asked for, which may be "auto".
        network: The float32 model from uint8 images to logits. The best weights end up in it.
        class_weights: (num_classes,) weight of an image by its class, or None.
        memory: A note on a micro-batch that was chosen, or "".
        maps_note: A note on maps that are not kept because of their size, or "".
    """

    prepared: Prepared
    origin: Origin
    config: Config
    precision: str
    network: keras.Model
    class_weights: NDArray[np.float32] | None
    memory: str = ""
    maps_note: str = ""

    @classmethod
    def create(cls, prepared: Prepared, config: Config, origin: Origin) -> "Setup":
        """Resolve the configuration and build the network.

        Raises:
            ModelError: If the images are too small for the network, or its weights cannot be had.
            ConfigError: If a pattern of `--unfreeze` matches no layer.
        """
        weights = class_weights(np.array(prepared.counts("train")), config.training.class_weights)
        resolved = _resolve(config, prepared, origin, weighted=weights is not None)
        keras.utils.set_random_seed(resolved.training.seed)
        network = origin.assemble(prepared, resolved)
        asked = config.training.precision
        resolved = resolved.replace(precision=keras_precision(network, asked))
        setup = cls(prepared, origin, resolved, asked, network, weights)
        setup.fit_into_memory()
        return setup

    def changed(self, config: Config) -> "Setup":
        """Return a setup for the same layers with another configuration.

        The network is a new, uncompiled model of the same layers, since a copy would need the
        class of the optimizer.
        """
        resolved = _resolve(
            config, self.prepared, self.origin, weighted=self.class_weights is not None
        )
        network = keras.Model(self.network.input, self.network.output, name=self.network.name)
        precision = keras_precision(network, config.training.precision)
        resolved = resolved.replace(precision=precision)
        setup = replace(self, config=resolved, network=network, memory="")
        setup.fit_into_memory()
        return setup

    def fit_into_memory(self) -> None:
        """Choose how many images are computed at a time, unless that is decided.

        Of several processes that train together, each computes its share at once.
        """
        if self.config.training.workers is not None:
            self.config = self.config.replace(micro_batch=0)
        if self.config.training.micro_batch is None:
            micro_batch, self.memory = choose_micro_batch(
                self.network,
                self.config.training,
                free_memory(),
                len(self.prepared.splits.train),
            )
            self.config = self.config.replace(micro_batch=micro_batch)

    def describe(self, run: Run, *, is_part: bool = False, **facts: Any) -> None:
        """Write the configuration and the split of the images into the run folder.

        A network that is not from the zoo is saved as it starts, so that the run can be resumed.

        Args:
            run: The run folder.
            is_part: Whether it is a part of a study, whose folder has the list of the images.
            facts: Further entries of data.json.
        """
        unseal(run.folder)
        if not is_part:
            record_images(run.folder, self.prepared, self.origin.learned)
        run.record(self.prepared, facts)
        if not self.origin.is_of_zoo:
            self.classifier().save(run.start_path)
        recorded = self.config
        if self.config.transfer.backbone is not None:
            # Features may be computed fastest in another precision than the layers that learn,
            # so a resumed run decides again.
            recorded = self.config.replace(precision=self.precision)
        run.write("run.toml", recorded.to_toml())
        seal_begun(run.folder, [run.start_path, *run.lists])

    @property
    def inputs(self) -> NDArray[np.generic]:
        """What the network takes, of all images."""
        return self.prepared.store.images

    def batches(
        self, indices: NDArray[np.int64], kind: Callable[..., Batches] = Batches, **options: Any
    ) -> Batches:
        """Return batches of the images with these indices; see `Batches` for the options."""
        return kind(
            self.inputs,
            self.prepared.dataset.labels,
            indices,
            num_classes=self.prepared.dataset.num_classes,
            batch_size=self.config.training.batch_size,
            micro_batch=self.config.training.micro_batch or 0,
            **options,
        )

    def classifier(self) -> Classifier:
        """Return a classifier that shares the weights of `network`."""
        prepared = self.prepared
        train = prepared.splits.train
        spread = np.unique(np.linspace(0, len(train) - 1, EXAMPLES).astype(int))
        classifier = Classifier.from_logits(
            self.network, prepared.dataset.class_names, prepared.preprocessing
        )
        return replace(classifier, examples=np.asarray(prepared.store.images[train[spread]]))

    def save_classifier(self, run: Run, state: State, provenance: Mapping[str, Any]) -> None:
        """Write the classifier of the best epoch so far.

        Args:
            run: The run folder.
            state: Where the training stands. The best epoch is 0 where the head on frozen
                features is the best.
            provenance: Further facts about where the classifier comes from.
        """
        best = state.history[state.best_epoch - 1] if state.best_epoch else {"epoch": 0}
        classifier = self.classifier()
        provenance = {
            "data": self.prepared.summary(),
            "config": self.config.to_dict(),
            "network": self.origin.name,
            "parameters": classifier.model.count_params(),  # auxiliary heads are not in the file
            "best": best,
            "precision": self.config.training.precision,
            "versions": backend.versions(),
            **provenance,
        }
        replace(classifier, provenance=provenance).save(run.classifier_path)

    def facts(self) -> dict[str, str]:
        """Return what will be trained on what, by the label that is printed in front of it.

        The labels are English, as identifiers of their translations.
        """
        settings = self.config.training
        threads = settings.threads or psutil.cpu_count() or 1
        recipe = describe_recipe(self.config)
        if self.origin.ready is not None and not self.origin.is_resumed:
            # A classifier that is trained further may have been trained by another one.
            recipe = _("--recipe {name}: {recipe}").format(name=settings.recipe, recipe=recipe)
        augmentation = describe_augmentation(self.config.augment)
        if self.class_weights is not None:
            augmentation = _("{augmentation}, rare classes weigh more").format(
                augmentation=augmentation
            )
        return {
            **describe_images(self.prepared),
            N_("network"): self._describe_network(),
            N_("recipe"): recipe,
            N_("augmentation"): augmentation,
            N_("compute"): ngettext(
                "{precision} on {engine}, {threads} thread",
                "{precision} on {engine}, {threads} threads",
                threads,
            ).format(
                precision=settings.precision,
                engine=backend.engine(),
                threads=threads,
            ),
        }

    def notes(self) -> list[str]:
        """Return what the user should know about the images and the network."""
        return [
            *self.prepared.notes,
            *self.origin.notes(self.prepared, self.config, self.network),
            *filter(None, [self.memory, self.maps_note, self._patience_note()]),
        ]

    def _patience_note(self) -> str:
        """Return a note if the training is to stop early, and nothing tells it when."""
        if not self.config.training.patience or len(self.prepared.splits.val):
            return ""
        return _(
            "--patience {patience} has no effect: without validation images (--val), no epoch is "
            "known to be better than another"
        ).format(patience=self.config.training.patience)

    def _describe_network(self) -> str:
        described = _("{name}, {count:,} parameters").format(
            name=self.origin.name, count=self.network.count_params()
        )
        if any(not layer.trainable for layer in self.network.layers):
            described = _("{network}, {count:,} of them trainable").format(
                network=described,
                count=sum(math.prod(v.shape) for v in self.network.trainable_variables),
            )
        if self.config.model.stem == "small":
            described = _("{network}, small stem").format(network=described)
        return described


def _resolve(config: Config, prepared: Prepared, origin: Origin, *, weighted: bool) -> Config:
    """Return the configuration with every "auto" decided, as `run.toml` records it."""
    height, width, channels = prepared.preprocessing.shape
    factor = 1.0 if config.transfer.unfreeze is None else LOWER
    usual_rate = factor * LEARNING_RATES[config.training.optimizer]
    decided = config.replace(
        model=origin.name,
        fit=prepared.preprocessing.fit,
        size=f"{height}x{width}",
        channels="grey" if channels == 1 else "rgb",
        class_weights="on" if weighted else "off",
        backend=backend.engine(),
        learning_rate=config.training.learning_rate or usual_rate,
    )
    flip_allowed = flip_is_safe(prepared.dataset.class_names, channels)
    return replace(decided, augment=resolve(config.augment, flip_allowed=flip_allowed))


def describe_images(prepared: Prepared) -> dict[str, str]:
    """Return the images, their split and their size in words, by the label of each fact.

    The labels are English, see `Setup.facts`.
    """
    data = prepared.dataset
    splits = prepared.splits
    count = images_in_words(prepared.size, len(splits.train) + len(splits.val) + len(splits.test))
    height, width, channels = prepared.preprocessing.shape
    unit = prepared.preprocessing.unit
    seen = _("{height} x {width} {colours}").format(
        height=height, width=width, colours=_("grey") if channels == 1 else "RGB"
    )
    if isinstance(unit, tuple):
        seen = _("{input}, {unit}").format(input=seen, unit=unit_in_words(unit))
    return {
        N_("images"): _("{count} from {source} ({kind}), {classes} classes").format(
            count=count, source=data.source, kind=data.kind, classes=data.num_classes
        ),
        N_("split"): _("{train:,} train, {val:,} validation, {test:,} test").format(
            train=len(splits.train), val=len(splits.val), test=len(splits.test)
        ),
        N_("input"): seen,
    }
