"""Network: where a training's network comes from: the zoo, the user's own Keras model, or a finished classifier."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras

from convlens.anatomy.graph import producer
from convlens.anatomy.summary import count_multiply_adds, layer_table
from convlens.classifier.assembly import (
    Network,
    all_layers,
    assemble,
    copy_model,
    finalize,
    with_precision,
)
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.prepared import Demands, Prepared, prepare_data
from convlens.data.store import Progress
from convlens.errors import ConfigError, ModelError
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build, create_model
from convlens.zoo.registry import model_info
from convlens.zoo.stem import LEAST_WITH_STEM
from convlens.zoo.weights import load_weights

CLOSING = ("softmax", "sigmoid")
SCALING = keras.layers.Rescaling | keras.layers.Normalization


@dataclass(frozen=True, eq=False)
class Origin:
    """A network before it is trained.

    Attributes:
        name: for the run folder and the report.
        network: gives logits for scaled images; None for a network of the zoo, which is built when its size is known.
        ready: of a classifier that is trained further: from uint8 images to logits.
        scale: what it wants pixels multiplied with.
        preprocessing: of a classifier that is trained further, taken as it is.
        shape: (height, width, channels) that it demands, None where any goes.
        least_side: of images that it can take, pixels; None where building it will tell.
        class_names: of a classifier that is trained further; its images must have the same.
        own: the user's model, which gets the trained weights at the end.
        trained: the classifier that the network comes from; what it has learned from must not be tested on.
    """

    name: str
    network: Network | None = None
    ready: keras.Model | None = None
    scale: float = 1 / 255
    preprocessing: Preprocessing | None = None
    shape: tuple[int | None, int | None, int | None] = (None, None, None)
    least_side: int | None = None
    class_names: tuple[str, ...] | None = None
    own: keras.Model | None = None
    trained: Classifier | None = None

    def prepare(self, dataset: Dataset, config: Config, progress: Progress | None) -> Prepared:
        """Return the dataset decoded as this network takes it. Raises DataError for classes it does not know."""
        if self.class_names is not None:
            dataset = dataset.with_classes(self.class_names)
        demands = Demands(self.scale, self.shape, self.least_side)
        return prepare_data(
            dataset, config, demands=demands, preprocessing=self.preprocessing, progress=progress
        )

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 images to logits.

        A classifier that is trained further gives a copy: the folds of a cross-validation all begin with its weights.
        """
        if self.ready is not None:
            return with_precision(self.ready, "float32")
        classes = prepared.dataset.num_classes
        network = self.network or partial(
            build, self.name, num_classes=classes, config=config.model
        )
        model = assemble(network, prepared.preprocessing, classes, self.name)
        if config.transfer.weights is not None:
            if self.network is not None:
                raise ModelError(
                    "--weights are for a network of the zoo; a model of one's own has its weights already."
                )
            load_weights(model, self.name, config.transfer.weights)
            finalize(model)
        return model

    def notes(self, prepared: Prepared, config: Config, model: keras.Model) -> tuple[str, ...]:
        """Return what the user should know of the network on these images.

        Args:
            prepared: the images.
            config: with the stem and the weights in use.
            model: from `assemble`.
        """
        stem = self._stem_note(prepared, config, model)
        frozen = any(layer.weights and not layer.trainable for layer in model.layers)
        random = (
            frozen
            and self.ready is None
            and self.network is None
            and config.transfer.weights is None
        )
        loud = (
            f"RANDOM WEIGHTS in the frozen layers of {self.name}: this shows the way only, its scores mean nothing. "
            "Give --weights imagenet, or a file of them."
        )
        return (*([stem] if stem else []), *([loud] if random else []))

    def rate_factor(self, config: Config) -> float:
        """Return the usual learning rate of this network as a multiple of the optimizer's."""
        return 1.0

    def _stem_note(self, prepared: Prepared, config: Config, model: keras.Model) -> str | None:
        """Return what `--stem small` would do, where the paper's first layers leave nothing of such small images."""
        zoo = self.network is None and self.ready is None
        if (
            not zoo
            or config.model.stem != "paper"
            or min(model_info(self.name).input_shape[:2]) < LEAST_WITH_STEM
        ):
            return None
        model = keras.Model(model.inputs, model.outputs[0])
        left = _last_map(model)
        if min(left) > 1:
            return None
        height, width, channels = prepared.preprocessing.shape
        sides = prepared.enlarged_from or (height, width)
        settings = dataclasses.replace(config.model, stem="small")
        try:
            small = create_model(
                self.name,
                input_shape=(*sides, channels),
                num_classes=prepared.dataset.num_classes,
                config=settings,
            )
        except ModelError:
            return None
        small = keras.Model(small.inputs, small.outputs[0])
        kept, shrinks = (
            _last_map(small),
            f"{self.name} shrinks {height} x {width} to {left[0]} x {left[1]}",
        )
        if min(kept) == 1:
            return f"{shrinks}, and no less with --stem small; a larger --size leaves more of them"
        own = " of {} x {}".format(*sides) if prepared.enlarged_from else ""
        times = count_multiply_adds(small) / count_multiply_adds(model)
        return f"{shrinks}; --stem small keeps {kept[0]} x {kept[1]}{own}, at {times:.2g} times the multiply-adds"


