"""Convolution: every cell of a map as patch, kernel, products, sum and bias.

Layouts are Keras': an image is (height, width, channels), a kernel (height, width, channels of a group, filters).
Whole numbers and Fractions stay exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_numbers, write_shape
from convlens.explain.arithmetic.sizes import Border, Side, lay_windows, pair


@dataclass(frozen=True)
class Cell:
    """One value of a map, opened.

    Attributes:
        rows: (first, one past the last) row of the patch in the image; the border lies outside of it.
        columns: likewise.
        patch: (height, width, channels) what the window covers, border included.
        kernel: (height, width, channels).
        products: patch x kernel, cell by cell.
        total: the sum of the products.
        divisor: the number of products where the mean is taken, else 1.
        bias: of the filter.
        value: total / divisor + bias.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    patch: Numbers
    kernel: Numbers
    products: Numbers
    total: object
    divisor: int
    bias: object
    value: object


@dataclass(frozen=True)
class Convolution:
    """A convolution with all that went into it.

    Attributes:
        image: (height, width, channels).
        kernel: (height, width, channels of a group, filters).
        bias: (filters,), zeros where none was given.
        vertical: how windows lie from top to bottom.
        horizontal: how windows lie from left to right.
        mean: whether the mean of the products is taken, as deck 004 does, and not their sum.
        padded: the image with its border of zeros.
        output: (rows, columns, filters).
    """

    image: Numbers
    kernel: Numbers
    bias: Numbers
    vertical: Side
    horizontal: Side
    mean: bool
    padded: Numbers
    output: Numbers

    @property
    def groups(self) -> int:
        """Groups of channels, each with filters of its own: 1 for a usual convolution."""
        return int(self.image.shape[2] // self.kernel.shape[2])

    @property
    def border(self) -> Border:
        """The zeros around the image."""
        return Border(
            self.vertical.before, self.vertical.after, self.horizontal.before, self.horizontal.after
        )

    def channels(self, filter: int) -> slice:  # noqa: A002 - the field's word
        """Return the channels of the image that a filter sees."""
        depth = self.kernel.shape[2]
        group = filter // (self.kernel.shape[3] // self.groups)
        return slice(group * depth, (group + 1) * depth)

    def at(self, row: int, column: int, filter: int = 0) -> Cell:  # noqa: A002 - the field's word
        """Open one value of the map; rows, columns and filters count from 0.

        Raises:
            ConfigError: the cell lies outside the map.
        """
        check_cell((row, column, filter), self.output.shape)
        rows, columns = self.vertical.span(row), self.horizontal.span(column)
        top, left = rows[0] + self.vertical.before, columns[0] + self.horizontal.before
        height, width = self.kernel.shape[:2]
        patch = self.padded[top : top + height, left : left + width, self.channels(filter)]
        kernel = self.kernel[..., filter]
        products = patch * kernel
        total = products.sum()
        divisor = products.size if self.mean else 1
        bias = self.bias[filter]
        return Cell(
            rows, columns, patch, kernel, products, total, divisor, bias, total / divisor + bias
        )


def check_cell(cell: tuple[int, int, int], shape: tuple[int, ...]) -> None:
    """Raise ConfigError where (row, column, filter) is not in a map of this shape."""
    for name, index, count in zip(("row", "column", "filter or channel"), cell, shape, strict=True):
        if not 0 <= index < count:
            raise ConfigError(
                f"the map is {shape[0]} x {shape[1]} with {shape[2]} {'filter' if shape[2] == 1 else 'filters'}, "
                f"all counted from 0; {name} {index} is outside: take 0 to {count - 1}."
            )


def as_image(values: Numbers) -> Numbers:
    """Return (height, width, channels) of an image that may come without channels."""
    image = values[..., None] if values.ndim == 2 else values
    if image.ndim != 3 or not image.size:
        raise ConfigError(
            f"an image must be (height, width) or (height, width, channels); found {write_shape(values.shape)}."
        )
    return image


def convolve(
    image: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "valid",
    mean: bool = False,
) -> Convolution:
    """Convolve as Keras' Conv2D does (the kernel is not turned), plus deck 004's mean of the products.

    A kernel of fewer channels than the image makes a grouped convolution, as in Keras.

    Args:
        image: (height, width) or (height, width, channels).
        kernel: (height, width), or (height, width, channels of a group, filters).
        bias: (filters,); none is 0.
        strides: cells from one window to the next, down and to the right.
        padding: "valid" or "same".
        mean: take the mean of the products and not their sum.

    Raises:
        ConfigError: the kernel does not fit the image, or strides or padding cannot be.
    """
    image, kernel, bias = as_numbers(image, kernel, 0 if bias is None else bias)
    image = as_image(image)
    kernel = kernel[..., None, None] if kernel.ndim == 2 else kernel
    if kernel.ndim != 4 or not kernel.size:
        raise ConfigError(
            f"a kernel must be (height, width, channels, filters); found {write_shape(kernel.shape)}."
        )
    depth, filters = kernel.shape[2:]
    groups, rest = divmod(image.shape[2], depth)
    if rest or filters % max(groups, 1):
        raise ConfigError(
            f"the kernel must have as many channels as the image, {image.shape[2]}, or an even share of them and "
            f"of the filters; found {depth} channels and {filters} filters."
        )
    if padding not in ("valid", "same"):
        raise ConfigError(f"padding of a convolution must be valid or same; found {padding!r}.")
    if bias.shape not in ((), (filters,)):
        raise ConfigError(
            f"the bias must be {filters} numbers, one a filter; found {write_shape(bias.shape)}."
        )
    if padding == "valid" and any(
        k > p for k, p in zip(kernel.shape, image.shape[:2], strict=False)
    ):
        raise ConfigError(
            f"the filter must fit into the image; found a filter of {kernel.shape[0]} x {kernel.shape[1]} and a "
            f"image of {image.shape[0]} x {image.shape[1]}: take a smaller filter or padding same."
        )
    steps = pair(strides)
    vertical, horizontal = (
        lay_windows(image.shape[i], kernel.shape[i], steps[i], padding) for i in (0, 1)
    )
    bias = np.broadcast_to(bias, (filters,))
    border = ((vertical.before, vertical.after), (horizontal.before, horizontal.after), (0, 0))
    padded = np.pad(image, border, constant_values=0 * image.flat[0])
    output = _sums(padded, kernel, steps) / (kernel[..., 0].size if mean else 1) + bias
    return Convolution(image, kernel, bias, vertical, horizontal, mean, padded, output)


def _sums(padded: Numbers, kernel: Numbers, strides: tuple[int, int]) -> Numbers:
    """Return (rows, columns, filters) sums of products, group by group."""
    height, width, depth, filters = kernel.shape
    groups = padded.shape[2] // depth
    windows = sliding_window_view(padded, (height, width), axis=(0, 1))[
        :: strides[0], :: strides[1]
    ]
    share = filters // groups
    parts = [
        np.tensordot(
            windows[:, :, group * depth : (group + 1) * depth],
            kernel[..., group * share : (group + 1) * share],
            axes=((2, 3, 4), (2, 0, 1)),
        )
        for group in range(groups)
    ]
    return np.concatenate(parts, axis=-1)


def depthwise_convolve(
    image: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "valid",
) -> Convolution:
    """Convolve each channel by itself, as Keras' DepthwiseConv2D: a grouped convolution with a group a channel.

    Args:
        image: (height, width, channels).
        kernel: (height, width, channels, multiplier).
        bias: (channels x multiplier,); none is 0.
        strides: see `convolve`.
        padding: see `convolve`.

    Raises:
        ConfigError: see `convolve`; or the kernel has not as many channels as the image.
    """
    image, kernel = as_numbers(image, kernel)
    image = as_image(image)
    if kernel.ndim != 4 or kernel.shape[2] != image.shape[2]:
        raise ConfigError(
            f"a depthwise kernel must be (height, width, {image.shape[2]}, multiplier); "
            f"found {write_shape(kernel.shape)}."
        )
    grouped = kernel.reshape(*kernel.shape[:2], 1, -1)
    return convolve(image, grouped, bias, strides=strides, padding=padding)


@dataclass(frozen=True)
class SeparableConvolution:
    """A depthwise separable convolution: each channel by itself, then a 1x1 convolution that mixes them."""

    depthwise: Convolution
    pointwise: Convolution

    @property
    def output(self) -> Numbers:
        """(rows, columns, filters)."""
        return self.pointwise.output


def separable_convolve(
    image: ArrayLike,
    depthwise: ArrayLike,
    pointwise: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "valid",
) -> SeparableConvolution:
    """Convolve as Keras' SeparableConv2D.

    Args:
        image: (height, width, channels).
        depthwise: (height, width, channels, multiplier).
        pointwise: (1, 1, channels x multiplier, filters).
        bias: (filters,); none is 0.
        strides: see `convolve`.
        padding: see `convolve`.

    Raises:
        ConfigError: see `convolve`.
    """
    first = depthwise_convolve(image, depthwise, strides=strides, padding=padding)
    return SeparableConvolution(first, convolve(first.output, pointwise, bias))
