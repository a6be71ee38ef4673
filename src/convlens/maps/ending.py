"""Ending: whether what follows the last feature map of a network is one weighted sum of it.

Where it is (global average pooling or flattening, then one dense layer), each logit is a bias plus
one term for each position of the map, and the map of these terms explains the logit exactly. The
layers are followed from the logits back, also into nested models. Layers that multiply and add with
fixed numbers, such as a scaler of the features, are part of the sum; any other layer ends it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import keras
from keras import layers

from convlens.anatomy.graph import parents, producer
from convlens.errors import ModelError
from convlens.language import N_, _

# Layers and operations of `keras.ops` whose output, in inference, is a weighted sum of their input.
SUMS = frozenset(
    (
        "Dense", "EinsumDense", "Conv2D", "GlobalAveragePooling2D", "AveragePooling2D", "Flatten",
        "Reshape", "Permute", "Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise",
        "AlphaDropout", "ActivityRegularization", "Rescaling", "Normalization",
        "BatchNormalization", "Identity", "Activation", "ZeroPadding2D", "Cropping2D", "Cast",
        "Mean", "Sum", "Transpose", "Squeeze", "ExpandDims", "Negative", "ZerosLike", "GetItem",
    )
)  # fmt: skip
# The same for several inputs.
JOINS = frozenset(("Add", "Subtract", "Average", "Concatenate", "Stack"))
# The same for one input and numbers that are fixed.
SCALINGS = frozenset(("Multiply", "Divide", "TrueDivide", "Matmul", *JOINS))
# Layers that leave the positions of a map as they are, or average them: the map before them is at
# least as fine.
LOCAL = frozenset(
    (
        "AveragePooling2D", "Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise",
        "AlphaDropout", "ActivityRegularization", "Identity", "Activation", "ZeroPadding2D",
        "Cropping2D", "Cast",
    )
)  # fmt: skip
# Layers that move the axes of a map, behind which its rows and columns may be something else.
MOVING = frozenset(("Permute", "Reshape", "Transpose"))
# Besides sums: layers without bends but for kinks, at which the slope changes.
KINKED = frozenset(
    ("ReLU", "LeakyReLU", "MaxPooling2D", "GlobalMaxPooling2D", "Relu", "Relu6", "LeakyRelu", "Max")
)
KINKED_ACTIVATIONS = ("linear", "relu", "relu6", "leaky_relu")
CONVOLUTIONS = (
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.Conv2DTranspose,
)

NO_CONVOLUTION = N_(
    "{model} has no convolution, so there is no feature map whose positions could be added up."
)
HIDDEN = N_(
    "{layer} ({kind}) lies between the last feature map and the logits of {model}, so that they "
    "are no weighted sum of its positions."
)
SEVERAL = N_("the logits of {model} come from several feature maps.")
ONE_POSITION = N_("the last feature map of {model} has a single position, so there is no map.")


class NoEnding(ModelError):  # noqa: N818 - a fact about a network, not always an error
    """The logits of a network are no weighted sum of its last feature map."""


@dataclass(frozen=True, eq=False)
class Ending:
    """The last feature map of a network, and the weighted sum that follows it.

    Attributes:
        map: The symbolic feature map (batch, rows, columns, channels), within the network.
        head: The model from the feature map to (batch, num_classes) logits.
        flattened: Whether each position has weights of its own, as after flattening.
    """

    map: keras.KerasTensor
    head: keras.Model
    flattened: bool


def find_ending(model: keras.Model) -> Ending:
    """Return the ending of a model without nested models, from images to logits.

    Raises:
        NoEnding: If the logits are no weighted sum of the last feature map; it says why.
    """
    found: dict[int, keras.KerasTensor] = {}
    averaged = False
    waiting = [model.outputs[0]]
    while waiting:
        tensor = waiting.pop()
        operation = producer(tensor)
        averaged = averaged or _is_average(operation)
        is_passed = _is_local(operation) or _moves_axes(tensor)
        if _is_map(tensor) and not (_is_sum(operation, tensor) and is_passed):
            found[id(tensor)] = tensor
            continue
        if not _is_sum(operation, tensor):
            raise NoEnding(_why(model, tensor))
        waiting += parents(tensor)
    if len(found) != 1:
        raise NoEnding(_(SEVERAL).format(model=model.name))
    (last,) = found.values()
    if not has_convolution(last):
        raise NoEnding(_no_map(model))
    return Ending(last, keras.Model(last, model.outputs[0], name="head"), not averaged)


def last_map(model: keras.Model) -> keras.KerasTensor:
    """Return the last feature map as it enters the pooling or flattening, for maps by gradients.

    An activation after the last convolution, normalisation or addition belongs to it, as in the
    layer `relu5_3` of VGG-16 that the authors of Grad-CAM take by default.

    Raises:
        NoEnding: If the model has no convolution, or only maps of a single position.
    """
    for tensor in ancestors(model.outputs[0]):
        if _is_map(tensor) and not _is_passed(tensor) and has_convolution(tensor):
            return tensor
    raise NoEnding(_no_map(model))


def _is_passed(tensor: keras.KerasTensor) -> bool:
    """Return whether the map before the operation that made a map is the same one, or finer."""
    operation = producer(tensor)
    passes = _kind(operation) in LOCAL | {"MaxPooling2D"} or _moves_axes(tensor)
    return passes and _activation(operation) == "linear"


def curved_layer(head: keras.Model) -> str:
    """Return the name of a layer of a model that bends, such as tanh; empty if there is none.

    Without one, the output is the gradient times the input but for what biases add.
    """
    for tensor in ancestors(head.outputs[0]):
        layer = producer(tensor)
        one = SUMS | SCALINGS | KINKED | {"InputLayer"}
        known = JOINS if len(parents(tensor)) > 1 else one
        if _activation(layer) not in KINKED_ACTIVATIONS or _kind(layer) not in known:
            return str(layer.name)
    return ""


def has_convolution(tensor: keras.KerasTensor) -> bool:
    """Return whether a tensor is computed by a convolution, near or far."""
    return any(isinstance(producer(one), CONVOLUTIONS) for one in ancestors(tensor))


def ancestors(tensor: keras.KerasTensor) -> Iterator[keras.KerasTensor]:
    """Yield a tensor and those that it is computed from, the nearest first, each once."""
    waiting = deque([tensor])
    seen: set[int] = set()
    while waiting:
        one = waiting.popleft()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += parents(one)


def _is_map(tensor: keras.KerasTensor) -> bool:
    """Return whether a tensor has the shape of a map with more than one position."""
    return len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] > 1


def _is_average(operation: keras.Operation) -> bool:
    return isinstance(operation, layers.GlobalAveragePooling2D) or _kind(operation) == "Mean"


def _is_local(operation: keras.Operation) -> bool:
    return _kind(operation) in LOCAL


def _moves_axes(tensor: keras.KerasTensor) -> bool:
    """Return whether a tensor is a map whose axes were moved."""
    return _kind(producer(tensor)) in MOVING and any(map(_is_map, parents(tensor)))


def _is_sum(operation: keras.Operation, tensor: keras.KerasTensor) -> bool:
    """Return whether an operation multiplies and adds with fixed numbers only."""
    kind = _kind(operation)
    count = len(parents(tensor))
    if isinstance(operation, layers.InputLayer) or _activation(operation) != "linear":
        return False
    return kind in (JOINS if count > 1 else SUMS | SCALINGS)


def _activation(operation: keras.Operation) -> str:
    """Return the name of the activation of a layer; "linear" where it has none."""
    return str(getattr(getattr(operation, "activation", None), "__name__", "linear"))


def _kind(operation: keras.Operation) -> str:
    """Return the name of the class of an operation of Keras; empty for one of somebody else."""
    kind = type(operation)
    return kind.__name__ if kind.__module__.startswith("keras.") else ""


def _why(model: keras.Model, tensor: keras.KerasTensor) -> str:
    """Return why a layer on the way from the logits back ends the sum."""
    if not any(_is_map(one) and has_convolution(one) for one in ancestors(model.outputs[0])):
        return _no_map(model)
    operation = producer(tensor)
    return _(HIDDEN).format(layer=operation.name, kind=type(operation).__name__, model=model.name)


def _no_map(model: keras.Model) -> str:
    """Return why there is no map of a network whose convolutions leave no positions."""
    rule = ONE_POSITION if has_convolution(model.outputs[0]) else NO_CONVOLUTION
    return _(rule).format(model=model.name)
