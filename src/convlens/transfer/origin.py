"""Origin: a trained network as the backbone of a new one."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras

from convlens.augmentation import is_augmented
from convlens.classifier.assembly import assemble, finalize, flat_copy
from convlens.classifier.classifier import Classifier
from convlens.config import USUAL_MODELS, Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.decoding import Progress
from convlens.data.deep import with_unit
from convlens.data.draws import Indices
from convlens.data.input_shape import Demands, choose_preprocessing, look_at
from convlens.data.prepared import Prepared
from convlens.errors import ClassifierError, ConfigError, ModelError
from convlens.language import _, listed, sentences
from convlens.preprocess import Preprocessing
from convlens.run_folder import folder_of
from convlens.run_images import learned_by
from convlens.training.network import Origin, choose_network
from convlens.transfer.backbone import with_new_head
from convlens.transfer.kept_maps import frozen_map, has_flips_only, refuse_maps
from convlens.unread import OWN_NETWORK
from convlens.zoo.create import build
from convlens.zoo.names import refuse_missing_weights, unknown_backbone
from convlens.zoo.registry import list_models, model_info
from convlens.zoo.weights import load_weights

LECTURE_MODEL = "transfer_vgg16_cats_dogs"  # It has a top of its own, so it is no backbone.


@dataclass(frozen=True, eq=False)
class BackboneOrigin(Origin):
    """A network made of a trained network's feature maps and a new head.

    It comes from a classifier where `preprocessing` and `trained` are given, else from the zoo.
    """

    def prepare(
        self,
        dataset: Dataset,
        config: Config,
        progress: Progress | None,
        drawn: Indices | None = None,
    ) -> Prepared:
        """Return the dataset decoded as the backbone takes it; see `preprocess`.

        Raises:
            ConfigError: If a new training asks for other images than those that a classifier takes,
                or for a stem, which a classifier has.
        """
        # A run that an earlier version has begun may name a stem; it was never read.
        if self.trained is not None and not self.is_resumed and config.model.stem != "paper":
            trained = config.transfer.backbone
            raise ConfigError(_(OWN_NETWORK).format(flag="--stem", trained=trained))
        prepared = super().prepare(dataset, self._as_trained(config), progress, drawn)
        return dataclasses.replace(
            prepared, more_notes=(*prepared.more_notes, *_size_notes(prepared))
        )

    def preprocess(self, dataset: Dataset, config: Config) -> Preprocessing:
        """Return how images are decoded: cropped to the backbone's own size, and in colour."""
        if self.preprocessing is not None:
            return with_unit(self.preprocessing, dataset)
        return choose_preprocessing(dataset, self._as_trained(config).data, self.demands.scale)

    def _as_trained(self, config: Config) -> Config:
        """Return the configuration with size, fit and colour as the backbone takes images.

        A network of the zoo takes other images where they are asked for.

        Raises:
            ConfigError: If other images are asked for than those that a classifier takes.
        """
        own = self.preprocessing
        if own is None:
            own = Preprocessing(*model_info(self.name).input_shape[:2], 3, fit="crop")
        usual = {
            "size": f"{own.height}x{own.width}",
            "fit": own.fit,
            "channels": "grey" if own.channels == 1 else "rgb",
        }
        found = {name: getattr(config.data, name) for name in usual}
        for name, value in usual.items():
            if self.preprocessing is not None and found[name] not in ("auto", value):
                raise ConfigError(
                    _(
                        "--{flag} must be as the classifier of --backbone takes images, {value}; "
                        "found {found}. Leave it out."
                    ).format(flag=name, value=value, found=found[name])
                )
        return config.replace(
            **{name: value for name, value in usual.items() if found[name] == "auto"}
        )

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 images to logits, with a new head.

        Raises:
            ConfigError: If a pattern of `--unfreeze` matches no layer.
            ModelError: If the weights cannot be had or do not fit; see `zoo.weights.load_weights`.
        """
        return with_new_head(
            self._trained_network(prepared, config),
            prepared.dataset.num_classes,
            config,
            self.name,
        )

    def notes(self, prepared: Prepared, config: Config, model: keras.Model) -> list[str]:
        """Return what the user should know about the network; see `Origin.notes`."""
        if config.transfer.unfreeze is None and is_augmented(config.augment):
            return [
                _(
                    "augmented images are new in every epoch: their features cannot be kept, and "
                    "all layers are computed"
                )
            ]
        is_changed = not has_flips_only(config.augment) and not config.training.snapshots
        if is_changed and frozen_map(model) is not None:
            return [
                _(
                    "augmented images are new in every epoch, so that the frozen layers are "
                    "computed in every step; with --augment none, and with --flip where images may "
                    "be mirrored, they are computed once, and an epoch takes a fraction of the time"
                )
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
            needs, or if maps should be kept where they cannot.
    """
    refuse_conflicts("train", {"from": start_from, "own_model": model} | config.transfer.changed())
    if config.transfer.backbone is not None:
        refuse_maps(config)
        return choose_backbone(config)
    return choose_network(config, model, start_from)


