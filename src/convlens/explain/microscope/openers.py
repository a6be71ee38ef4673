"""Cells: one value of a layer, opened: what was looked at, what it was multiplied with, and every step to the value.

By the layer's class: `OPENERS` has a function for each. All is computed anew in float64; the network's own float32
value stands beside it.
"""

from collections.abc import Sequence
from dataclasses import replace

from convlens.errors import ConfigError
from convlens.explain.arithmetic.pointwise import JOINS
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.moved import open_moved
from convlens.explain.microscope.normalization import (
    open_batch_normalization,
    open_layer_normalization,
)
from convlens.explain.microscope.pointwise import open_pointwise
from convlens.explain.microscope.pooling import open_pooling, open_reduced
from convlens.explain.microscope.softmax import open_activation, open_softmax
from convlens.explain.microscope.value import Index, OpenedCell, Opener
from convlens.explain.microscope.weighted_sum import (
    open_convolution,
    open_dense,
    open_matmul,
    open_separable,
)

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
        layer: of a `Microscope`.
        index: (row, column, channel) of a map, (unit,) of a row of numbers; counted from 0.

    Raises:
        ConfigError: the layer has no such value, or is of a class that cannot be opened.
    """
    index = check_index(layer, index)
    names = [kind.__name__ for kind in type(layer.call.operation).__mro__]
    found = next((OPENERS[name] for name in names if name in OPENERS), None)
    if found is None:
        reason = VALUES_ONLY.get(layer.kind, "convlens does not know its arithmetic")
        raise ConfigError(
            f"{layer.name} ({layer.kind}) shows its values but cannot be opened: {reason}."
        )
    return replace(found(layer, index), network=float(layer.output[index]))


def check_index(layer: Layer, index: Sequence[int]) -> Index:
    """Return the index. Raises ConfigError where the layer has no such value."""
    shape = layer.shape
    axes = {3: ("row", "column", layer.noun), 2: ("row", layer.noun), 1: (layer.noun,)}.get(
        len(shape), ()
    )
    if len(index) != len(shape):
        raise ConfigError(
            f"{layer.name} gives {' x '.join(map(str, shape))} numbers, so a cell needs "
            f"{', '.join(axes) or len(shape)}; found {', '.join(map(str, index)) or 'nothing'}."
        )
    for number, count, name in zip(index, shape, axes or ("index",) * len(shape), strict=True):
        if not 0 <= number < count:
            raise ConfigError(
                f"{layer.name} is {' x '.join(map(str, shape))}, counted from 0; {name} {number} is outside: "
                f"take 0 to {count - 1}."
            )
    return tuple(int(one) for one in index)
