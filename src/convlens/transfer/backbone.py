"""Backbone: a trained network without its top, whose features a new head learns from.

The top is all that follows the last map: it knows the classes of the first training, the map knows images. A network
without maps gives the input of its last layer.
"""

import dataclasses
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from convlens.anatomy.graph import run_graph
from convlens.anatomy.summary import layer_table
from convlens.classifier.assembly import assemble, finalize
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import Compiled, compile_model
from convlens.config import Config, DataConfig, ModelConfig
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, choose_preprocessing, look_at
from convlens.data.store import VERSION, Progress
from convlens.errors import ConfigError, ModelError
from convlens.preprocess import Preprocessing
from convlens.run import Run
from convlens.training.network import Origin, choose_network
from convlens.training.setup import is_augmented
from convlens.transfer.features import FeatureCache
from convlens.transfer.unfreeze import unfreeze
from convlens.zoo.create import build
from convlens.zoo.registry import ModelInfo, list_models, model_info
from convlens.zoo.weights import load_weights

LOWER = 0.1  # of an optimizer's usual learning rate, for layers that have learned before
FEATURES = "features"  # name of the layer that gives the vector of an image
DECK = "transfer_vgg16_cats_dogs"  # has a top of its own
HEAD = "transfer_"  # what the names of the new layers begin with
POOLINGS = {
    "max": layers.GlobalMaxPooling2D,
    "average": layers.GlobalAveragePooling2D,
    "avg": layers.GlobalAveragePooling2D,
    "none": layers.Flatten,
}


@dataclass(frozen=True, eq=False)
class BackboneOrigin(Origin):
    """A network made of a trained one's maps and a new head.

    Attributes:
        info: of a network of the zoo.
    """

    info: ModelInfo | None = None

    def prepare(self, dataset: Dataset, config: Config, progress: Progress | None) -> Prepared:
        """Return the dataset decoded as the backbone wants it, see `preprocess`."""
        prepared = super().prepare(dataset, self._as_wanted(config), progress)
        return dataclasses.replace(prepared, more_notes=_notes(dataset, prepared))

    def preprocess(self, dataset: Dataset, config: Config) -> Preprocessing:
        """Return how images are decoded: to the backbone's own size, their middle square, in colour."""
        return self.preprocessing or choose_preprocessing(
            dataset, self._as_wanted(config).data, self.scale
        )

    def _as_wanted(self, config: Config) -> Config:
        if self.info is not None:
            return dataclasses.replace(config, data=_as_trained(config.data, self.info))
        if self.preprocessing is not None:
            height, width, channels = self.preprocessing.shape
            colours = "grey" if channels == 1 else "rgb"
            for name, value in (
                ("size", f"{height}x{width}"),
                ("fit", self.preprocessing.fit),
                ("channels", colours),
            ):
                if (found := getattr(config.data, name)) not in (
                    "auto",
                    value,
                ):  # a resumed run has it resolved
                    raise ConfigError(
                        f"--{name} must be as the classifier of --backbone takes images, {value}; found {found}. "
                        "Leave it out."
                    )
        return config

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 images to logits: a new head, on layers of which the thawed can learn.

        Raises:
            ConfigError: a pattern of `--unfreeze` that fits no layer.
            ModelError: the weights cannot be had or do not fit, see `zoo.weights.load_weights`.
        """
        settings = config.transfer
        whole = self._trained_network(prepared, config)
        last = _last_map(whole)
        if len(last.shape) == 4:
            x = POOLINGS[config.model.pooling or "average"](name=FEATURES)(last)
        else:
            x = layers.Flatten(name=FEATURES)(last)
        unfreeze(keras.Model(whole.input, x), settings)
        for number, units in enumerate(settings.head, start=1):
            x = layers.Dense(units, "relu", name=f"{HEAD}dense{number}")(x)
        logits = layers.Dense(prepared.dataset.num_classes, name=f"{HEAD}logits")(x)
        return keras.Model(whole.input, logits, name=self.name)

    def notes(self, prepared: Prepared, config: Config, model: keras.Model) -> tuple[str, ...]:
        """Return what the user should know; see `Origin.notes`."""
        if config.transfer.unfreeze is None and is_augmented(config.augment):
            note = (
                "augmented images are new in every epoch: their features cannot be kept, and all "
                "layers are computed"
            )
            return (note,)
        return ()

    def rate_factor(self, config: Config) -> float:
        """Return the usual learning rate as a multiple of the optimizer's; see `Origin`."""
        return 1.0 if config.transfer.unfreeze is None else LOWER

    def _trained_network(self, prepared: Prepared, config: Config) -> keras.Model:
        if self.trained is not None:
            return _flat_copy(self.trained.logits_model)
        network = partial(build, self.name, num_classes=2, config=config.model)
        whole = assemble(network, prepared.preprocessing, 2, self.name)
        whole = keras.Model(
            whole.input, whole.outputs[0], name=self.name
        )  # auxiliary heads are of no use
        load_weights(whole, self.name, config.transfer.weights or "imagenet")
        finalize(whole)
        return whole


def choose_origin(
    config: Config, model: keras.Model | None = None, start_from: str | Path | None = None
) -> Origin:
    """Return the network to train: a backbone where the configuration names one, else see `choose_network`.

    Raises:
        ConfigError: If settings exclude each other, or if a setting lacks the backbone that it needs.
    """
    others = {"from": start_from, "own_model": model}
    refuse_conflicts("train", others | config.transfer.changed())
    if config.transfer.backbone is not None:
        return choose_backbone(config)
    return choose_network(config, model, start_from)