def resumed_origin(config: Config, start_from: Path | None) -> Origin:
    """Return the network of a run that goes on.

    Args:
        config: The configuration of the run.
        start_from: The file of a network that is not from the zoo; None if it is.

    Raises:
        ModelError: If the backbone, or the file of its weights, is not where it was.
        ClassifierError: See `choose_backbone`.
    """
    try:
        if config.transfer.weights is not None:
            refuse_missing_weights(config.transfer.weights)
        return dataclasses.replace(choose_origin(config, start_from=start_from), is_resumed=True)
    except (ClassifierError, ModelError) as error:
        given = (config.transfer.backbone, config.transfer.weights)
        known = (None, "imagenet", *list_models())
        named = [Path(str(place)) for place in given if place not in known]
        if all(path.is_absolute() or path.exists() or folder_of(path).exists() for path in named):
            raise
        where = _(
            "Files and runs are looked for from the current folder, {folder}: continue the run in "
            "the folder in which it was begun."
        ).format(folder=Path.cwd())
        raise type(error)(sentences(error.args[0], where)) from error


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
    place = Path(name) if Path(name).is_file() else folder_of(name)
    is_trained = name not in list_models() and place.exists()
    if is_trained or name.endswith(".keras"):
        if config.transfer.weights is not None:
            raise ConfigError(
                _("--weights goes with a network of the zoo; a classifier file has its own.")
            )
        file = place if is_trained else Path(name)
        trained = Classifier.load(file)
        _refuse_other_model(config, trained.model.name)
        return BackboneOrigin(
            trained.model.name,
            preprocessing=trained.preprocessing,
            trained=trained,
            learned=learned_by(file),
        )
    try:
        info = model_info(name)
    except ModelError as error:
        raise unknown_backbone(name, list_models()) from error
    _refuse_other_model(config, name)
    if info.weights is None and config.transfer.weights is None:
        others = [
            other for other in list_models() if model_info(other).weights and other != LECTURE_MODEL
        ]
        raise ModelError(
            _(
                "a backbone must be trained, but no trained weights are known for {name}. Give a "
                "file of its --weights, a classifier file that you trained (--backbone runs/NAME), "
                "or one of {others}."
            ).format(name=name, others=listed(others))
        )
    return BackboneOrigin(name, demands=Demands(info.scale, least_side=info.least_side))


def _refuse_other_model(config: Config, network: str) -> None:
    """Raise ConfigError if another network is asked for than the backbone.

    The configuration of a resumed run names the backbone itself.
    """
    if config.model.model not in (*USUAL_MODELS, network):
        raise ConfigError(
            _("--backbone {backbone} is the network: leave out --model {model}.").format(
                backbone=config.transfer.backbone, model=config.model.model
            )
        )


def _size_notes(prepared: Prepared) -> tuple[str, ...]:
    """Return notes on images that are smaller than the backbone's, or grey where it has colours."""
    sizes, grey = look_at(prepared.dataset)
    height, width, channels = prepared.preprocessing.shape
    least_wanted = min(height, width)
    least = min((min(size) for size in sizes), default=least_wanted)
    notes = []
    if least < least_wanted:
        note = _(
            "images smaller than {height} x {width}, for which the backbone is made, are enlarged; "
            "the least side here is {least}"
        )
        if 2 * least < least_wanted:
            note = _(
                "images smaller than {height} x {width}, for which the backbone is made, are "
                "enlarged; the least side here is {least}; a smaller --size is quicker and often "
                "worse"
            )
        notes.append(note.format(height=height, width=width, least=least))
    if grey and channels == 3:
        notes.append(
            _(
                "the images are grey: the backbone, which was trained in colour, gets each of them "
                "as red, green and blue alike"
            )
        )
    return tuple(notes)
