"""Stacks: layers written in one line, such as "conv 5 6; pool 2", and what each gives and learns.

This module is `convlens.stacks`.
"""

import math
import re
from dataclasses import dataclass

from convlens.errors import ConfigError
from convlens.explain.arithmetic.sizes import (
    Count,
    batchnorm_params,
    conv_params,
    dense_params,
    depthwise_params,
    receptive_field,
    separable_params,
)
from convlens.explain.arithmetic.windows import lay_windows
from convlens.language import N_, _

__all__ = ["STACKS", "LayerSize", "LayerText", "measure", "read_layers"]

# The layers, the side and the channels of the image, whether biases count, and what the stack is.
STACKS = {
    "lenet": (
        # not translated: layers as a user writes them
        "conv 5 6; pool 2; conv 5 16; pool 2; flatten; dense 120; dense 84; dense 10",
        32,
        1,
        True,
        "LeNet-5",
    ),
    "five": ("conv 5 1", 5, 1, False, N_("one 5x5 convolution")),
    "two-threes": (
        "conv 3 1; conv 3 1",
        5,
        1,
        False,
        N_("two 3x3 convolutions, which see as much"),
    ),
    "standard": ("conv 3 2", 5, 3, False, N_("a 3x3 convolution of 3 channels to 2 filters")),
    "separable": ("depthwise 3; conv 1 2", 5, 3, False, N_("the same, depthwise separable")),
}
# How many numbers each layer takes: the window and the filters, the window, the units, or none.
NUMBERS = {
    "conv": 2, "separable": 2, "depthwise": 1, "pool": 1, "dense": 1, "batchnorm": 0, "flatten": 0,
    "global": 0,
}  # fmt: skip
WINDOWED = ("conv", "separable", "depthwise", "pool")
# not translated: it is written as the user writes it
EXAMPLE = "'conv 5 6; pool 2; conv 3 16 same /2; batchnorm; flatten; dense 10'"


@dataclass(frozen=True)
class LayerText:
    """A layer as it was written.

    Attributes:
        kind: One of conv, depthwise, separable, pool, batchnorm, global, flatten and dense.
        window: The side of the window; 0 where there is none.
        filters: The filters, or the units of a dense layer; 0 where there are none.
        stride: The distance from one window to the next.
        padding: "valid", "same" or "partial".
    """

    kind: str
    window: int = 0
    filters: int = 0
    stride: int = 1
    padding: str = "valid"

    def __str__(self) -> str:
        """Return the layer as it would be written."""
        words = [self.kind, *(str(number) for number in (self.window, self.filters) if number)]
        if self.padding != "valid":
            words.append(self.padding)
        if self.stride != (self.window if self.kind == "pool" else 1):
            words.append(f"/{self.stride}")
        return " ".join(words)


@dataclass(frozen=True)
class LayerSize:
    """What a layer gives and learns.

    Attributes:
        layer: The layer as it was written.
        shape: The shape of the output, (side, side, channels) or (units,).
        size: The formula of the side; "" where it does not change.
        params: The parameters with their formula.
        field: The receptive field along a side, in pixels; None after flatten and global average,
            which see the whole image.
        field_formula: The formula of the field; "" where it does not change.
    """

    layer: str
    shape: tuple[int, ...]
    size: str
    params: Count
    field: int | None
    field_formula: str


def read_layers(text: str) -> tuple[LayerText, ...]:
    """Return the layers of a text, which are separated by ";".

    A layer is a word, its window and its filters, or its units. "same" or "partial" may follow, and
    "/2" for strides of 2.

    Args:
        text: The text, such as "conv 5 6; pool 2; flatten; dense 10".

    Raises:
        ConfigError: If there is no such layer, or if it has too few or too many numbers.
    """
    return tuple(_read_layer(part.strip()) for part in text.strip().strip(";").split(";"))