def _last_map(model: keras.Model) -> tuple[int, int]:
    """Return the (height, width) of the last map before a network looks at the whole of it."""
    height, width, _ = next(
        row for row in reversed(layer_table(model)) if row.stride is not None
    ).output_shape
    return height, width


def choose_network(
    config: Config, model: keras.Model | None = None, start_from: str | Path | None = None
) -> Origin:
    """Return the network to train.

    Args:
        config: names a network of the zoo, where neither of the others is given.
        model: the user's own functional or sequential model on float pixels; a closing softmax or sigmoid is taken off,
            since losses are computed from logits. It gets pixels / 255, or 0..255 if it scales them itself.
        start_from: a classifier file or a run folder, whose network is trained further.

    Raises:
        ConfigError: If the configuration names a backbone, or a setting that needs one.
        ModelError: unknown model, or one that cannot be trained here.
        ClassifierError: the file is no whole classifier.
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
        )
    if model is None:
        info = model_info(config.model.model)
        return Origin(
            info.name,
            scale=info.scale,
            least_side=info.least_side if config.model.stem == "paper" else None,
        )
    _check_own(model)
    # The same layers without what the model was compiled with: copying would ask for the code of a loss of one's own.
    uncompiled = keras.Model(model.inputs, model.outputs[0], name=model.name)
    scales_itself = any(isinstance(layer, SCALING) for layer in all_layers(model))
    return Origin(
        model.name,
        network=_without_closing_activation(uncompiled),
        scale=1.0 if scales_itself else 1 / 255,
        shape=model.input_shape[1:],
        own=model,
    )


def require_unseen_test(first: Classifier | None, prepared: Prepared, config: Config) -> None:
    """Refuse to learn further from the same images divided otherwise: the first training saw some of the test.

    Args:
        first: the classifier that a network comes from, see `Origin.trained`.
        prepared: the images.
        config: divides them.

    Raises:
        ConfigError: a setting of the division differs from that of the first training.
    """
    if first is None or first.provenance.get("data", {}).get("fingerprint") != prepared.fingerprint:
        return
    before = first.provenance["config"]
    for flag, old, new in (
        ("--val", before["data"]["val"], config.data.val),
        ("--test", before["data"]["test"], config.data.test),
        ("--limit", before["data"]["limit"], config.data.limit),
        ("--seed", before["training"]["seed"], config.training.seed),
    ):
        if old != new:
            raise ConfigError(
                f"{flag} must be as in the first training of these images, {old}, or the test images would be ones "
                f"that the classifier has learned from; found {new}."
            )


def _check_own(model: keras.Model) -> None:
    if not isinstance(model, keras.Sequential | keras.Function):
        raise ModelError(
            "a model of one's own must be functional or sequential, so that its file opens without its code; "
            f"found {type(model).__name__}. Build it with keras.Model(inputs, outputs)."
        )
    if (
        not model.built
        or len(model.inputs) != 1
        or len(model.outputs) != 1
        or len(model.inputs[0].shape) != 4
    ):
        raise ModelError(
            "a model of one's own must be built, take one input (batch, height, width, channels) and give one output."
        )
    channels = model.inputs[0].shape[-1]
    if channels not in (1, 3, None):
        raise ModelError(
            f"a model of one's own must take images of 1 (grey) or 3 (RGB) channels; {model.name} takes {channels}."
        )


def _without_closing_activation(model: keras.Model) -> keras.Model:
    """Return the model up to its logits: as it is, or a copy where it ends in a softmax or sigmoid.

    That may be a layer, the activation of a layer, or an operation as `keras.ops.softmax`, also of a nested model.
    """
    holder = closing = model
    while isinstance(closing, keras.Model):
        holder, closing = closing, producer(closing.outputs[0])
    activation = getattr(closing, "activation", None)
    if getattr(activation, "__name__", type(closing).__name__.lower()) not in CLOSING:
        return model

    def rebuild(node: keras.Operation) -> Any:
        if (
            node is closing and activation is None
        ):  # a sequential model is made of layers; a graph passes a mask too
            return (
                keras.layers.Identity()
                if isinstance(holder, keras.Sequential)
                else lambda x, **_: x
            )
        if not isinstance(node, keras.Layer):
            return node
        settings = node.get_config()
        if node is closing:
            settings["activation"] = "linear"
        return node.__class__.from_config(settings)

    return copy_model(model, rebuild)
