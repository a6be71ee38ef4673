"""Network: where the network of a training comes from.

It comes from the zoo, from a Keras model of the user, or from a finished classifier. A backbone
with a new head is a fourth kind, see `convlens.transfer.origin`.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np

from convlens.classifier.assembly import (
    Network,
    all_layers,
    assemble,
    finalize,
    with_precision,
)
from convlens.classifier.classifier import Classifier
from convlens.classifier.closing import without_closing_activation
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.decoding import Progress
from convlens.data.digests import Digests, no_digests
from convlens.data.draws import Indices
from convlens.data.input_shape import Demands
from convlens.data.prepared import Prepared, prepare_data
from convlens.errors import ModelError
from convlens.language import _
from convlens.preprocess import Preprocessing
from convlens.run_images import learned_by
from convlens.training.stem_note import borrowed_stem_note, stem_note
from convlens.zoo.create import build, refuse_stem
from convlens.zoo.registry import ModelInfo, model_info
from convlens.zoo.weights import load_weights, none_published

ADAPTED = 500  # training images that weights are computed from, at most
SCALING = keras.layers.Rescaling | keras.layers.Normalization


@dataclass(frozen=True, eq=False)
class Origin:
    """A network before it is trained.

    Attributes:
        name: The name for the run folder and the report.
        network: A function or model from scaled images to logits. It is None for a network of the
            zoo, which is built once the size of the images is known.
        ready: The model from uint8 images to logits of a classifier that is trained further.
        preprocessing: The preprocessing of a classifier that is trained further, used as it is.
        demands: What the network requires of other images. Its least side is None where only
            building the network will tell.
        class_names: The classes of a classifier that is trained further. Its images must have the
            same.
        trained: The classifier that the network comes from. It must not be tested on images that it
            has learned from.
        learned: (m, 16) the digests of these images, as far as they are known.
        is_resumed: Whether the network goes on in a run that has begun.
    """

    name: str
    network: Network | None = None
    ready: keras.Model | None = None
    preprocessing: Preprocessing | None = None
    demands: Demands = field(default_factory=Demands)
    class_names: tuple[str, ...] | None = None
    trained: Classifier | None = None
    learned: Digests = field(default_factory=no_digests)
    is_resumed: bool = False

    @property
    def is_of_zoo(self) -> bool:
        """Whether the network is built new, from the zoo."""
        return self.network is None and self.ready is None

    def prepare(
        self,
        dataset: Dataset,
        config: Config,
        progress: Progress | None,
        drawn: Indices | None = None,
    ) -> Prepared:
        """Return the dataset decoded as this network takes it, with what is to be noted of both.

        Args:
            dataset: The images.
            config: The configuration.
            progress: As in `prepare_data`.
            drawn: The images that a run uses, as in `prepare_data`.

        Raises:
            DataError: If the images have classes that the network does not know.
        """
        if self.class_names is not None:
            dataset = dataset.with_classes(self.class_names)
        prepared = prepare_data(
            dataset,
            config,
            demands=self.demands,
            preprocessing=self.preprocessing,
            progress=progress,
            drawn=drawn,
        )
        notes = (*prepared.more_notes, *borrowed_stem_note(self.name, config))
        return replace(prepared, more_notes=notes)

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 images to logits.

        A classifier that is trained further gives a copy, because all folds of a cross-validation
        begin with its weights.

        Raises:
            ModelError: If the images are too small for the network, or if weights are given for a
                model of the user or do not fit.
        """
        if self.ready is not None:
            return with_precision(self.ready, "float32")
        num_classes = prepared.dataset.num_classes
        network = self.network
        if network is None:
            network = partial(build, self.name, num_classes=num_classes, config=config.model)
        model = assemble(network, prepared.preprocessing, num_classes, self.name)
        if config.transfer.weights is not None:
            if not self.is_of_zoo:
                raise ModelError(
                    _(
                        "--weights are for a network of the zoo; a model of your own has its "
                        "weights already."
                    )
                )
            load_weights(model, self.name, config.transfer.weights)
            finalize(model)
        elif self.is_of_zoo:
            self._adapt(model, prepared)
        return model

    def _adapt(self, model: keras.Model, prepared: Prepared) -> None:
        """Set the weights that the network computes from training images, if it has any."""
        adapt = model_info(self.name).adapt
        if adapt is not None:
            train = prepared.splits.train
            spread = np.linspace(0, len(train) - 1, min(len(train), ADAPTED)).astype(np.int64)
            adapt(model, np.asarray(prepared.store.images[train[spread]]))

    def notes(self, prepared: Prepared, config: Config, model: keras.Model) -> list[str]:
        """Return what the user should know about the network on these images.

        Args:
            prepared: The images.
            config: The configuration, with the stem and the weights in use.
            model: The model that `assemble` returned.
        """
        frozen = sum(layer.count_params() for layer in model.layers if not layer.trainable)
        # A layer that is computed from the images, as in `fast_cnn`, is too small to matter.
        if self.trained is not None and frozen > model.count_params() / 2:
            return [
                _(
                    "the frozen layers of {name} are computed in every step; with --backbone in "
                    "place of --from, they are computed once for each image, and a new head learns "
                    "in a fraction of the time"
                ).format(name=self.name)
            ]
        if not self.is_of_zoo:
            return []
        notes = stem_note(self.name, prepared, config.model, model)
        is_random = config.transfer.weights is None and model_info(self.name).adapt is None
        if is_random and frozen:
            notes.append(
                _(
                    "the frozen layers of {name} have random weights: this only demonstrates the "
                    "method, and its scores mean nothing. Give --weights imagenet, or a file of "
                    "weights."
                ).format(name=self.name)
            )
        return notes


