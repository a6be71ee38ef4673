"""Openers: which function opens a value of which class of layers.

An opened value says what was looked at, what it was multiplied with, and every step to the result.
"""

from collections.abc import Sequence
from dataclasses import replace

from convlens.errors import ConfigError
from convlens.explain.arithmetic.cells import check_place
from convlens.explain.arithmetic.writing import write_shape
from convlens.explain.microscope import moved, normalization, pointwise, pooling, weighted_sum
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.value import Index, OpenedCell, Opener

# Layers whose values are shown but not opened, and why.
VALUES_ONLY = {"InputLayer": "these are the image's own pixels, nothing is computed"}

# Layers and operations of `keras.ops`, by the name of their class or of one that it inherits from.
OPENERS: dict[str, Opener] = {
    "Conv2D": weighted_sum.open_convolution,
    "DepthwiseConv2D": weighted_sum.open_convolution,
    "SeparableConv2D": weighted_sum.open_separable,
    "Dense": weighted_sum.open_dense,
    "Matmul": weighted_sum.open_matmul,
    "BatchNormalization": normalization.open_batch_normalization,
    "Normalization": normalization.open_batch_normalization,
    "LayerNormalization": normalization.open_layer_normalization,
    "Softmax": normalization.open_softmax,
    "Activation": normalization.open_activation,
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), pooling.open_pooling),
    **dict.fromkeys(
        ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Sum", "Mean", "Max", "Min"),
        pooling.open_reduced,
    ),
    **dict.fromkeys(
        ("ReLU", "LeakyReLU", "ELU", "Rescaling", "Cast", *pointwise.JOINS),
        pointwise.open_pointwise,
    ),
    **dict.fromkeys(
        (
            "Flatten", "Reshape", "Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D",
            "RepeatVector", "Concatenate", "Identity", "Dropout", "SpatialDropout2D",
            "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Flip",
            "Take", "Split", "Transpose", "Squeeze", "ExpandDims", "GetItem", "BroadcastTo",
            "Stack", "ZerosLike",
        ),
        moved.open_moved,
    ),
}  # fmt: skip


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
    names = [kind.__name__ for kind in type(layer.call.operation).__mro__]
    found = next((OPENERS[name] for name in names if name in OPENERS), None)
    if found is None:
        raise ConfigError(
            "{layer} ({kind}) shows its values but cannot be opened: {reason}.".format(
                layer=layer.name,
                kind=layer.kind,
                reason=VALUES_ONLY.get(layer.kind, "convlens does not know its arithmetic"),
            )
        )
    return replace(found(layer, index), index=index, network=float(layer.output[index]))


def check_index(layer: Layer, index: Sequence[int]) -> Index:
    """Return the index of a value as whole numbers.

    Raises:
        ConfigError: If the layer has no such value.
    """
    shape = layer.shape
    names = {1: (), 2: ("row",), 3: ("row", "column")}
    axes = ("index",) * len(shape)
    if len(shape) in names:
        axes = (*names[len(shape)], layer.noun)
    if len(index) != len(shape):
        raise ConfigError(
            "{layer} gives {shape} numbers, so that a value needs {axes}; found {found}.".format(
                layer=layer.name,
                shape=write_shape(shape),
                axes=", ".join(axes),
                found=", ".join(map(str, index)) or "nothing",
            )
        )
    check_place(index, shape, axes, layer.name)
    return tuple(int(one) for one in index)
