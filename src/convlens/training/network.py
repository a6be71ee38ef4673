"""Network: where the network of a training comes from.

It comes from the zoo, from a Keras model of the user, or from a finished classifier. A backbone
with a new head is a fourth kind, see `convlens.transfer.origin`.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras

from convlens.classifier.assembly import Network, assemble, finalize, with_precision
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.prepared import Demands, Prepared, prepare_data
from convlens.data.store import Progress
from convlens.errors import ConfigError, ModelError
from convlens.preprocess import Preprocessing
from convlens.training.own_model import check_own_model, pixel_scale, without_closing_activation
from convlens.training.stem_note import stem_note
from convlens.zoo.create import build
from convlens.zoo.registry import model_info
from convlens.zoo.weights import load_weights


@dataclass(frozen=True, eq=False)
class Origin:
    """A network before it is trained.

    Attributes:
        name: The name for the run folder and the report.
        network: A function or model from scaled images to logits. It is None for a network of the
            zoo, which is built once the size of the images is known.
        ready: The model from uint8 images to logits of a classifier that is trained further.
        scale: What the network wants pixels to be multiplied with.
        preprocessing: The preprocessing of a classifier that is trained further, used as it is.
        shape: The (height, width, channels) that the network demands; None where any will do.
        least_side: The least side in pixels of images that the network takes, or None where only
            building the network will tell.
        class_names: The classes of a classifier that is trained further. Its images must have the
            same.
        trained: The classifier that the network comes from. It must not be tested on images that it
            has learned from.
    """

    name: str
    network: Network | None = None
    ready: keras.Model | None = None
    scale: float = 1 / 255
    preprocessing: Preprocessing | None = None
    shape: tuple[int | None, int | None, int | None] = (None, None, None)
    least_side: int | None = None
    class_names: tuple[str, ...] | None = None
    trained: Classifier | None = None

    @property
    def is_of_zoo(self) -> bool:
        """Whether the network is built new, from the zoo."""
        return self.network is None and self.ready is None

    def prepare(self, dataset: Dataset, config: Config, progress: Progress | None) -> Prepared:
        """Return the dataset decoded as this network takes it.

        Raises:
            DataError: If the images have classes that the network does not know.
        """
        if self.class_names is not None:
            dataset = dataset.with_classes(self.class_names)
        demands = Demands(self.scale, self.shape, self.least_side)
        return prepare_data(
            dataset, config, demands=demands, preprocessing=self.preprocessing, progress=progress
        )

    def assemble(self, prepared: Prepared, config: Config) -> keras.Model:
        """Return the float32 model from uint8 images to logits.

        A classifier that is trained further gives a copy, because all folds of a cross-validation
        begin with its weights.
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
                    "--weights are for a network of the zoo; a model of your own has its weights "
                    "already."
                )
            load_weights(model, self.name, config.transfer.weights)
            finalize(model)
        return model

    def rate_factor(self, config: Config) -> float:
        """Return the usual learning rate of this network as a multiple of the optimizer's."""
        return 1.0

    def notes(self, prepared: Prepared, config: Config, model: keras.Model) -> list[str]:
        """Return what the user should know about the network on these images.

        Args:
            prepared: The images.
            config: The configuration, with the stem and the weights in use.
            model: The model that `assemble` returned.
        """
        if not self.is_of_zoo:
            return []
        notes = stem_note(self.name, prepared, config.model, model)
        frozen = any(layer.weights and not layer.trainable for layer in model.layers)
        if frozen and config.transfer.weights is None:
            notes.append(
                "RANDOM WEIGHTS in the frozen layers of {name}: this only demonstrates the method, "
                "and its scores mean nothing. Give --weights imagenet, or a file of "
                "weights.".format(name=self.name)
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
        ModelError: If the model is unknown, or cannot be trained here.
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
        )
    if model is None:
        info = model_info(config.model.model)
        least_side = info.least_side if config.model.stem == "paper" else None
        return Origin(info.name, scale=info.scale, least_side=least_side)
    check_own_model(model)
    return Origin(
        model.name,
        network=without_closing_activation(model),
        scale=pixel_scale(model),
        shape=model.input_shape[1:],
    )


def require_unseen_test(first: Classifier | None, prepared: Prepared, config: Config) -> None:
    """Refuse to train further on the same images with another split.

    The first training has learned from some images of the other split's test set.

    Args:
        first: The classifier that a network comes from, see `Origin.trained`.
        prepared: The images.
        config: The configuration, which splits them.

    Raises:
        ConfigError: If a setting of the split differs from that of the first training.
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
                "{flag} must be as in the first training of these images, {old}, or the test "
                "images would be some that the classifier has learned from; found {new}.".format(
                    flag=flag, old=old, new=new
                )
            )