def choose_backbone(config: Config) -> BackboneOrigin:
    """Return the network that `--backbone` names: one of the zoo with trained weights, a classifier file or a run.

    Raises:
        ModelError: there is no such network, or it has no trained weights.
        ClassifierError: the file is no whole classifier.
        ConfigError: weights for a classifier, which has its own.
    """
    name = str(config.transfer.backbone)
    places = (
        [] if name in list_models() else [Path(name), Run.place(name)]
    )  # the zoo's own names go first
    file = next((path for path in places if path.exists()), None)
    if file is not None or name.endswith(".keras"):
        if config.transfer.weights is not None:
            raise ConfigError(
                "--weights goes with a network of the zoo; a classifier file has its own."
            )
        trained = Classifier.load(file or name)
        _refuse_model(config, trained.model.name)
        return BackboneOrigin(
            trained.model.name, preprocessing=trained.preprocessing, trained=trained
        )
    try:
        info = model_info(name)
    except ModelError as error:
        raise ModelError(
            f"--backbone must be a network, a classifier file or a run. No file or run is at {name}, and {error}"
        ) from error
    _refuse_model(config, name)
    if info.weights is None and config.transfer.weights is None:
        having = ", ".join(
            other for other in list_models() if model_info(other).weights and other != DECK
        )
        raise ModelError(
            f"a backbone must be trained; {name} has no weights of others. Give a file of its --weights, a classifier "
            f"file that you trained (--backbone runs/NAME), or one of {having}."
        )
    return BackboneOrigin(name, scale=info.scale, info=info)


def _refuse_model(config: Config, network: str) -> None:
    """Raise ConfigError where another network is asked for beside the backbone; a resumed run names the same."""
    found = config.model.model
    if found not in (ModelConfig.model, network):
        raise ConfigError(
            f"--backbone {config.transfer.backbone} is the network: leave out --model {found}."
        )


def body_of(model: keras.Model) -> keras.Model:
    """Return the part of an assembled model from uint8 images to (batch, width) features."""
    return keras.Model(model.input, model.get_layer(FEATURES).output, name="body")


def features_key(body: keras.Model, preprocessing: object, arithmetic: str) -> str:
    """Return a name for the features of a body: of its layers and weights, the preprocessing and the arithmetic."""
    graph = re.sub(
        r'"trainable": (true|false)', "", body.to_json()
    )  # which changes nothing that is computed here
    digest = hashlib.sha256(f"{VERSION} {preprocessing} {arithmetic} {graph}".encode())
    for weight in body.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:32]


def open_features(
    body: keras.Model, preprocessing: Preprocessing, precision: str
) -> tuple[Compiled, FeatureCache]:
    """Return a body compiled to compute features in a precision, and where those that it has computed are kept."""
    network = compile_model(body, precision)
    key = features_key(body, preprocessing, f"{network.engine} {network.precision}")
    return network, FeatureCache(key, body.output_shape[-1])


def _as_trained(config: DataConfig, info: ModelInfo) -> DataConfig:
    """Return the settings with what is not given as the network was trained and is scored: size, colour, crop."""
    height, width, _ = info.input_shape
    return dataclasses.replace(
        config,
        size=f"{height}x{width}" if config.size == "auto" else config.size,
        fit="crop" if config.fit == "auto" else config.fit,
        channels="rgb" if config.channels == "auto" else config.channels,
    )


def _notes(dataset: Dataset, prepared: Prepared) -> tuple[str, ...]:
    """Return what is done to images that are smaller than the backbone's, or grey where it knows colours."""
    sizes, grey = look_at(dataset)
    height, width, channels = prepared.preprocessing.shape
    notes = []
    least = min((min(size) for size in sizes), default=height)
    if least < min(height, width):
        hint = (
            "; a smaller --size is quicker and often worse"
            if 2 * least < min(height, width)
            else ""
        )
        notes.append(
            f"images of less than {height} x {width}, for which the backbone is made, are enlarged; the least side "
            f"here is {least}{hint}"
        )
    if grey and channels == 3:
        notes.append(
            "the images are grey: the backbone, which knows colours, sees each as red, green and blue alike"
        )
    return tuple(notes)


def _flat_copy(model: keras.Model) -> keras.Model:
    """Return a copy, weights included, with the layers of models nested in it in their place.

    A copy, since the folds of a cross-validation all begin with the weights of the file.
    """
    made: dict[int, tuple[keras.Layer, keras.Layer]] = {}
    names: Counter[str] = Counter()

    def rebuild(node: keras.Operation) -> Any:
        if isinstance(node, keras.Model):
            return lambda *inputs, **_: run_graph(node, keras.tree.flatten(inputs), rebuild)
        if not isinstance(node, keras.Layer):
            return node
        if id(node) not in made:
            names[node.name] += 1
            name = node.name if names[node.name] == 1 else f"{node.name}_{names[node.name]}"
            made[id(node)] = node, node.__class__.from_config(node.get_config() | {"name": name})
        return made[id(node)][1]

    inputs = keras.Input(model.input_shape[1:], dtype=model.input.dtype, name="images")
    copy = keras.Model(inputs, rebuild(model)(inputs), name=model.name)
    for old, new in made.values():
        new.set_weights(old.get_weights())
    finalize(copy)
    return copy


def _last_map(model: keras.Model) -> keras.KerasTensor:
    """Return the last map, (batch, height, width, channels), or the input of the last layer where there is none."""
    rows = layer_table(model)
    first = next(
        number for number, row in enumerate(rows) if row.params
    )  # before it, there is only the image
    of_map = [row.name for row in rows[first:] if row.stride is not None]
    operations = {operation.name: operation for operation in model.operations}
    if of_map:
        return operations[of_map[-1]].output
    return operations[next(row.name for row in reversed(rows) if row.params)].input