def choose_network(
    config: Config, model: keras.Model | None = None, start_from: str | Path | None = None
) -> Origin:
    """Return the network to train.

    Args:
        config: Names a network of the zoo, where neither of the other arguments is given.
        model: A functional or sequential model of the user on float pixels. A closing softmax or
            sigmoid is removed, since the loss is computed from logits. The model gets pixels / 255,
            or 0..255 if it scales them itself.
        start_from: A classifier file or a run folder, whose network is trained further.

    Raises:
        ConfigError: If the configuration names a backbone, or a setting that needs one.
        ModelError: If the model is unknown, cannot be trained here, or has not got the stem or the
            weights that are asked for.
        ClassifierError: If the file is no complete classifier.
    """
    refuse_conflicts(
        "train", {"from_scratch": True, "from": start_from} | config.transfer.changed()
    )
    if start_from is not None:
        classifier = Classifier.load(start_from)
        return Origin(
            classifier.model.name,
            ready=classifier.logits_model,
            preprocessing=classifier.preprocessing,
            class_names=classifier.class_names,
            trained=classifier,
            learned=learned_by(Path(start_from)),
        )
    if model is None:
        info = model_info(config.model.model)
        _refuse_lacking(info, config)
        least_side = info.least_side if config.model.stem == "paper" else None
        return Origin(info.name, demands=Demands(info.scale, least_side=least_side))
    _check_own_model(model)
    scales_itself = any(isinstance(layer, SCALING) for layer in all_layers(model))
    return Origin(
        model.name,
        network=without_closing_activation(model),
        demands=Demands(1.0 if scales_itself else 1 / 255, model.input_shape[1:]),
    )


def _refuse_lacking(info: ModelInfo, config: Config) -> None:
    """Raise ModelError if a network of the zoo lacks the stem or the weights that are asked for."""
    if config.model.stem != "paper":
        refuse_stem(info)
    if config.transfer.weights == "imagenet" and info.weights is None:
        raise none_published(info.name)


def _check_own_model(model: keras.Model) -> None:
    """Raise ModelError if a model of the user cannot be trained and saved here."""
    if not isinstance(model, keras.Sequential | keras.Function):
        raise ModelError(
            _(
                "a model of your own must be functional or sequential, so that its file opens "
                "without its code; found {kind}. Build it with keras.Model(inputs, outputs)."
            ).format(kind=type(model).__name__)
        )
    one_each = model.built and len(model.inputs) == len(model.outputs) == 1
    if not one_each or len(model.inputs[0].shape) != 4:
        raise ModelError(
            _(
                "a model of your own must be built, take one input (batch, height, width, "
                "channels) and give one output."
            )
        )
    channels = model.inputs[0].shape[-1]
    if channels not in (1, 3, None):
        raise ModelError(
            _(
                "a model of your own must take images of 1 (grey) or 3 (RGB) channels; {name} "
                "takes {channels}."
            ).format(name=model.name, channels=channels)
        )
