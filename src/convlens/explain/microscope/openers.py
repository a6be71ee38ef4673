"""Openers: which function opens a value of which class of layers.

An opened value says what was looked at, what it was multiplied with, and every step to the result.
"""

from collections.abc import Sequence
from dataclasses import replace

from convlens.errors import ConfigError
from convlens.explain.arithmetic.writing import write_shape
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.moved import open_moved
from convlens.explain.microscope.normalization import (
    open_activation,
    open_batch_normalization,
    open_layer_normalization,
    open_softmax,
)
from convlens.explain.microscope.pointwise import JOINS, open_pointwise
from convlens.explain.microscope.pooling import open_pooling, open_reduced
from convlens.explain.microscope.value import Index, OpenedCell, Opener
from convlens.explain.microscope.weighted_sum import (
    open_convolution,
    open_dense,
    open_matmul,
    open_separable,
)

# Layers whose values are shown but not opened, and why.
VALUES_ONLY = {"InputLayer": "these are the image's own pixels, nothing is computed"}

OPENERS: dict[str, Opener] = {
    "Conv2D": open_convolution,
    "DepthwiseConv2D": open_convolution,
    "SeparableConv2D": open_separable,
    "Dense": open_dense,
    "Matmul": open_matmul,
    "BatchNormalization": open_batch_normalization,
    "Normalization": open_batch_normalization,
    "LayerNormalization": open_layer_normalization,
    "Softmax": open_softmax,
    "Activation": open_activation,
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), open_pooling),
    **dict.fromkeys(
        ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Sum", "Mean", "Max", "Min"), open_reduced
    ),
    **dict.fromkeys(("ReLU", "LeakyReLU", "ELU", "Rescaling", "Cast", *JOINS), open_pointwise),
    **dict.fromkeys(
        ("Flatten", "Reshape", "Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "RepeatVector", "Concatenate",
         "Identity", "Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
         "ActivityRegularization", "Flip", "Take", "Split", "Transpose", "Squeeze", "ExpandDims", "GetItem",
         "BroadcastTo", "Stack", "ZerosLike"), open_moved,
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
    cell = found(layer, index)
    network = float(layer.output[index])
    return replace(cell, layer=layer.name, kind=layer.kind, index=index, network=network)


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
    for number, count, name in zip(index, shape, axes, strict=True):
        if not 0 <= number < count:
            raise ConfigError(
                "{layer} is {shape}, counted from 0; {name} {number} is outside: take 0 to "
                "{last}.".format(
                    layer=layer.name,
                    shape=write_shape(shape),
                    name=name,
                    number=number,
                    last=count - 1,
                )
            )
    return tuple(int(one) for one in index)
