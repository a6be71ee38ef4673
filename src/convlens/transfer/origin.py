"""Origin: a trained network as the backbone of a new one."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras

from convlens.classifier.assembly import assemble, finalize
from convlens.classifier.classifier import Classifier
from convlens.config import Config, DataConfig, ModelConfig
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, choose_preprocessing, look_at
from convlens.data.store import Progress
from convlens.errors import ConfigError, ModelError
from convlens.preprocess import Preprocessing
from convlens.run import Run
from convlens.training.network import Origin, choose_network
from convlens.training.setup import is_augmented
from convlens.transfer.backbone import flat_copy, with_new_head
from convlens.zoo.create import build
from convlens.zoo.registry import ModelInfo, list_models, model_info
from convlens.zoo.weights import load_weights

LECTURE_MODEL = "transfer_vgg16_cats_dogs"  # It has a top of its own, so it is no backbone.
LOWER = 0.1  # of an optimizer's usual learning rate, for layers that have learned before


@dataclass(frozen=True, eq=False)
class BackboneOrigin(Origin):
    """A network made of a trained network's feature maps and a new head.

    Attributes:
        info: The description of a network of the zoo, or None for a classifier.
    """

    info: ModelInfo | None = None

    def prepare(self, dataset: Dataset, config: Config, progress: Progress | None) -> Prepared:
        """Return the dataset decoded as the backbone takes it; see `preprocess`."""
        prepared = super().prepare(dataset, self._with_own_size(config), progress)
        return dataclasses.replace(prepared, more_notes=_size_notes(dataset, prepared))

    def preprocess(self, dataset: Dataset, config: Config) -> Preprocessing:
        """Return how images are decoded: cropped to the backbone's own size, and in colour."""
        if self.preprocessing is not None:
            return self.preprocessing
        return choose_preprocessing(dataset, self._with_own_size(config).data, self.scale)

    def _with_own_size(self, config: Config) -> Config:
        if self.info is not None:
            return dataclasses.replace(config, data=_as_trained(config.data, self.info))
        if self.preprocessing is not None:
            _require_as_trained(config.data, self.preprocessing)
        return config

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 images to logits, with a new head.

        Raises:
            ConfigError: If a pattern of `--unfreeze` matches no layer.
            ModelError: If the weights cannot be had or do not fit; see `zoo.weights.load_weights`.
        """
        trained = self._trained_network(prepared, config)
        return with_new_head(trained, prepared.dataset.num_classes, config, self.name)

    def rate_factor(self, config: Config) -> float:
        """Return the usual learning rate as a multiple of the optimizer's."""
        return 1.0 if config.transfer.unfreeze is None else LOWER

    def notes(self, prepared: Prepared, config: Config, model: keras.Model) -> list[str]:
        """Return what the user should know about the network; see `Origin.notes`."""
        if config.transfer.unfreeze is None and is_augmented(config.augment):
            return [
                "augmented images are new in every epoch: their features cannot be kept, and all "
                "layers are computed"
            ]
        return []

    def _trained_network(self, prepared: Prepared, config: Config) -> keras.Model:
        if self.trained is not None:
            return flat_copy(self.trained.logits_model)
        network = partial(build, self.name, num_classes=2, config=config.model)
        whole = assemble(network, prepared.preprocessing, 2, self.name)
        whole = keras.Model(whole.input, whole.outputs[0], name=self.name)  # no auxiliary heads
        load_weights(whole, self.name, config.transfer.weights or "imagenet")
        finalize(whole)
        return whole


def choose_origin(
    config: Config, model: keras.Model | None = None, start_from: str | Path | None = None
) -> Origin:
    """Return the network to train, which is a backbone where the configuration names one.

    The arguments are those of `choose_network`.

    Raises:
        ConfigError: If settings exclude each other, or if a setting lacks the backbone that it
            needs.
    """
    others = {"from": start_from, "own_model": model}
    refuse_conflicts("train", others | config.transfer.changed())
    if config.transfer.backbone is not None:
        return choose_backbone(config)
    return choose_network(config, model, start_from)


