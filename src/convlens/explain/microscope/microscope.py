"""Microscope: what a trained network computed for one image, layer by layer and value by value.

The network runs in float32, one operation after the other, and every array is kept. Models nested
in it are opened too. An opened value says what was looked at, what it was multiplied with, and
every step to the result.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import Call, graph_of, record
from convlens.classifier.assembly import all_layers, with_precision
from convlens.classifier.classifier import Classifier
from convlens.classifier.prediction import Prediction
from convlens.errors import ConfigError, ModelError
from convlens.explain.arithmetic.exact import check_place, write_shape
from convlens.explain.microscope import pointwise, reductions, weighted_sum
from convlens.explain.microscope.layer import NOUNS, Layer, Operand, parts_of
from convlens.explain.microscope.opened_cell import Index, OpenedCell
from convlens.image_file import ImageLike, name_of, readable
from convlens.language import N_, _, listed, one_of
from convlens.preprocess import open_image, prepare

# Layers whose outputs stand for the same classes as their inputs.
PASSING = (
    "Softmax", "Activation", "Rescaling", "Cast", "Identity", "Dropout", "Divide", "TrueDivide",
    "Multiply",
)  # fmt: skip
# Layers whose values are shown but not opened, and why.
UNKNOWN = N_("convlens does not know its arithmetic")
VALUES_ONLY = {"InputLayer": N_("these are the image's own pixels, nothing is computed")}
# Layers and operations of `keras.ops`, by the name of their class or of one that it inherits from.
OPENERS: dict[str, Callable[[Layer, Index], OpenedCell]] = {
    "Conv2D": weighted_sum.open_convolution,
    "DepthwiseConv2D": weighted_sum.open_convolution,
    "SeparableConv2D": weighted_sum.open_separable,
    "Dense": weighted_sum.open_dense,
    "Matmul": weighted_sum.open_matmul,
    "BatchNormalization": reductions.open_batch_normalization,
    "Normalization": reductions.open_batch_normalization,
    "LayerNormalization": reductions.open_layer_normalization,
    "Softmax": reductions.open_softmax,
    "Activation": reductions.open_activation,
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), reductions.open_pooling),
    **dict.fromkeys(
        ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Sum", "Mean", "Max", "Min"),
        reductions.open_reduced,
    ),
    "Rescaling": pointwise.open_rescaling,
    **dict.fromkeys(("ReLU", "LeakyReLU", "ELU", "Cast"), pointwise.open_number),
    **dict.fromkeys(pointwise.JOINS, pointwise.open_join),
    **dict.fromkeys(
        (
            "Flatten", "Reshape", "Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D",
            "RepeatVector", "Concatenate", "Identity", "Dropout", "SpatialDropout2D",
            "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Flip",
            "Take", "Split", "Transpose", "Squeeze", "ExpandDims", "GetItem", "BroadcastTo",
            "Stack", "ZerosLike",
        ),
        pointwise.open_moved,
    ),
}  # fmt: skip


def run_calls(
    model: keras.Model,
    images: Any,
    replaced: Mapping[int, Callable[[Call], Any]] | None = None,
) -> list[Call]:
    """Run a functional or sequential model call by call, also in nested models; return the calls.

    Args:
        model: The network.
        images: The images, shaped (batch, height, width, channels).
        replaced: Functions by the number of a call. Each is given the call, whose outputs are empty
            then, and returns the outputs in its place.

    Raises:
        ModelError: If the model is neither functional nor sequential, or takes several inputs.
    """
    graph = graph_of(model)
    if graph is None or len(graph.inputs) != 1:
        raise ModelError(
            _(
                "only a functional or sequential network with one input, the image, can be opened "
                "layer by layer; {name} is a {kind}."
            ).format(name=model.name, kind=type(model).__name__)
        )
    changes = replaced or {}

    def compute(call: Call) -> Any:
        if call.number in changes:
            return changes[call.number](call)
        return call.operation(*call.args, **call.kwargs)

    return record(model, [keras.ops.convert_to_tensor(images)], compute)


@dataclass(frozen=True, eq=False)
class Microscope:
    """A classifier, an image, and all that the one computed for the other.

    Attributes:
        classifier: The classifier.
        model: Its network in float32.
        pixels: The image as the network takes it, uint8, shaped (height, width, channels).
        size: The (height, width) of the image as it came.
        layers: The layers in the order of computing; the first is the image itself.
        prediction: The prediction of the classifier.
    """

    classifier: Classifier
    model: keras.Model
    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    layers: tuple[Layer, ...]
    prediction: Prediction

    @classmethod
    def look(cls, classifier: Classifier, image: ImageLike) -> "Microscope":
        """Compute an image and keep every array.

        Args:
            classifier: The classifier.
            image: The image: a path, a Pillow image or an array.

        Raises:
            ImageError: If the image cannot be read.
            ModelError: See `run_calls`.

        Example:
            >>> microscope = Microscope.look(classifier, "cat.png")  # doctest: +SKIP
            >>> microscope.layer("conv1").output.shape  # doctest: +SKIP
            (32, 32, 16)
        """
        image = readable(image)
        pixels = prepare(image, classifier.preprocessing)
        width, height = open_image(image).size
        model = classifier.model
        if any(layer.compute_dtype in ("bfloat16", "float16") for layer in all_layers(model)):
            model = with_precision(model, "float32")
        layers = _name_classes(_name_layers(run_calls(model, pixels[None])), classifier.class_names)
        prediction = classifier.prediction(
            name_of(image) or _("the image"), layers[-1].output.astype(np.float32)
        )
        return cls(classifier, model, pixels, (height, width), layers, prediction)

    def most_probable(self) -> list[tuple[str, float]]:
        """Return the three most probable classes and their probabilities, the largest first."""
        probabilities = self.prediction.probabilities
        order = np.argsort(-probabilities)[:3]
        return [(self.classifier.class_names[one], float(probabilities[one])) for one in order]

    def layer(self, name: str) -> Layer:
        """Return a layer by its name.

        Raises:
            ConfigError: If there is none; the message suggests similar names.
        """
        names = {layer.name: layer for layer in self.layers}
        if name not in names:
            rule = _("the network has no layer {name!r}; leave --layer out, and all are listed.")
            near = get_close_matches(name, names, n=3, cutoff=0.5)
            if near:
                rule = _("the network has no layer {name!r}; did you mean {near}?")
            raise ConfigError(rule.format(name=name, near=one_of(near)))
        return names[name]


def _name_layers(calls: Sequence[Call]) -> tuple[Layer, ...]:
    """Return a layer with a unique name for each output of the calls."""
    made_by: dict[int, str] = {}
    layers: dict[str, Layer] = {}
    for call in calls:
        operands = tuple(
            Operand(np.asarray(keras.ops.convert_to_numpy(part)), made_by.get(id(part)))
            for part in parts_of(call)
        )
        for which, tensor in enumerate(call.outputs):
            name = call.operation.name
            numbers = itertools.count(2)
            while name in layers:
                name = f"{call.operation.name}-{next(numbers)}"
            made_by[id(tensor)] = name
            output = np.asarray(keras.ops.convert_to_numpy(tensor))
            layers[name] = Layer(name, call, which, operands, output[0] if output.ndim else output)
    return tuple(layers.values())


def _name_classes(layers: tuple[Layer, ...], class_names: tuple[str, ...]) -> tuple[Layer, ...]:
    """Give the class names to the last layers, back to the one that makes the logits."""
    by_name = {layer.name: layer for layer in layers}
    last = layers[-1]
    while last.shape == (len(class_names),):
        by_name[last.name] = replace(last, class_names=class_names)
        if last.kind not in PASSING:
            break
        last = by_name[str(last.inputs[0].source)]
    return tuple(by_name.values())


def open_cell(layer: Layer, index: Sequence[int]) -> OpenedCell:
    """Open one value of a layer.

    Args:
        layer: A layer of a `Microscope`.
        index: The place of the value, counted from 0: (row, column, channel) of a map, (unit,) of a
            row of numbers.

    Raises:
        ConfigError: If the layer has no such value, or is of a class that cannot be opened.

    Example:
        >>> open_cell(microscope.layer("conv1"), (0, 3, 2)).value  # doctest: +SKIP
    """
    index = check_index(layer, index)
    names = (kind.__name__ for kind in type(layer.operation).__mro__)
    opener = next((OPENERS[name] for name in names if name in OPENERS), None)
    if opener is None:
        raise ConfigError(
            _("{layer} ({kind}) shows its values but cannot be opened: {reason}.").format(
                layer=layer.name,
                kind=layer.kind,
                reason=_(VALUES_ONLY.get(layer.kind, UNKNOWN)),
            )
        )
    return replace(opener(layer, index), index=index, network=float(layer.output[index]))


def check_index(layer: Layer, index: Sequence[int]) -> Index:
    """Return the index of a value as whole numbers.

    Raises:
        ConfigError: If the layer has no such value.
    """
    shape = layer.shape
    noun = _(NOUNS[layer.noun][0])
    known = {1: (noun,), 2: (_("row"), noun), 3: (_("row"), _("column"), noun)}
    axes = known.get(len(shape), (_("index"),) * len(shape))
    if len(index) != len(shape):
        raise ConfigError(
            _("{layer} gives {shape} numbers, so that a value needs {axes}; found {found}.").format(
                layer=layer.name,
                shape=write_shape(shape),
                axes=listed(axes),
                found=", ".join(map(str, index)) or _("nothing"),
            )
        )
    check_place(index, shape, axes, layer.name)
    return tuple(int(one) for one in index)
