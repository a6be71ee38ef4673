"""Network: the network of a classifier, opened at its last feature map, up to its logits."""

from collections.abc import Callable
from functools import cached_property

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import graph_of
from convlens.backend import refuse_after_fork
from convlens.classifier.assembly import flat_copy
from convlens.classifier.classifier import Classifier
from convlens.classifier.converted import compile_logits, float32_logits
from convlens.classifier.prediction import Prediction
from convlens.classifier.runtime import Compiled, compile_model
from convlens.errors import ModelError
from convlens.language import _
from convlens.maps.ending import SEVERAL, Ending, NoEnding, find_ending, last_map
from convlens.preprocess import ImageArray


class OpenedNetwork:
    """A network in float32, from uint8 images to logits.

    Args:
        model: The network from uint8 images to (batch, num_classes) logits, in float32; see `of`
            for that of a classifier.
        compile_it: Returns the same network compiled, on the fastest engine that is installed.

    Attributes:
        model: The network without nested models.
    """

    def __init__(
        self, model: keras.Model, compile_it: Callable[[], Compiled] | None = None
    ) -> None:
        refuse_after_fork()
        self._compile = compile_it or (lambda: compile_model(self.model, "float32"))
        if any(isinstance(layer, keras.Model) for layer in model.layers):
            model = flat_copy(model)
        self.model = model

    @classmethod
    def of(cls, classifier: Classifier) -> "OpenedNetwork":
        """Return the network of a classifier.

        Raises:
            ModelError: If it takes several inputs, or is neither functional nor sequential.
        """
        _check(classifier.model)
        return cls(float32_logits(classifier), lambda: compile_logits(classifier))

    @cached_property
    def compiled(self) -> Compiled:
        """The network compiled in float32, on the fastest engine that is installed."""
        return self._compile()

    def logits(self, images: ImageArray) -> NDArray[np.float32]:
        """Return the (n, num_classes) logits of uint8 images (n, height, width, channels)."""
        return self.compiled(images)

    @cached_property
    def ending(self) -> Ending | NoEnding:
        """The weighted sum that follows the last feature map, or why there is none."""
        try:
            return find_ending(self.model)
        except NoEnding as reason:
            return reason

    @property
    def sum(self) -> Ending:
        """The same; a NoEnding is raised."""
        if isinstance(self.ending, NoEnding):
            raise self.ending
        return self.ending

    @cached_property
    def exact_body(self) -> keras.Model:
        """The network from images to the feature map of `sum`, and to the logits."""
        return keras.Model(self.model.input, [self.sum.map, self.model.outputs[0]])

    @cached_property
    def parts(self) -> tuple[keras.Model, keras.Model]:
        """The network from images to the last feature map and the logits; and from map to logits.

        Raises:
            NoEnding: If there is no feature map, or if the logits depend on several.
        """
        last = last_map(self.model)
        try:
            head = keras.Model(last, self.model.outputs[0])
        except ValueError as error:  # Another branch leads to the logits as well.
            raise NoEnding(_(SEVERAL).format(model=self.model.name)) from error
        return keras.Model(self.model.input, [last, self.model.outputs[0]]), head


def compute(model: keras.Model, images: ImageArray) -> list[NDArray[np.float32]]:
    """Return the outputs of a model for uint8 images, with the weights that it has now."""
    outputs = keras.tree.flatten(model(images, training=False))
    return [np.asarray(keras.ops.convert_to_numpy(one)) for one in outputs]


def compute_often(model: keras.Model, images: ImageArray) -> list[NDArray[np.float32]]:
    """Return the same from a graph that is traced at the first call, for models of many calls."""
    return [np.asarray(one) for one in keras.tree.flatten(model.predict_on_batch(images))]


def _check(model: keras.Model) -> None:
    """Raise ModelError if a network cannot be explained at all."""
    if graph_of(model) is None:
        raise ModelError(
            _(
                "only a functional or sequential network can be explained; {name} is a {kind}."
            ).format(name=model.name, kind=type(model).__name__)
        )
    if len(model.inputs) != 1:
        raise ModelError(
            _(
                "only a network with one input, the image, can be explained; {name} has {count} "
                "inputs."
            ).format(name=model.name, count=len(model.inputs))
        )


def chance_note(classifier: Classifier) -> str:
    """Return that a network is no better than chance, or that nothing is known; empty if it is.

    A map of such a network may be true and explains nothing that is worth knowing.
    """
    score = classifier.provenance.get("metrics", {}).get("accuracy")
    chance = 1 / len(classifier.class_names)
    if score is None:
        return _(
            "It is not known how often this network is correct. A map of an untrained one is true "
            "and explains nothing worth knowing."
        )
    if score["low"] > chance:
        return ""
    return _(
        "This network may be no better than guessing: its accuracy is {value:.1f} % "
        "[{low:.1f}, {high:.1f}], and guessing among {count} classes reaches {chance:.1f} %. Its "
        "maps show what it computes, and that is no knowledge of the classes."
    ).format(
        value=100 * score["value"],
        low=100 * score["low"],
        high=100 * score["high"],
        count=len(classifier.class_names),
        chance=100 * chance,
    )


def threshold_note(classifier: Classifier, prediction: Prediction) -> str:
    """Return that an image is none of the classes, and by which threshold; empty if it is one."""
    if prediction.known or classifier.threshold is None:
        return ""
    shares = (100 * prediction.probability, 100 * classifier.threshold)
    probability, threshold = (f"{share:.1f}" for share in shares)
    if probability == threshold:
        probability, threshold = (f"{share:.2f}" for share in shares)
    return _(
        "The probability of {label}, {probability} %, does not reach the threshold of the "
        "classifier, {threshold} %: the image counts as none of these classes."
    ).format(label=prediction.label, probability=probability, threshold=threshold)
