"""Stacks: layers written in one line, as 'conv 5 6; pool 2', with size, parameters and receptive field of each."""

import re
from dataclasses import dataclass

from convlens.errors import ConfigError
from convlens.explain.arithmetic.sizes import (
    Count,
    batchnorm_params,
    conv_params,
    dense_params,
    depthwise_params,
    lay_windows,
    receptive_field,
    separable_params,
)

__all__ = ["STACKS", "LayerSize", "LayerText", "measure", "read_layers"]

STACKS = {  # name -> (layers, side, channels, bias, what it is)
    "lenet": (
        "conv 5 6; pool 2; conv 5 16; pool 2; flatten; dense 120; dense 84; dense 10",
        32,
        1,
        True,
        "LeNet-5",
    ),
    "five": ("conv 5 1", 5, 1, False, "one 5x5 convolution"),
    "two-threes": ("conv 3 1; conv 3 1", 5, 1, False, "two 3x3 convolutions, which see as much"),
    "standard": ("conv 3 2", 5, 3, False, "a 3x3 convolution of 3 channels to 2 filters"),
    "separable": ("depthwise 3; conv 1 2", 5, 3, False, "the same, depthwise separable"),
}
FILTERED = ("conv", "separable")
WINDOWED = (*FILTERED, "depthwise", "pool")
PLAIN = ("batchnorm", "flatten", "global")
EXAMPLE = "'conv 5 6; pool 2; conv 3 16 same /2; batchnorm; flatten; dense 10'"


@dataclass(frozen=True)
class LayerText:
    """A layer as it was written.

    Attributes:
        kind: conv, depthwise, separable, pool, batchnorm, global, flatten or dense.
        window: side of the window, 0 where there is none.
        filters: or units of a dense layer, 0 where there are none.
        stride: from one window to the next.
        padding: "valid", "same" or "partial".
    """

    kind: str
    window: int = 0
    filters: int = 0
    stride: int = 1
    padding: str = "valid"

    def __str__(self) -> str:
        """Return it as it would be written."""
        words = [self.kind, str(self.window or ""), str(self.filters or "")]
        words += [self.padding] * (self.padding != "valid")
        words += [f"/{self.stride}"] * (self.stride != (self.window if self.kind == "pool" else 1))
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class LayerSize:
    """What a layer gives and learns.

    Attributes:
        layer: as it was written.
        shape: (side, side, channels) or (units,).
        size: the formula of the side, "" where it does not change.
        params: with their formula.
        field: receptive field along a side, pixels; None after flatten and global average, which see all.
        field_formula: of the field, "" where it does not change.
    """

    layer: str
    shape: tuple[int, ...]
    size: str
    params: Count
    field: int | None
    field_formula: str


def read_layers(text: str) -> tuple[LayerText, ...]:
    """Return the layers of a text, ';' between.

    A word a layer, then window and filters, or units; "same", "partial" and "/2" for strides of 2 may follow.

    Raises:
        ConfigError: an unknown layer, or a number that is missing or too many.
    """
    return tuple(_read_layer(part.strip()) for part in text.strip().strip(";").split(";"))


def _read_layer(text: str) -> LayerText:
    kind, *words = text.split() or [""]
    padding = [word for word in words if word in ("same", "valid", "partial")]
    strides = [word for word in words if re.fullmatch(r"/\d+", word)]
    numbers = [int(word) for word in words if word.isdecimal()]
    wanted = (
        {"dense": 1, "depthwise": 1, "pool": 1}
        | dict.fromkeys(FILTERED, 2)
        | dict.fromkeys(PLAIN, 0)
    )
    rest = len(words) - len(padding) - len(strides) - len(numbers)
    if (
        kind not in wanted
        or rest
        or len(numbers) != wanted[kind]
        or len(padding) > 1
        or len(strides) > 1
    ):
        raise ConfigError(f"layers must be written as {EXAMPLE}; found {text!r}.")
    if kind not in WINDOWED and (padding or strides):
        raise ConfigError(f"{kind} has neither padding nor strides; found {text!r}.")
    if 0 in numbers:
        raise ConfigError(f"sizes and filters of a layer must be at least 1; found {text!r}.")
    if kind == "dense":
        return LayerText(kind, filters=numbers[0])
    if kind in PLAIN:
        return LayerText(kind)
    stride = int(strides[0][1:]) if strides else (numbers[0] if kind == "pool" else 1)
    filters = numbers[1] if kind in FILTERED else 0
    return LayerText(kind, numbers[0], filters, stride, padding[0] if padding else "valid")


def measure(
    layers: tuple[LayerText, ...], side: int, channels: int, *, bias: bool = True
) -> tuple[LayerSize, ...]:
    """Return size, parameters and receptive field of each layer on a square image.

    Raises:
        ConfigError: a window that does not fit any more, or a dense layer before flatten or the other way round.
    """
    shape: tuple[int, ...] = (side, side, channels)
    if min(shape) < 1:
        raise ConfigError(
            f"side and channels of the image must be at least 1; found {side} and {channels}."
        )
    windows: list[tuple[int, int]] = []
    found: list[LayerSize] = []
    for layer in layers:
        if (len(shape) == 3) == (layer.kind == "dense") and layer.kind != "batchnorm":
            raise ConfigError(
                f"{layer} cannot follow {found[-1].layer if found else 'the image'}: it takes "
                f"{'a row of numbers, so flatten first' if layer.kind == 'dense' else 'maps, not a row of numbers'}."
            )
        size, field_formula = "", ""
        params = _params(layer, shape, bias)
        if layer.kind in WINDOWED:
            laid = lay_windows(shape[0], layer.window, layer.stride, layer.padding)
            windows.append((layer.window, layer.stride))
            size, field_formula = laid.formula, receptive_field(windows)[-1].formula
            shape = (laid.count, laid.count, layer.filters or shape[2])
        elif layer.kind == "flatten":
            size = " × ".join(map(str, shape)) + f" = {shape[0] * shape[1] * shape[2]}"
            shape = (shape[0] * shape[1] * shape[2],)
        elif layer.kind == "global":
            shape = (shape[2],)
        elif layer.kind == "dense":
            shape = (layer.filters,)
        field = None
        if len(shape) == 3:
            field = receptive_field(windows)[-1].field if windows else 1
        found.append(LayerSize(str(layer), shape, size, params, field, field_formula))
    return tuple(found)


def _params(layer: LayerText, shape: tuple[int, ...], bias: bool) -> Count:
    channels = shape[-1]
    if layer.kind == "conv":
        return conv_params(layer.window, channels, layer.filters, bias=bias)
    if layer.kind == "separable":
        return separable_params(layer.window, channels, layer.filters, bias=bias)
    if layer.kind == "depthwise":
        return depthwise_params(layer.window, channels, bias=bias)
    if layer.kind == "dense":
        return dense_params(channels, layer.filters, bias=bias)
    return batchnorm_params(channels) if layer.kind == "batchnorm" else Count("", 0)
