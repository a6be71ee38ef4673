"""Sizes and parameters by formula: how windows lie on an image, what a layer learns, what it sees.

Every result carries its formula with the numbers filled in, as it would be written on a board. This
module is `convlens.sizes`; how windows lie is computed in `windows.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convlens.explain.arithmetic.windows import Border, Side, lay_windows, pair
from convlens.language import _

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


class Count(NamedTuple):
    """A number and the formula that it comes from."""

    formula: str
    value: int

    def __str__(self) -> str:
        """Return the formula with its result."""
        return f"{self.formula} = {self.value:,}" if self.formula else f"{self.value:,}"


def _count(*products: Sequence[int]) -> Count:
    """Return the sum of products, with its formula."""
    terms = (" × ".join(f"{factor:,}" for factor in product) for product in products)
    return Count(" + ".join(terms), sum(math.prod(product) for product in products))


def conv_params(
    kernel_size: int | Sequence[int],
    channels: int,
    filters: int,
    *,
    bias: bool = True,
    groups: int = 1,
) -> Count:
    """Return the parameters of a convolution: for each filter a kernel, and a bias.

    Args:
        kernel_size: The height and width of the kernel, or one number for both.
        channels: The channels of the input.
        filters: The number of filters.
        bias: Whether each filter has a bias.
        groups: The groups of channels; a kernel covers the channels of one of them.

    Example:
        >>> print(conv_params(3, 3, 2, bias=False))
        3 × 3 × 3 × 2 = 54
    """
    kernels = (*pair(kernel_size), channels // groups, filters)
    return _count(kernels, (filters,)) if bias else _count(kernels)


def depthwise_params(
    kernel_size: int | Sequence[int], channels: int, *, multiplier: int = 1, bias: bool = True
) -> Count:
    """Return the parameters of a depthwise convolution: `multiplier` kernels for each channel.

    Args:
        kernel_size: See `conv_params`.
        channels: The channels of the input.
        multiplier: The number of kernels, and of outputs, for each channel.
        bias: Whether each output has a bias.
    """
    kernels = [*pair(kernel_size), channels]
    if multiplier > 1:
        kernels.append(multiplier)
    return _count(kernels, (channels * multiplier,)) if bias else _count(kernels)


def separable_params(
    kernel_size: int | Sequence[int], channels: int, filters: int, *, bias: bool = True
) -> Count:
    """Return the parameters of a separable convolution; as in Keras, only its 1x1 part has a bias.

    Args:
        kernel_size: See `conv_params`.
        channels: The channels of the input.
        filters: The filters of the 1x1 part.
        bias: Whether each of these filters has a bias.

    Example:
        >>> print(separable_params(3, 3, 2, bias=False))
        3 × 3 × 3 + 3 × 2 = 33
    """
    kernels = ((*pair(kernel_size), channels), (channels, filters))
    return _count(*kernels, (filters,)) if bias else _count(*kernels)


def dense_params(inputs: int, units: int, *, bias: bool = True) -> Count:
    """Return the parameters of a dense layer: for each unit a weight for each input, and a bias.

    Args:
        inputs: The number of inputs.
        units: The number of units.
        bias: Whether each unit has a bias.
    """
    return _count((inputs, units), (units,)) if bias else _count((inputs, units))


def batchnorm_params(channels: int) -> Count:
    """Return the parameters of batch normalisation: gamma and beta, and the moving statistics.

    Gamma and beta are learned; mean and variance are kept from training.

    Args:
        channels: The channels of the input.
    """
    formula = _("2 × {channels:,} learned + 2 × {channels:,} kept").format(channels=channels)
    return Count(formula, 4 * channels)


@dataclass(frozen=True)
class FieldStep:
    """What a value sees of the image after one more layer.

    Attributes:
        window: The window of the layer, in cells of its input.
        stride: The stride of the layer, likewise.
        field: The receptive field: the pixels of the image that a value sees, along one side.
        jump: The distance of neighbouring values in pixels of the image.
        formula: The formula of `field`, with its numbers.
    """

    window: int
    stride: int
    field: int
    jump: int
    formula: str


def receptive_field(windows: Sequence[tuple[int, int]]) -> tuple[FieldStep, ...]:
    """Return the receptive field after each layer of a stack, along one side.

    Args:
        windows: The (window, stride) of each layer, in order.

    Example:
        >>> [step.field for step in receptive_field([(3, 1), (3, 1)])]
        [3, 5]
    """
    steps: list[FieldStep] = []
    field = 1
    jump = 1
    for window, stride in windows:
        formula = f"{field} + ({window} - 1) × {jump}"
        field += (window - 1) * jump
        jump *= stride
        steps.append(FieldStep(window, stride, field, jump, f"{formula} = {field}"))
    return tuple(steps)
