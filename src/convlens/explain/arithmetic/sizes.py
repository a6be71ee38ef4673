"""Sizes and parameters by formula: how windows lie on an image, what a layer learns, what a value sees.

Every result carries the formula with its numbers filled in, as it would be written on a board.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convlens.errors import ConfigError

__all__ = [
    "Border",
    "Count",
    "FieldStep",
    "Side",
    "batchnorm_params",
    "conv_params",
    "dense_params",
    "depthwise_params",
    "lay_windows",
    "pair",
    "receptive_field",
    "separable_params",
]

PADDINGS = ("valid", "same", "partial")


class Border(NamedTuple):
    """Cells added around an image: zeros for a convolution, nothing at all for pooling."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __str__(self) -> str:
        """Return it in words."""
        if len(set(self)) == 1:
            return f"{self.top} on every side"
        return f"{self.top} above, {self.bottom} below, {self.left} left, {self.right} right"


class Count(NamedTuple):
    """A number and the formula it comes from."""

    formula: str
    value: int

    def __str__(self) -> str:
        """Return the formula with its result."""
        return f"{self.formula} = {self.value:,}" if self.formula else f"{self.value:,}"


@dataclass(frozen=True)
class Side:
    """How windows lie along one side of an image.

    Attributes:
        length: of the side, cells.
        window: of a window, cells.
        stride: from one window to the next, cells.
        count: of the windows: the length of the map.
        before: cells of the border before the image.
        after: cells of the border after it.
        formula: of `count`, with its numbers.
    """

    length: int
    window: int
    stride: int
    count: int
    before: int
    after: int
    formula: str

    def span(self, index: int) -> tuple[int, int]:
        """Return (first, one past the last) cell of a window in the image; the border lies outside 0..length."""
        first = index * self.stride - self.before
        return first, first + self.window


def lay_windows(length: int, window: int, stride: int, padding: str) -> Side:
    """Lay windows along a side.

    "valid" keeps whole windows only. "same" makes ceil(length / stride) of them; where the border is odd, the larger
    half comes after, as in Keras. "partial" has no border but keeps a last window that reaches beyond the image.

    Raises:
        ConfigError: stride or window below 1, an unknown padding, or a window larger than the image.
    """
    for name, value in (
        ("the window's size", window),
        ("strides", stride),
        ("the image's side", length),
    ):
        if value < 1:
            raise ConfigError(f"{name} must be at least 1; found {value}.")
    if padding not in PADDINGS:
        raise ConfigError(f"padding must be one of {', '.join(PADDINGS)}; found {padding!r}.")
    if padding == "same":
        count = -(-length // stride)
        border = max((count - 1) * stride + window - length, 0)
        formula = f"⌈{length} / {stride}⌉ = {count}"
        return Side(length, window, stride, count, border // 2, border - border // 2, formula)
    if padding == "partial":
        count = max(-(-(length - window) // stride), 0) + 1
        count -= (count - 1) * stride >= length  # a window has to begin within the image
        formula = f"⌈({length} - {window}) / {stride}⌉ + 1 = {count}"
        return Side(length, window, stride, count, 0, 0, formula)
    if window > length:
        raise ConfigError(
            f"a window of {window} must fit into the image's side of {length}; take a smaller one or padding same."
        )
    count = (length - window) // stride + 1
    formula = f"⌊({length} - {window}) / {stride}⌋ + 1 = {count}"
    return Side(length, window, stride, count, 0, 0, formula)


def pair(value: int | Sequence[int]) -> tuple[int, int]:
    """Return (height, width) of a number or of a pair."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return int(height), int(width)


def _times(*factors: int) -> str:
    return " × ".join(f"{factor:,}" for factor in factors)


def conv_params(
    kernel_size: int | Sequence[int],
    channels: int,
    filters: int,
    *,
    bias: bool = True,
    groups: int = 1,
) -> Count:
    """Return the parameters of a convolution: a kernel over all channels of its group, and a bias, a filter.

    >>> print(conv_params(3, 3, 2, bias=False))
    3 × 3 × 3 × 2 = 54
    """
    height, width = pair(kernel_size)
    formula = _times(height, width, channels // groups, filters) + (
        f" + {filters:,}" if bias else ""
    )
    return Count(formula, height * width * (channels // groups) * filters + bias * filters)


def depthwise_params(
    kernel_size: int | Sequence[int], channels: int, *, multiplier: int = 1, bias: bool = True
) -> Count:
    """Return the parameters of a depthwise convolution: `multiplier` kernels for each channel by itself."""
    height, width = pair(kernel_size)
    maps = channels * multiplier
    factors = (height, width, channels, multiplier) if multiplier > 1 else (height, width, channels)
    return Count(
        _times(*factors) + (f" + {maps:,}" if bias else ""), height * width * maps + bias * maps
    )


def separable_params(
    kernel_size: int | Sequence[int], channels: int, filters: int, *, bias: bool = True
) -> Count:
    """Return the parameters of a depthwise separable convolution; as in Keras, only its 1x1 part has a bias.

    >>> print(separable_params(3, 3, 2, bias=False))
    3 × 3 × 3 + 3 × 2 = 33
    """
    depthwise = depthwise_params(kernel_size, channels, bias=False)
    formula = f"{depthwise.formula} + {_times(channels, filters)}" + (
        f" + {filters:,}" if bias else ""
    )
    return Count(formula, depthwise.value + channels * filters + bias * filters)


def dense_params(inputs: int, units: int, *, bias: bool = True) -> Count:
    """Return the parameters of a dense layer."""
    return Count(
        _times(inputs, units) + (f" + {units:,}" if bias else ""), inputs * units + bias * units
    )


def batchnorm_params(channels: int) -> Count:
    """Return the parameters of batch normalisation: gamma and beta are learned, mean and variance only kept."""
    return Count(f"2 × {channels:,} learned + 2 × {channels:,} kept", 4 * channels)


@dataclass(frozen=True)
class FieldStep:
    """What a value sees of the image after one more layer.

    Attributes:
        window: of the layer, cells of its input.
        stride: of the layer.
        field: pixels of the image that a value sees, along a side.
        jump: pixels of the image between neighbouring values.
        formula: of `field`, with its numbers.
    """

    window: int
    stride: int
    field: int
    jump: int
    formula: str


def receptive_field(windows: Sequence[tuple[int, int]]) -> tuple[FieldStep, ...]:
    """Return the receptive field after each (window, stride), along one side.

    >>> [step.field for step in receptive_field([(3, 1), (3, 1)])]
    [3, 5]
    """
    steps: list[FieldStep] = []
    field, jump = 1, 1
    for window, stride in windows:
        formula = f"{field} + ({window} - 1) × {jump} = {field + (window - 1) * jump}"
        field += (window - 1) * jump
        jump *= stride
        steps.append(FieldStep(window, stride, field, jump, formula))
    return tuple(steps)
