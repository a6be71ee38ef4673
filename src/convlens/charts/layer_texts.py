"""Texts of a layer in a drawing of a network: what it is, what it has, and what it gives."""

from typing import Any

from convlens.anatomy.summary import LayerRow, Pair, rounded
from convlens.language import N_, _, ngettext

# The words for a layer that has a window, and for one that has none.
WINDOWED = {
    "Conv2D": N_("conv {window}"),
    "DepthwiseConv2D": N_("depthwise conv {window}"),
    "SeparableConv2D": N_("separable conv {window}"),
    "Conv2DTranspose": N_("transposed conv {window}"),
    "MaxPooling2D": N_("max pooling {window}"),
    "AveragePooling2D": N_("average pooling {window}"),
}
PLAIN = {
    "InputLayer": N_("input"),
    "Dense": N_("dense"),
    "Flatten": N_("flatten"),
    "Dropout": N_("dropout"),
    "BatchNormalization": N_("batch normalization"),
    "GlobalAveragePooling2D": N_("global average pooling"),
    "GlobalMaxPooling2D": N_("global max pooling"),
    "ZeroPadding2D": N_("zero padding"),
    "Add": N_("add"),
    "Concatenate": N_("concatenate"),
    "Multiply": N_("multiply"),
}
# How an activation is written; others keep the name that Keras has for them.
ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6"}


def layer_title(row: LayerRow) -> str:
    """Return what a layer is, such as "conv 3×3".

    >>> row = LayerRow("c", "Conv2D", (), (8, 8, 64), 0, 0, 1, (3, 3), (2, 2), 1, (2, 2), (3, 3))
    >>> layer_title(row), layer_detail(row), shape_text(row.output_shape)
    ('conv 3×3', '64 filters, strides 2', '8 × 8 × 64')
    """
    kind = row.kind
    if kind == "Conv2D" and 1 < row.groups == row.output_shape[-1]:
        kind = "DepthwiseConv2D"
    if row.window is not None and kind in WINDOWED:
        return _(WINDOWED[kind]).format(window="×".join(map(str, row.window)))
    return _(PLAIN[kind]) if kind in PLAIN else kind


def layer_detail(row: LayerRow) -> str:
    """Return how many filters or units a layer has, and its strides; "" if it has neither."""
    count = row.output_shape[-1]
    if row.kind == "Dense":
        return ngettext("{count} unit", "{count} units", count).format(count=count)
    if row.window is None or row.step is None:
        return ""
    strides = _side(row.step)
    if "Pool" in row.kind:
        return _("strides {strides}").format(strides=strides)
    if row.step == (1, 1):
        strides = ""
    if row.kind == "DepthwiseConv2D":
        return _("strides {strides}").format(strides=strides) if strides else ""
    if strides:
        text = ngettext(
            "{count} filter, strides {strides}", "{count} filters, strides {strides}", count
        )
        return text.format(count=count, strides=strides)
    return ngettext("{count} filter", "{count} filters", count).format(count=count)


def activation_of(layer: Any) -> str:
    """Return how the activation of a layer is written; "" if it has none or is linear.

    >>> import keras
    >>> activation_of(keras.layers.Dense(3, "relu")), activation_of(keras.layers.Dense(3))
    ('ReLU', '')
    """
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return "" if name == "linear" else ACTIVATIONS.get(name, name)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as it is written in a drawing."""
    return " × ".join(map(str, shape))


def params_text(row: LayerRow) -> str:
    """Return how many parameters a layer has; "" if it has none."""
    if not row.params:
        return ""
    count = f"{row.params:,}" if row.params < 1_000_000 else rounded(row.params)
    text = ngettext("{count} parameter", "{count} parameters", row.params)
    return text.format(count=count)


def _side(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else "×".join(map(str, pair))
