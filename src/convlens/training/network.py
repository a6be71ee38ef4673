"""Network: where a training's network comes from: the zoo, the user's own Keras model, or a finished classifier."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from convlens.classifier import Classifier, Network, assemble
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.store import Progress
from convlens.errors import ModelError
from convlens.preprocess import Preprocessing
from convlens.zoo.registry import build, model_info

__all__ = ["Origin", "choose_network"]

CLOSING = ("softmax", "sigmoid")


@dataclass(frozen=True, eq=False)
class Origin:
    """A network before it is trained.

    Attributes:
        name: for the run folder and the report.
        network: gives logits for scaled pictures; None for a network of the zoo, which is built when its size is known.
        preprocessing: what it demands of its input; height and width None where any size goes.
        class_names: of a classifier that is trained further; its pictures must have the same.
        own: the user's model, which gets the trained weights at the end.
    """

    name: str
    network: Network | None = None
    scale: float = 1 / 255
    preprocessing: Preprocessing | None = None
    shape: tuple[int | None, int | None, int | None] = (None, None, None)
    class_names: tuple[str, ...] | None = None
    own: keras.Model | None = None

    def prepare(self, dataset: Dataset, config: Config, progress: Progress | None) -> Prepared:
        """Return the dataset decoded as this network takes it. Raises ModelError for other class names."""
        if self.class_names is not None:
            dataset = _with_classes(dataset, self.class_names)
        return prepare_data(
            dataset, config, scale=self.scale, shape=self.shape, preprocessing=self.preprocessing, progress=progress
        )

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 pictures to logits."""
        classes = prepared.dataset.num_classes
        network = self.network or partial(build, self.name, num_classes=classes, config=config.model)
        return assemble(network, prepared.preprocessing, classes, self.name)


def choose_network(config: Config, model: keras.Model | None = None, start_from: str | Path | None = None) -> Origin:
    """Return the network to train.

    Args:
        config: names a network of the zoo, where neither of the others is given.
        model: the user's own functional or sequential model on float pixels; a closing softmax or sigmoid is taken off,
            since losses are computed from logits. It gets pixels / 255, or 0..255 if it scales them itself.
        start_from: a classifier file or a run folder, whose network is trained further.

    Raises:
        ModelError: unknown model, or one that cannot be trained here.
        ClassifierError: the file is no whole classifier.
    """
    if start_from is not None:
        classifier = Classifier.load(start_from)
        logits = keras.Model(classifier.model.input, classifier.model.layers[-1].input)
        return Origin(
            classifier.model.name,
            network=_after_scaling(logits),
            scale=classifier.preprocessing.scale,
            preprocessing=classifier.preprocessing,
            class_names=classifier.class_names,
        )
    if model is None:
        return Origin(config.model.model, scale=model_info(config.model.model).scale)
    if not isinstance(model, keras.Sequential) and not hasattr(model, "_run_through_graph"):
        raise ModelError(
            "a model of one's own must be functional or sequential, so that its file opens without its code; "
            f"found {type(model).__name__}. Build it with keras.Model(inputs, outputs)."
        )
    if not model.built or len(model.inputs) != 1 or len(model.input_shape) != 4:
        raise ModelError("a model of one's own must be built and take one input (batch, height, width, channels).")
    scales_itself = any(
        isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization) for layer in model.layers
    )
    return Origin(
        model.name,
        network=_without_closing_activation(model),
        scale=1.0 if scales_itself else 1 / 255,
        shape=model.input_shape[1:],
        own=model,
    )


def _without_closing_activation(model: keras.Model) -> keras.Model:
    """Return the model up to its logits: as it is, or a copy where the last layer is or has a softmax or sigmoid."""
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(model.input, last.input, name=model.name)
    activation = getattr(last, "activation", None)
    if activation is None or keras.activations.serialize(activation) not in CLOSING:
        return model

    def copy(layer: keras.Layer) -> keras.Layer:
        if not isinstance(layer, keras.Layer):
            return layer
        settings = layer.get_config()
        if layer is last:
            settings["activation"] = "linear"
        return layer.__class__.from_config(settings)

    twin = keras.models.clone_model(model, clone_function=copy)
    twin.set_weights(model.get_weights())
    return twin


def _after_scaling(model: keras.Model) -> keras.Model:
    """Return a classifier's network without its input and scaling layers, which `assemble` puts back."""
    scaling = model.get_layer("scaling")
    return keras.Model(scaling.output, model.output, name=model.name)


def _with_classes(dataset: Dataset, class_names: tuple[str, ...]) -> Dataset:
    """Return the dataset with its labels numbered as the classifier numbers them."""
    unknown = sorted(set(dataset.class_names) - set(class_names))
    if unknown:
        raise ModelError(
            f"the classifier knows the classes {', '.join(class_names)}; the pictures also have {', '.join(unknown)}. "
            "Train a new one, or leave these pictures out."
        )
    numbers = [class_names.index(name) for name in dataset.class_names]
    return dataclasses.replace(dataset, labels=np.array(numbers)[dataset.labels], class_names=class_names)