def _read_layer(text: str) -> LayerText:
    kind, *words = text.split() or [""]
    padding = [word for word in words if word in ("same", "valid", "partial")]
    strides = [word for word in words if re.fullmatch(r"/\d+", word)]
    numbers = [int(word) for word in words if word.isdecimal()]
    counts = (len(numbers), len(padding), len(strides))
    if sum(counts) != len(words) or len(numbers) != NUMBERS.get(kind) or max(counts[1:]) > 1:
        raise ConfigError(
            _("layers must be written as {example}; found {text!r}.").format(
                example=EXAMPLE, text=text
            )
        )
    if kind not in WINDOWED and (padding or strides):
        raise ConfigError(
            _("{kind} has neither padding nor strides; found {text!r}.").format(
                kind=kind, text=text
            )
        )
    if 0 in numbers:
        raise ConfigError(
            _("sizes and filters of a layer must be at least 1; found {text!r}.").format(text=text)
        )
    if kind not in WINDOWED:
        return LayerText(kind, filters=sum(numbers))
    window, *filters = numbers
    stride = window if kind == "pool" else 1
    if strides:
        stride = int(strides[0][1:])
    return LayerText(kind, window, sum(filters), stride, *padding)


def measure(
    layers: tuple[LayerText, ...], side: int, channels: int, *, bias: bool = True
) -> tuple[LayerSize, ...]:
    """Return the size, parameters and receptive field of each layer on a square image.

    Args:
        layers: The layers, see `read_layers`.
        side: The side of the image, in pixels.
        channels: The channels of the image.
        bias: Whether biases are counted.

    Raises:
        ConfigError: If a window does not fit any more, or if a dense layer comes before flatten or
            another layer after it.

    Example:
        >>> [layer.shape for layer in measure(read_layers("conv 5 6; pool 2"), 32, 1)]
        [(28, 28, 6), (14, 14, 6)]
    """
    shape: tuple[int, ...] = (side, side, channels)
    if min(shape) < 1:
        raise ConfigError(
            _(
                "side and channels of the image must be at least 1; found {side} and {channels}."
            ).format(side=side, channels=channels)
        )
    windows: list[tuple[int, int]] = []
    found: list[LayerSize] = []
    for layer in layers:
        _check_order(layer, shape, found[-1].layer if found else _("the image"))
        params = _params(layer, shape[-1], bias)
        size = ""
        field_formula = ""
        if layer.kind in WINDOWED:
            laid = lay_windows(shape[0], layer.window, layer.stride, layer.padding)
            windows.append((layer.window, layer.stride))
            size = laid.formula
            field_formula = receptive_field(windows)[-1].formula
            shape = (laid.count, laid.count, layer.filters or shape[2])
        elif layer.kind == "flatten":
            size = " × ".join(map(str, shape)) + f" = {math.prod(shape)}"
            shape = (math.prod(shape),)
        elif layer.kind == "global":
            shape = (shape[2],)
        elif layer.kind == "dense":
            shape = (layer.filters,)
        field = None
        if len(shape) == 3:
            field = receptive_field(windows)[-1].field if windows else 1
        found.append(LayerSize(str(layer), shape, size, params, field, field_formula))
    return tuple(found)


def _check_order(layer: LayerText, shape: tuple[int, ...], before: str) -> None:
    """Check that a layer takes what the layer before it gives: maps, or a row of numbers.

    Raises:
        ConfigError: If it does not.
    """
    if layer.kind == "batchnorm" or (len(shape) == 1) == (layer.kind == "dense"):
        return
    if layer.kind == "dense":
        rule = _("{layer} cannot follow {before}: it takes a row of numbers, so flatten first.")
    else:
        rule = _("{layer} cannot follow {before}: it takes maps, not a row of numbers.")
    raise ConfigError(rule.format(layer=layer, before=before))


def _params(layer: LayerText, channels: int, bias: bool) -> Count:
    match layer.kind:
        case "conv":
            return conv_params(layer.window, channels, layer.filters, bias=bias)
        case "separable":
            return separable_params(layer.window, channels, layer.filters, bias=bias)
        case "depthwise":
            return depthwise_params(layer.window, channels, bias=bias)
        case "dense":
            return dense_params(channels, layer.filters, bias=bias)
        case "batchnorm":
            return batchnorm_params(channels)
    return Count("", 0)