def choose_backbone(config: Config) -> BackboneOrigin:
    """Return the network that `--backbone` names.

    It is a network of the zoo with trained weights, a classifier file or a run. The names of the
    zoo come first.

    Raises:
        ModelError: If there is no such network, or if it has no trained weights.
        ClassifierError: If the file is no complete classifier.
        ConfigError: If weights are given for a classifier, which has its own, or if another network
            is asked for.
    """
    name = str(config.transfer.backbone)
    places = [] if name in list_models() else [Path(name), Run.place(name)]
    file = next((path for path in places if path.exists()), None)
    if file is not None or name.endswith(".keras"):
        if config.transfer.weights is not None:
            raise ConfigError(
                "--weights goes with a network of the zoo; a classifier file has its own."
            )
        trained = Classifier.load(file or name)
        _refuse_other_model(config, trained.model.name)
        return BackboneOrigin(
            trained.model.name, preprocessing=trained.preprocessing, trained=trained
        )
    try:
        info = model_info(name)
    except ModelError as error:
        raise ModelError(
            "--backbone must be a network, a classifier file or a run. No file or run is at "
            "{name}, and {error}".format(name=name, error=error)
        ) from error
    _refuse_other_model(config, name)
    if info.weights is None and config.transfer.weights is None:
        candidates = [other for other in list_models() if other != LECTURE_MODEL]
        raise ModelError(
            "a backbone must be trained, but no trained weights are known for {name}. Give a file "
            "of its --weights, a classifier file that you trained (--backbone runs/NAME), or one "
            "of {others}.".format(
                name=name,
                others=", ".join(other for other in candidates if model_info(other).weights),
            )
        )
    return BackboneOrigin(name, scale=info.scale, info=info)


def _refuse_other_model(config: Config, network: str) -> None:
    """Raise ConfigError if another network is asked for than the backbone.

    The configuration of a resumed run names the backbone itself.
    """
    found = config.model.model
    if found not in (ModelConfig.model, network):
        raise ConfigError(
            "--backbone {backbone} is the network: leave out --model {model}.".format(
                backbone=config.transfer.backbone, model=found
            )
        )


def _require_as_trained(config: DataConfig, preprocessing: Preprocessing) -> None:
    """Raise ConfigError if other images are asked for than those that a classifier takes."""
    height, width, channels = preprocessing.shape
    wanted = {
        "size": f"{height}x{width}",
        "fit": preprocessing.fit,
        "channels": "grey" if channels == 1 else "rgb",
    }
    for name, value in wanted.items():
        found = getattr(config, name)
        if found not in ("auto", value):
            raise ConfigError(
                "--{flag} must be as the classifier of --backbone takes images, {value}; found "
                "{found}. Leave it out.".format(flag=name, value=value, found=found)
            )


def _as_trained(config: DataConfig, info: ModelInfo) -> DataConfig:
    """Return the settings with size, fit and colour as the network was trained, where not given."""
    height, width, _ = info.input_shape
    usual = {"size": f"{height}x{width}", "fit": "crop", "channels": "rgb"}
    unset: dict[str, Any] = {
        name: value for name, value in usual.items() if getattr(config, name) == "auto"
    }
    return dataclasses.replace(config, **unset)


def _size_notes(dataset: Dataset, prepared: Prepared) -> tuple[str, ...]:
    """Return notes on images that are smaller than the backbone's, or grey where it has colours."""
    sizes, grey = look_at(dataset)
    height, width, channels = prepared.preprocessing.shape
    least_wanted = min(height, width)
    least = min((min(size) for size in sizes), default=height)
    notes = []
    if least < least_wanted:
        note = (
            "images smaller than {height} x {width}, for which the backbone is made, are enlarged; "
            "the least side here is {least}"
        ).format(height=height, width=width, least=least)
        if 2 * least < least_wanted:
            note += "; a smaller --size is quicker and often worse"
        notes.append(note)
    if grey and channels == 3:
        notes.append(
            "the images are grey: the backbone, which was trained in colour, gets each of them as "
            "red, green and blue alike"
        )
    return tuple(notes)
